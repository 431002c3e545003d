"""Means over policies: each policy counts the same, however many cases it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from evals.intervals import Statistic, Weights
from evals.metrics.decisions import DECISIONS
from evals.metrics.metric import Metric, bootstrapped
from evals.outcome import Outcome

_AVERAGED = ("precision", "recall", "f1_score", "missed_violation_rate", "false_positive_rate")
NEED_BOTH_SIDES = ("precision", "f1_score")
"""Where every case is a violation these are perfect without any merit."""


def is_one_sided(outcomes: Sequence[Outcome]) -> bool:
    """Whether every case is a violation, as in sets that name a policy for violations only."""
    return all(outcome.expected == "violating" for outcome in outcomes)


def macro(
    outcomes: Sequence[Outcome],
    statistic: Callable[[Sequence[Outcome]], Statistic],
    *,
    both_sides: bool = False,
) -> Statistic:
    """Return the mean of a statistic over the policies for which there is data.

    The policy of a case is its slice `policy`; a case without one counts nowhere. With
    `both_sides` a policy counts only if some of its cases are no violations.
    """
    named = np.array([o.slices.get("policy", "") for o in outcomes], dtype=object)
    parts: list[tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Statistic]] = []
    for policy in sorted(set(named.tolist()) - {""}):
        places = np.flatnonzero(named == policy)
        of_policy = [outcomes[i] for i in places.tolist()]
        if not (both_sides and is_one_sided(of_policy)):
            parts.append((places, statistic(of_policy)))

    def mean(weights: Weights) -> float:
        values = [value for at, of in parts if not math.isnan(value := of(weights[at]))]
        return sum(values) / len(values) if values else math.nan

    return mean


def _with_policy(outcomes: Sequence[Outcome]) -> int:
    return sum("policy" in o.slices for o in outcomes)


def _macro(metric: Metric) -> Metric:
    return bootstrapped(
        f"macro_{metric.name}",
        f"{metric.label}, mean over policies",
        lambda outcomes: macro(
            outcomes, metric.statistic, both_sides=metric.name in NEED_BOTH_SIDES
        ),
        on=_with_policy,
        better=metric.better,
    )


MACRO: tuple[Metric, ...] = tuple(_macro(m) for m in DECISIONS if m.name in _AVERAGED)
