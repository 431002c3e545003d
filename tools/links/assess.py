"""What is to be thought of links, by their letters and by lists; nothing is opened or resolved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.links.anatomy import Anatomy, dissect
from tools.links.extract import Link, find_links
from tools.links.facts import hosts, is_among
from tools.links.lists import ListHit, Lists
from tools.links.lookalike import is_official
from tools.links.lookup import Lookup, LookupAnswer
from tools.links.score import Scorer
from tools.links.signs import Sign, find_signs, hidden_target
from tools.links.spelling import defang

Risk = Literal["listed", "high", "medium", "low"]
RISKS: tuple[Risk, ...] = ("listed", "high", "medium", "low")
"""From the worst on."""

_MANY_FAMILIES = 2
_MANY_WEAK_FAMILIES = 3
_MOST_REASONS = 3


@dataclass(frozen=True)
class LinkAssessment:
    """What is known of one link."""

    url: str
    """As it was given."""
    shown: str
    """As it may be shown: nobody can click it."""
    host: str
    registered_domain: str
    defanged: bool
    signs: tuple[Sign, ...]
    hits: tuple[ListHit, ...]
    answers: tuple[LookupAnswer, ...]
    score: float | None
    """The trained score; None where letters say nothing, see `assess`."""
    resembles: bool
    """Whether the score is one that few honest links reach."""
    risk: Risk
    lists_asked: bool

    @property
    def finding(self) -> str:
        """One plain sentence for a person."""
        name = self.shown or "an empty link"
        return f"{name} ({_RISK_WORDS[self.risk]}) {_joined(_reasons(self))}."


def assess(
    urls: Sequence[str | Link],
    *,
    lists: Lists | None = None,
    lookups: Sequence[Lookup] = (),
    scorer: Scorer | None = None,
) -> list[LinkAssessment]:
    """Assess links by their letters, by block lists, and by services if any are asked.

    How the risk comes about:

    - `listed`: a block list or a reputation service names the link, its host, or the site that it
      passes on to. Only somebody who has seen the page can say that.
    - `high`: a trick with no honest use (another site's name before the @, a brand spelled with
      letters of another script); or two strong signs of different families; or one strong sign and
      a score that 1 honest link in 1,000 reaches.
    - `medium`: one strong sign, weak signs of three families, or a score that 1 honest link in 100
      reaches.
    - `low`: none of these, which is not the same as safe.

    The score alone never makes more than `medium`. It is a guess from letters: where one link in a
    thousand is phishing, ten honest ones would reach its line for every one that is caught, and
    nobody's post should be called malicious on that. It is left out where letters say nothing: on a
    brand's own domain, on a shortener, and on addresses inside a network.

    That a link is defanged lowers nothing. Warnings write `[.]`, but so do those who want to get
    past a filter; which it is, the words around it tell.

    Args:
        urls: Links as they stand in a case, also a whole Markdown link, or what `find_links` found.
        lists: The block lists to ask.
        lookups: Services to ask, see `tools/links/lookup.py`; one that gives no answer for one link
            is not asked about the next, so that a dead service costs one time-out.
        scorer: The trained score.

    Returns:
        One assessment a link, in order. Text that is no link gets one as well, which says so.
    """
    silent: dict[int, LookupAnswer] = {}
    return [_assess(_as_link(url), lists, lookups, scorer, silent) for url in urls]


def worst(assessments: Iterable[LinkAssessment]) -> LinkAssessment | None:
    """The first of those with the highest risk."""
    return min(assessments, key=lambda link: RISKS.index(link.risk), default=None)


def letters_speak(anatomy: Anatomy) -> bool:
    """Whether the letters of a link say anything about who stands behind it.

    They do not on a brand's own domain, on a shortener, and on addresses inside a network.
    """
    own = is_official(anatomy.owner) and not is_among(anatomy.host, hosts("free_hosting"))
    short = anatomy.registered_domain in hosts("shorteners")
    return anatomy.is_web and _is_public(anatomy) and not own and not short


def _as_link(url: str | Link) -> Link:
    if isinstance(url, Link):
        return url
    if url.startswith("[") and url.endswith(")"):
        for link in find_links(url):
            if link.shown_text is not None:
                return link
    return Link(url, 0, len(url), url, defanged=False, shown_text=None)


def _assess(
    link: Link,
    lists: Lists | None,
    lookups: Sequence[Lookup],
    scorer: Scorer | None,
    silent: dict[int, LookupAnswer],
) -> LinkAssessment:
    anatomy = dissect(link.raw)
    signs = find_signs(anatomy, link.shown_text)
    hits = tuple(_hits(anatomy, lists)) if lists else ()
    answers = tuple(_ask(anatomy, lookups, silent))
    score = scorer.score(anatomy) if scorer and letters_speak(anatomy) else None
    likely = scorer is not None and score is not None and score >= scorer.medium
    very_likely = scorer is not None and score is not None and score >= scorer.high
    listed = bool(hits) or any(answer.outcome == "listed" for answer in answers)
    return LinkAssessment(
        url=link.raw,
        shown=defang(anatomy.url if anatomy.host or anatomy.path else link.raw),
        host=anatomy.host,
        registered_domain=anatomy.registered_domain,
        defanged="defanged" in anatomy.oddities,
        signs=signs,
        hits=hits,
        answers=answers,
        score=None if score is None else round(score, 4),
        resembles=likely,
        risk="listed" if listed else _risk(signs, likely=likely, very_likely=very_likely),
        lists_asked=lists is not None,
    )


def _risk(signs: Sequence[Sign], *, likely: bool, very_likely: bool) -> Risk:
    strong = {sign.family for sign in signs if sign.strength == "strong"}
    weak = {sign.family for sign in signs if sign.strength == "weak"}
    if any(sign.strength == "hard" for sign in signs) or len(strong) >= _MANY_FAMILIES:
        return "high"
    if strong and very_likely:
        return "high"
    return "medium" if strong or likely or len(weak) >= _MANY_WEAK_FAMILIES else "low"


def _hits(anatomy: Anatomy, lists: Lists) -> Sequence[ListHit]:
    """Entries that match the link, or the site that it passes on to."""
    places = [place for place in (anatomy, hidden_target(anatomy)) if place and place.host]
    if not places:
        return ()
    names = [place.host.strip("[]") for place in places]
    return lists(names, [place.url for place in places])


def _ask(
    anatomy: Anatomy, lookups: Sequence[Lookup], silent: dict[int, LookupAnswer]
) -> Iterable[LookupAnswer]:
    if not (anatomy.is_web and _is_public(anatomy)):
        return
    for number, lookup in enumerate(lookups):
        answer = silent.get(number) or lookup(anatomy.url)
        if answer.outcome == "no_answer":
            silent[number] = answer
        yield answer


def _is_public(anatomy: Anatomy) -> bool:
    if anatomy.address is not None:
        return anatomy.address.is_global
    return bool(anatomy.registered_domain)


_RISK_WORDS = {
    "listed": "listed as bad",
    "high": "high risk",
    "medium": "medium risk",
    "low": "low risk",
}


def _reasons(link: LinkAssessment) -> list[str]:
    """The reasons of a finding, the heaviest first, as ends of a sentence about the link."""
    reasons = [_on_list(hit) for hit in link.hits[:_MOST_REASONS]]
    reasons += [
        f"is listed by {answer.service} ({defang(', '.join(answer.threats), 60)})"
        for answer in link.answers
        if answer.outcome == "listed"
    ]
    telling = [sign for sign in link.signs if sign.strength != "note"]
    telling += [sign for sign in link.signs if sign.name in {"malformed", "defanged"}]
    reasons += [sign.says for sign in telling[:_MOST_REASONS]]
    if link.resembles:
        reasons.append(f"has letters like those of phishing links (score {link.score:.2f})")
    if not reasons:
        lists = "nor on a list" if link.lists_asked else "while no list was asked"
        reasons.append(f"has nothing unusual in its letters {lists}")
    silent = [answer.service for answer in link.answers if answer.outcome == "no_answer"]
    return reasons + [f"got no answer from {service}" for service in silent]


def _on_list(hit: ListHit) -> str:
    category = f" ({defang(hit.category, 40)})" if hit.category else ""
    return f"is on the list {defang(hit.list_name, 40)}{category}"


def _joined(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
