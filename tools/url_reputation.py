"""What the letters of a link, block lists and, if asked for, reputation services say about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.links.assess import RISKS, LinkAssessment, Risk, assess, worst
from tools.links.facts import fingerprint
from tools.links.lists import Lists
from tools.links.lookup import Lookup, Outcome
from tools.links.score import Scorer, shipped_scorer
from tools.links.signs import Place, Strength
from tools.tool import Arguments, Result, Tool, tool

MOST_LINKS = 20
LONGEST_LINK = 4_096


class WhichLinks(Arguments):
    """The links that the model wants to know about."""

    urls: tuple[Annotated[str, Field(max_length=LONGEST_LINK)], ...] = Field(
        min_length=1,
        max_length=MOST_LINKS,
        description="Links copied from the case as they stand; a Markdown link may be given whole.",
    )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkSign(_Part):
    """One thing that the letters give away, where, and what it means."""

    name: str
    strength: Strength
    where: Place
    excerpt: str
    says: str


class LinkHit(_Part):
    """An entry of a block list that matches."""

    list_name: str
    entry: str
    kind: str
    category: str


class LinkLookup(_Part):
    """What a reputation service said."""

    service: str
    outcome: Outcome
    threats: tuple[str, ...]
    because: str


class LinkReport(_Part):
    """What is known of one link."""

    url: str
    """Unclickable: `hxxps://example[.]com/`."""
    host: str
    registered_domain: str
    defanged: bool
    risk: Risk
    score: float | None
    signs: tuple[LinkSign, ...]
    hits: tuple[LinkHit, ...]
    lookups: tuple[LinkLookup, ...]
    finding: str


class LinkReputation(Result):
    """What is known of the links, in the order of the question."""

    risk: Risk
    """The highest of them."""
    links: tuple[LinkReport, ...]


def url_reputation(
    *, lists: Lists | None = None, lookups: Sequence[Lookup] = (), scorer: Scorer | None = None
) -> Tool:
    """Bind lists, services and the trained score to the tool; the model supplies links only.

    How the risk of a link comes about, and why the score alone never makes more than `medium`, is
    said at `tools.links.assess.assess`. The version names the weights and the lists of brands,
    hosts and words.

    Args:
        lists: The block lists to ask.
        lookups: Reputation services to ask; they are sent the links.
        scorer: The trained score, by default the shipped one.

    Raises:
        RecordsError: The shipped weights cannot be read.
    """
    known = scorer or shipped_scorer()

    def run(asked: WhichLinks) -> LinkReputation:
        """Look at links without opening them: owner, tricks, look-alikes, block lists, risk."""
        return _reputation(assess(asked.urls, lists=lists, lookups=lookups, scorer=known))

    version = f"{known.version}-{fingerprint()}"
    return tool("url_reputation", run, arguments=WhichLinks, version=version)


def _reputation(links: Sequence[LinkAssessment]) -> LinkReputation:
    gravest = worst(links)
    if gravest is None:
        raise ValueError("a question names at least one link")
    return LinkReputation(
        finding=_sentence(links, gravest),
        risk=gravest.risk,
        links=tuple(_report(link) for link in links),
    )


def _sentence(links: Sequence[LinkAssessment], gravest: LinkAssessment) -> str:
    if len(links) == 1:
        return gravest.finding
    counted = Counter(link.risk for link in links)
    told = ", ".join(f"{counted[risk]} {risk}" for risk in RISKS if counted[risk])
    if gravest.risk == "low":
        return f"{len(links)} links, all of low risk by what can be told without opening them."
    return f"{len(links)} links ({told}); {gravest.finding}"


def _report(link: LinkAssessment) -> LinkReport:
    return LinkReport(
        url=link.shown,
        host=link.host,
        registered_domain=link.registered_domain,
        defanged=link.defanged,
        risk=link.risk,
        score=link.score,
        signs=tuple(
            LinkSign(
                name=sign.name,
                strength=sign.strength,
                where=sign.where,
                excerpt=sign.excerpt,
                says=sign.says,
            )
            for sign in link.signs
        ),
        hits=tuple(
            LinkHit(list_name=hit.list_name, entry=hit.entry, kind=hit.kind, category=hit.category)
            for hit in link.hits
        ),
        lookups=tuple(
            LinkLookup(
                service=answer.service,
                outcome=answer.outcome,
                threats=answer.threats,
                because=answer.because,
            )
            for answer in link.answers
        ),
        finding=link.finding,
    )
