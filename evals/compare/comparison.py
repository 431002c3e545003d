"""Two runs side by side: what flipped, what changed, and whether that is real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from evals.compare.change import (
    Change,
    PolicyChange,
    Sensitivity,
    changes,
    policy_changes,
    sensitivity,
)
from evals.compare.pairing import Flip, flips, paired
from evals.estimate import estimate_data, finite
from evals.intervals import RESAMPLES
from evals.run import Recorded, outcome_of

Real = Literal[True, False, "undecided"]
LEVEL = 0.05
NEGLIGIBLE = 0.02
"""A change in the share decided right that is surely smaller than this is called none."""


@dataclass(frozen=True)
class Comparison:
    """What a new run changed against an old one."""

    cases: int
    unpaired: int
    """Cases that only one of the two has, or that were changed in between."""
    flips: Sequence[Flip]
    metrics: Mapping[str, Change]
    policies: Mapping[str, PolicyChange]
    sensitivity: Sensitivity
    real: Real
    """Whether the share decided right has changed: yes, no, or these cases cannot tell."""


def compare(
    old: Sequence[Recorded], new: Sequence[Recorded], *, draws: int = RESAMPLES
) -> Comparison:
    """Return the comparison of two runs on the cases that both have.

    Raises:
        InputError: They have no case in common.
    """
    pairs, unpaired = paired(old, new)
    before = [outcome_of(pair.old) for pair in pairs]
    now = [outcome_of(pair.new) for pair in pairs]
    found = flips(pairs)
    metrics = changes(before, now, draws=draws)
    return Comparison(
        cases=len(pairs),
        unpaired=unpaired,
        flips=found,
        metrics=metrics,
        policies=policy_changes(before, now),
        sensitivity=sensitivity(before, now),
        real=_is_real(found, metrics["decided_right_rate"]),
    )


def _is_real(found: Sequence[Flip], right: Change) -> Real:
    if not found:
        return False
    if right.p < LEVEL:
        return True
    small = max(abs(right.difference.low), abs(right.difference.high)) < NEGLIGIBLE
    return False if small else "undecided"


def comparison_data(comparison: Comparison) -> dict[str, object]:
    """Return a comparison as JSON data."""
    return {
        "cases": comparison.cases,
        "unpaired": comparison.unpaired,
        "real": comparison.real,
        "flips": [flip_data(flip) for flip in comparison.flips],
        "metrics": {name: change_data(change) for name, change in comparison.metrics.items()},
        "policies": {name: asdict(change) for name, change in comparison.policies.items()},
        "sensitivity": asdict(comparison.sensitivity),
    }


def change_data(change: Change) -> dict[str, object]:
    """Return the change of one metric as JSON data; what is not known is null."""
    told = estimate_data(change.difference)
    return {
        "old": finite(change.old),
        "new": finite(change.new),
        "difference": told["value"],
        "interval": [told["low"], told["high"]],
        "p": finite(change.p),
        "n": told["n"],
    }


def flip_data(flip: Flip) -> dict[str, object]:
    """Return a flip as JSON data, with both rationales."""
    old, new = flip.pair.old, flip.pair.new
    return {
        "case_id": old.case_id,
        "kind": flip.kind,
        "effect": flip.effect,
        "section": flip.section,
        "expected": old.expected.decision,
        "old": old.verdict.decision,
        "new": new.verdict.decision,
        "old_sections": [ground.section for ground in old.verdict.violations],
        "new_sections": [ground.section for ground in new.verdict.violations],
        "old_rationale": old.verdict.rationale,
        "new_rationale": new.verdict.rationale,
    }
