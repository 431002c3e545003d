"""Bring two runs together, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from errors import InputError
from evals.run import Recorded, outcome_of

FlipKind = Literal["became_violating", "became_allowed", "began_to_abstain", "other_section"]
Effect = Literal["fixed", "broken", "neither"]


@dataclass(frozen=True)
class Pair:
    """One case in two runs."""

    old: Recorded
    new: Recorded


@dataclass(frozen=True)
class Flip:
    """A case on which two runs differ."""

    pair: Pair
    kind: FlipKind
    effect: Effect
    """Whether the new answer is right where the old was wrong, or the other way round."""
    section: str
    """The section that the case turns on."""


def paired(old: Sequence[Recorded], new: Sequence[Recorded]) -> tuple[list[Pair], int]:
    """Return the cases that both runs judged, and how many have no partner.

    A case pairs with the case of the same id, content and answer: a golden set that was corrected
    in between must not look like a change of the reviewer.

    Raises:
        InputError: They have no case in common.
    """
    others = {record.case_id: record for record in new}
    pairs = []
    for record in old:
        other = others.get(record.case_id)
        if other is not None and (other.case, other.expected) == (record.case, record.expected):
            pairs.append(Pair(record, other))
    if not pairs:
        raise InputError(
            "the two runs have no case in common, with the same id, content and answer",
            hint="evaluate both on the same golden file",
        )
    return pairs, len(old) + len(new) - 2 * len(pairs)


def flips(pairs: Sequence[Pair]) -> list[Flip]:
    """Return the cases on which two runs differ: the broken first, then the fixed."""
    order = {"broken": 0, "fixed": 1, "neither": 2}
    found = [flip for pair in pairs if (flip := _flip(pair)) is not None]
    return sorted(found, key=lambda flip: (order[flip.effect], flip.pair.old.case_id))


def _flip(pair: Pair) -> Flip | None:
    before, now = pair.old.verdict.decision, pair.new.verdict.decision
    if before == now:
        sections = [_surest(record) for record in (pair.old, pair.new)]
        if sections[0] == sections[1]:
            return None
        return Flip(pair, "other_section", _effect_of_section(pair), sections[1])
    kinds: dict[str, FlipKind] = {
        "violating": "became_violating",
        "allowed": "became_allowed",
        "abstain": "began_to_abstain",
    }
    right = pair.old.expected.decision
    effect: Effect = "fixed" if now == right else "broken" if before == right else "neither"
    return Flip(pair, kinds[now], effect, _section_of(pair))


def _surest(record: Recorded) -> str:
    return next(iter(outcome_of(record).cited), "")


def _section_of(pair: Pair) -> str:
    named = (_surest(pair.new), _surest(pair.old), *pair.new.expected.sections)
    return next((section for section in named if section), "")


def _effect_of_section(pair: Pair) -> Effect:
    right = pair.old.expected.sections
    before, now = _surest(pair.old) in right, _surest(pair.new) in right
    if before == now:
        return "neither"
    return "fixed" if now else "broken"
