"""Which sentences of the policy to rewrite: those on which the same case is judged both ways.

A case is judged several times: by a model that draws its answers again under the same words, by one
that repeats itself under rewordings that change no rule. Where the rounds disagree, the text leaves
room, and the sentence that was cited says where.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from agent.case import Case
from agent.quotes import find_quote
from agent.verdict import Verdict
from evals.wording.judging import FAILED, Pace, surest, verdicts_of
from evals.wording.noise import reworded_rulebooks
from evals.wording.side_by_side import Sides
from policies.rulebook import Rulebook
from retrieval.index import sentences

NEAREST = 3


@dataclass(frozen=True)
class SplitSentence:
    """A sentence of the policy on which cases are judged both ways."""

    section: str
    sentence: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Rivals:
    """Two sections that claim the same cases."""

    sections: tuple[str, str]
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Unsettled:
    """A case that no section settles, with the sections that come nearest."""

    case_id: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Ambiguity:
    """Where the text leaves room."""

    cases: int
    rounds: int
    split: int
    """Cases on whose decision the rounds disagree."""
    sentences: tuple[SplitSentence, ...]
    rivals: tuple[Rivals, ...]
    gaps: tuple[Unsettled, ...]


def judge_in_rounds(
    cases: Sequence[Case], sides: Sides, rulebook: Rulebook, pace: Pace
) -> list[list[Verdict]]:
    """Return the verdicts on the cases, round by round; `pace.repeats` rounds at most."""
    rounds = [verdicts_of(sides.old, cases, pace)]
    if not sides.repeats_itself:
        return rounds + [verdicts_of(sides.old, cases, pace) for _ in range(pace.repeats - 1)]
    variants = reworded_rulebooks(rulebook, rulebook.sections, pace.repeats - 1)
    return rounds + [verdicts_of(sides.another(variant), cases, pace) for variant in variants]


def ambiguity(rounds: Sequence[Sequence[Verdict]], rulebook: Rulebook) -> Ambiguity:
    """Return where the text leaves room.

    Args:
        rounds: The verdicts on the same cases, round by round, in the same order.
        rulebook: The rules as they are written, of which the sentences are told.
    """
    by_case = [_heard(verdicts) for verdicts in zip(*rounds, strict=True)]
    split = [one for one in by_case if len({verdict.decision for verdict in one}) > 1]
    return Ambiguity(
        cases=len(by_case),
        rounds=len(rounds),
        split=len(split),
        sentences=tuple(_split_sentences(split, rulebook)),
        rivals=tuple(_rivals(by_case)),
        gaps=tuple(_gaps(by_case)),
    )


def _heard(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.abstain_reason not in FAILED]


def _split_sentences(split: Sequence[Sequence[Verdict]], rulebook: Rulebook) -> list[SplitSentence]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for verdicts in split:
        places = {
            (ground.section, _sentence(ground.section, ground.policy_quote, rulebook))
            for verdict in verdicts
            for ground in verdict.violations
        }
        for place in places:
            found[place].append(verdicts[0].case_id)
    told = [SplitSentence(*place, tuple(sorted(cases))) for place, cases in found.items()]
    return sorted(told, key=lambda one: (-len(one.cases), one.section, one.sentence))


def _sentence(section_id: str, quote: str, rulebook: Rulebook) -> str:
    """The sentence as it is written: a reworded one is told by the section's own."""
    section = rulebook.section(section_id)
    if section is None:
        return quote
    own = sentences(section.rule)
    for sentence in own:
        if find_quote(quote, sentence) or find_quote(sentence, quote):
            return sentence
    words = set(quote.lower().split())
    return max(own, key=lambda one: len(words & set(one.lower().split())), default=quote)


def _rivals(by_case: Sequence[Sequence[Verdict]]) -> list[Rivals]:
    claims: dict[tuple[str, str], list[str]] = defaultdict(list)
    for verdicts in by_case:
        claimed = {surest(verdict) for verdict in verdicts} - {""}
        claimed |= {g.section for v in verdicts for g in v.violations}
        for first, second in combinations(sorted(claimed), 2):
            claims[first, second].append(verdicts[0].case_id)
    told = [Rivals(pair, tuple(sorted(cases))) for pair, cases in claims.items()]
    return sorted(told, key=lambda one: (-len(one.cases), one.sections))


def _gaps(by_case: Sequence[Sequence[Verdict]]) -> list[Unsettled]:
    return [
        Unsettled(verdicts[0].case_id, verdicts[0].sections_considered[:NEAREST])
        for verdicts in by_case
        if any(verdict.abstain_reason == "policy_gap" for verdict in verdicts)
    ]


def ambiguity_data(told: Ambiguity) -> dict[str, object]:
    """Return ambiguity as JSON data."""
    return asdict(told)


def ambiguity_in_words(told: Ambiguity) -> list[str]:
    """Return the list of sentences to rewrite, and what else the text leaves open."""
    lines = [
        f"{told.split} of {told.cases:,} cases are judged both ways in {told.rounds} rounds.",
    ]
    lines += [f"{one.section}, {_count(one.cases)}: {one.sentence}" for one in told.sentences]
    lines += [
        f"{one.sections[0]} and {one.sections[1]} both claim {_count(one.cases)}: "
        f"{', '.join(one.cases[:5])}"
        for one in told.rivals
    ]
    lines += [
        f"{one.case_id}: no section settles it; nearest: {', '.join(one.nearest)}"
        for one in told.gaps
    ]
    kinds = Counter(one.section for one in told.sentences)
    if kinds:
        lines.append(f"Rewrite first: {kinds.most_common(1)[0][0]}.")
    return lines


def _count(cases: Sequence[str]) -> str:
    return f"{len(cases)} case" if len(cases) == 1 else f"{len(cases)} cases"
