"""How many mistakes for how many cases decided: the risk–coverage curve.

A reviewer that may abstain can always make fewer mistakes by deciding less. The curve shows the
whole bargain: decide only the surest share of the cases, and this share of them is wrong.
(El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification"; Geifman
and El-Yaniv 2017.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.intervals import Statistic, Weights
from evals.metrics.calibration import claims
from evals.metrics.metric import Metric, bootstrapped
from evals.outcome import Outcome


@dataclass(frozen=True)
class Point:
    """Decide every case at least this sure: this share is decided, this share of them wrong."""

    confidence: float
    coverage: float
    risk: float
    n: int


def risk_coverage(outcomes: Sequence[Outcome]) -> list[Point]:
    """Return the curve, from the surest cases down to all that were decided.

    Coverage is of all cases, so the curve ends where the reviewer abstains.

    >>> risk_coverage([
    ...     Outcome("violating", "violating", confidence=0.9),
    ...     Outcome("allowed", "violating", confidence=0.6),
    ...     Outcome("allowed", "abstain", confidence=0.0),
    ... ])[-1].risk
    0.5
    """
    wrong, told = _decided_surest_first(outcomes)
    if not told.size:
        return []
    ends = np.append(np.flatnonzero(np.diff(told)), len(told) - 1)
    errors = np.cumsum(wrong)
    return [
        Point(
            confidence=float(told[end]),
            coverage=(end + 1) / len(outcomes),
            risk=float(errors[end]) / (end + 1),
            n=end + 1,
        )
        for end in ends.tolist()
    ]


def aurc(wrong: Sequence[bool], confidence: Sequence[float]) -> float:
    """Area under the risk–coverage curve: mean risk over every possible coverage; lower is better.

    Of equal confidences none comes first: their mistakes are spread evenly over them, which is the
    mean over every order. NaN without cases.

    >>> aurc([False, True], [0.9, 0.1])
    0.25
    >>> aurc([False, True], [0.5, 0.5])
    0.5
    """
    return _aurc_statistic(wrong, confidence)(np.ones(len(wrong)))


def _aurc_statistic(wrong: Sequence[bool], confidence: Sequence[float]) -> Statistic:
    told = np.asarray(confidence, dtype=np.float64)
    order = np.argsort(-told, kind="stable")
    starts = np.append(0, np.flatnonzero(np.diff(told[order])) + 1) if told.size else order
    errors = np.asarray(wrong, dtype=np.float64)[order]

    def statistic(weights: Weights) -> float:
        drawn = weights[order]
        if not drawn.sum():
            return math.nan
        mass = np.add.reduceat(drawn, starts)
        lost = np.add.reduceat(drawn * errors, starts)
        each = np.divide(lost, mass, out=np.zeros_like(lost), where=mass > 0)
        spread = np.repeat(np.repeat(each, np.diff(np.append(starts, len(order)))), _whole(drawn))
        return float(np.mean(np.cumsum(spread) / np.arange(1, len(spread) + 1)))

    return statistic


def _whole(weights: Weights) -> NDArray[np.intp]:
    """Weights as numbers of copies: a resample holds whole cases."""
    return weights.astype(np.intp)


def _decided_surest_first(
    outcomes: Sequence[Outcome],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    told = sorted((o for o in outcomes if claims(o)), key=lambda o: -o.confidence)
    wrong = np.array([o.decided != o.expected for o in told], dtype=np.float64)
    return wrong, np.array([o.confidence for o in told], dtype=np.float64)


def _aurc_of(outcomes: Sequence[Outcome]) -> Statistic:
    mask = np.array([claims(o) for o in outcomes], dtype=bool)
    told = [o for o in outcomes if claims(o)]
    statistic = _aurc_statistic(
        [o.decided != o.expected for o in told], [o.confidence for o in told]
    )
    return lambda weights: statistic(weights[mask])


COVERAGE: tuple[Metric, ...] = (
    bootstrapped(
        "aurc",
        "area under risk–coverage (AURC)",
        _aurc_of,
        on=lambda outcomes: sum(map(claims, outcomes)),
        better="lower",
    ),
)
