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


def macro(
    outcomes: Sequence[Outcome], statistic: Callable[[Sequence[Outcome]], Statistic]
) -> Statistic:
    """Return the mean of a statistic over the policies for which there is data.

    The policy of a case is its slice `policy`; a case without one counts nowhere.
    """
    named = np.array([o.slices.get("policy", "") for o in outcomes], dtype=object)
    parts: list[tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Statistic]] = []
    for policy in sorted(set(named.tolist()) - {""}):
        places = np.flatnonzero(named == policy)
        parts.append((places, statistic([outcomes[i] for i in places.tolist()])))

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
        lambda outcomes: macro(outcomes, metric.statistic),
        on=_with_policy,
        better=metric.better,
    )


MACRO: tuple[Metric, ...] = tuple(_macro(m) for m in DECISIONS if m.name in _AVERAGED)
