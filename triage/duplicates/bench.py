"""Are copies found, and nothing else? A hundred thousand posts with planted copies and near misses.

    python -m triage.duplicates.bench --cases 100000

Campaigns post one text many times, each time varied or disguised. Beside them stand posts that
differ from a campaign's in one word that matters, with another right decision, and other posts. The
reviewer counts how often it is asked and always decides rightly, so that a wrong decision can only
come from copying.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from agent.case import Case
from agent.record import record_of
from agent.reviewer import Opinion
from agent.state import Limits
from agent.verdict import Decision, Provenance, Usage, Verdict, Violation
from evals.disguises import DISGUISES
from policies.reading import load_rulebook
from policies.rulebook import Rulebook, Section
from triage.duplicates.copying import Copies, Sampling

_SHARE_OF_COPIES = 0.6
_COPIES_OF_ONE = 150
_SHARE_OF_NEAR_MISSES = 0.1
_DRESSED = ("zero width", "homoglyphs", "mixed case", "leet", "repeated letters", "bracketing")
_SHARE_DRESSED = 0.25
_QUOTED_WORDS = 3

Variation = Callable[[str, Random], str]


@dataclass(frozen=True)
class Planted:
    """A post, and what is known of it."""

    case: Case
    campaign: int | None
    """The number of the campaign that it is a copy of."""
    decision: Decision
    source: str
    """The text that it was made from."""


def planted(number: int, *, seed: int) -> list[Planted]:
    """Return so many posts in the order in which they come in."""
    rng = Random(seed)
    told = _phrases()
    copies = int(number * _SHARE_OF_COPIES)
    campaigns = max(1, copies // _COPIES_OF_ONE)
    texts = [_text(told, rng, f"offer {n}") for n in range(campaigns)]
    rest = number - copies - campaigns
    near = min(rest, int(number * _SHARE_OF_NEAR_MISSES))
    posts = [(n, text, _truth(n), text) for n, text in enumerate(texts)]
    for _ in range(copies):
        at = rng.randrange(campaigns)
        posts.append((at, _varied(texts[at], rng), _truth(at), texts[at]))
    for n in range(near):
        at = rng.randrange(campaigns)
        other: Decision = "allowed" if _truth(at) == "violating" else "violating"
        missed = _missed(texts[at], told, rng, n)
        posts.append((-1, missed, other, missed))
    others = [_text(told, rng, f"thread {n}") for n in range(rest - near)]
    posts += [(-1, text, _truth(n), text) for n, text in enumerate(others)]
    rng.shuffle(posts)
    return [
        Planted(Case(id=f"c-{n}", text=text), at if at >= 0 else None, truth, source)
        for n, (at, text, truth, source) in enumerate(posts)
    ]


class CountingReviewer:
    """Knows every answer, and counts how often it is asked."""

    def __init__(self, posts: list[Planted], rulebook: Rulebook) -> None:
        self.asked = 0
        self._truth = {post.case.id: post.decision for post in posts}
        self._rulebook = rulebook
        self._section = rulebook.section("fraud.1") or rulebook.sections[0]

    def review(self, case: Case) -> Opinion:
        """Decide rightly."""
        self.asked += 1
        verdict = _verdict(case, self._truth[case.id], self._rulebook, self._section)
        record = record_of(
            case,
            verdict,
            tape=[],
            limits=Limits(),
            own=None,
            exchanges=[],
            texts={},
            content_apart=False,
        )
        return Opinion(verdict, record)


@dataclass
class Figures:
    """What came of it."""

    cases: int = 0
    copies: int = 0
    shared: int = 0
    """Copies that were decided with their campaign."""
    wrong: int = 0
    """Posts that took over a decision that is not theirs."""
    asked: int = 0
    seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield the figures in words."""
        rate = self.cases / self.seconds if self.seconds else 0.0
        planted = self.copies / self.cases
        yield f"{self.cases:,} posts, {self.copies:,} of them copies ({planted:.1%})"
        yield f"copies that share a decision: {self.shared / self.copies:.4f}"
        yield f"decisions taken over wrongly: {self.wrong}"
        saved = 1 - self.asked / self.cases
        yield f"model calls: {self.asked:,}, {saved:.1%} fewer"
        yield f"{rate:,.0f} posts a second on one thread"


def measured(number: int, *, seed: int = 1, share: float = 0.02) -> Figures:
    """Review so many posts, and count."""
    rulebook = load_rulebook(None)
    posts = planted(number, seed=seed)
    reviewer = CountingReviewer(posts, rulebook)
    copies = Copies(reviewer.review, rulebook, Sampling(share, b"bench"))
    source_of = {post.case.id: post.source for post in posts}
    found, seen = Figures(cases=number), set[int]()
    began = time.perf_counter()
    for post in posts:
        sampled = copies.tally.sampled
        opinion = copies.opinion(post.case)
        origin = opinion.record.payload.get("copy_of")
        if origin is not None:
            same = source_of[origin] == post.source
            found.wrong += not same or opinion.verdict.decision != post.decision
        if post.campaign is not None and post.campaign in seen:
            found.copies += 1
            found.shared += origin is not None or copies.tally.sampled > sampled
        seen |= {post.campaign} if post.campaign is not None else set()
    found.seconds = time.perf_counter() - began
    found.asked = reviewer.asked
    return found


def _truth(number: int) -> Decision:
    return "violating" if number % 3 else "allowed"


def _phrases() -> list[list[str]]:
    """The parts of posts, from the file beside this; a blank line between two parts."""
    text = (files("triage.duplicates") / "bench_phrases.txt").read_text(encoding="utf-8")
    return [part.splitlines() for part in text.strip().split("\n\n")]


def _text(told: list[list[str]], rng: Random, unique: str) -> str:
    parts = [rng.choice(part) for part in told]
    word, number = unique.split()
    spelled = " ".join(told[0][int(digit)].split()[0].lower() for digit in number)
    return f"{' '.join(parts)} {word} {spelled}"


def _varied(text: str, rng: Random) -> str:
    if rng.random() < _SHARE_DRESSED:
        return DISGUISES[rng.choice(_DRESSED)](text, rng)
    for vary in rng.sample(_VARIATIONS, rng.randint(0, 3)):
        text = vary(text, rng)
    return text


def _missed(text: str, told: list[list[str]], rng: Random, number: int) -> str:
    """The post with one word in it that matters: a word more, one less, or another one."""
    words = text.split()
    at = rng.randrange(1, len(words))
    kind = number % 3
    if kind == 0:
        return " ".join([*words[:at], "not", *words[at:]])
    if kind == 1:
        return " ".join([*words[:at], *words[at + 1 :]])
    others = rng.choice(rng.choice(told[1:])).split()
    other = rng.choice([word for word in others if word != words[at]])
    return " ".join([*words[:at], other, *words[at + 1 :]])


def _shouted(text: str, rng: Random) -> str:
    del rng
    return text.upper()


def _spaced(text: str, rng: Random) -> str:
    return text.replace(" ", " " * rng.randint(2, 3), rng.randint(1, 4))


def _marked(text: str, rng: Random) -> str:
    return text + rng.choice(["!", "!!!", "...", " ."])


def _mentioning(text: str, rng: Random) -> str:
    return f"@user{rng.randrange(10_000)} {text}"


def _tagged(text: str, rng: Random) -> str:
    return f"{text} {''.join(rng.choice('bcdfgxz23456789') for _ in range(8))}7"


def _linked_elsewhere(text: str, rng: Random) -> str:
    return text.replace("/start", f"/start?r={rng.randrange(10**6)}")


_VARIATIONS: list[Variation] = [
    _shouted,
    _spaced,
    _marked,
    _mentioning,
    _tagged,
    _linked_elsewhere,
]


def _verdict(case: Case, decision: Decision, rulebook: Rulebook, section: Section) -> Verdict:
    quoted = case.text.split(maxsplit=_QUOTED_WORDS)[:_QUOTED_WORDS]
    end = case.text.find(quoted[-1]) + len(quoted[-1])
    ground = Violation(
        section=section.id,
        severity=section.severities[-1],
        confidence=0.9,
        policy_quote=section.title,
        content_quote=case.text[:end],
        content_span=(0, end),
        why="-",
    )
    violating = decision == "violating"
    return Verdict(
        case_id=case.id,
        decision=decision,
        action="remove" if violating else "none",
        severity=ground.severity if violating else None,
        violations=(ground,) if violating else (),
        abstain_reason=None,
        confidence=0.9,
        rationale="-",
        counterargument="-",
        needs_human=False,
        needs_human_because=(),
        evidence=(),
        sections_considered=(section.id,),
        precedents=(),
        provenance=Provenance(rulebook=rulebook.id, model="counting", prompts="-", tools={}),
        usage=Usage(model_calls=1),
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for line in measured(asked.cases, seed=asked.seed).lines():
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
