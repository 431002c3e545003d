"""Is the reviewer as often right as it says it is?

Asked of decided cases only: the confidence of a verdict is the chance that its decision is right;
an abstention claims nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.estimate import NO_DATA, Estimate
from evals.intervals import Statistic, Weights, wilson
from evals.metrics.calibration_interval import calibration_interval
from evals.metrics.metric import Metric, bootstrapped
from evals.outcome import Outcome, clusters_of

BINS = 15


@dataclass(frozen=True)
class Bin:
    """Cases of like confidence: how sure the reviewer was, and how often it was right."""

    confidence: float
    right: float
    low: float
    high: float
    n: int


def brier_score(right: Sequence[bool], confidence: Sequence[float]) -> float:
    """Mean squared distance of the confidence from 1 (right) or 0 (wrong); lower is better.

    Brier 1950, "Verification of forecasts expressed in terms of probability"; NaN without cases.

    >>> brier_score([True, False], [1.0, 0.5])
    0.125
    """
    return _brier_statistic(right, confidence)(np.ones(len(right)))


def _brier_statistic(right: Sequence[bool], confidence: Sequence[float]) -> Statistic:
    errors = (np.asarray(confidence, dtype=np.float64) - np.asarray(right, dtype=np.float64)) ** 2

    def statistic(weights: Weights) -> float:
        total = float(weights.sum())
        return float(weights @ errors) / total if total else math.nan

    return statistic


def expected_calibration_error(
    right: Sequence[bool], confidence: Sequence[float], *, bins: int = BINS
) -> float:
    """Mean distance between confidence and share right over bins of equal mass; lower is better.

    Equal-mass bins are the less biased choice (Nixon et al. 2019, "Measuring calibration in deep
    learning"; Roelofs et al. 2022). Equal confidences are never parted, so few distinct values
    make few bins. It is biased upwards in small sets; NaN without cases.

    >>> round(expected_calibration_error([True, False], [0.9, 0.2], bins=2), 3)
    0.15
    """
    return _ece_statistic(right, confidence, bins)(np.ones(len(right)))


def _ece_statistic(right: Sequence[bool], confidence: Sequence[float], bins: int) -> Statistic:
    order, starts = _equal_mass(confidence, bins)
    gap = (np.asarray(confidence, dtype=np.float64) - np.asarray(right, dtype=np.float64))[order]

    def statistic(weights: Weights) -> float:
        total = float(weights.sum())
        if not total:
            return math.nan
        return float(np.abs(np.add.reduceat(weights[order] * gap, starts)).sum()) / total

    return statistic


def _equal_mass(
    confidence: Sequence[float], bins: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order by confidence, and where each bin starts in it."""
    told = np.asarray(confidence, dtype=np.float64)
    order = np.argsort(told, kind="stable")
    ordered = told[order]
    cuts = (len(told) * np.arange(bins)) // bins
    # A cut that would part equal confidences moves to where they begin.
    starts = np.searchsorted(ordered, ordered[cuts], side="left") if len(told) else cuts
    return order, np.unique(starts)


def reliability(
    right: Sequence[bool], confidence: Sequence[float], *, bins: int = BINS
) -> list[Bin]:
    """Return the points of a reliability diagram, each with the Wilson interval of its share.

    >>> [(b.confidence, b.right, b.n) for b in reliability([True, False], [0.9, 0.9])]
    [(0.9, 0.5, 2)]
    """
    if not len(right):
        return []
    order, starts = _equal_mass(confidence, bins)
    told = np.asarray(confidence, dtype=np.float64)[order]
    hits = np.asarray(right, dtype=np.float64)[order]
    ends = [*starts[1:].tolist(), len(order)]
    found = []
    for start, end in zip(starts.tolist(), ends, strict=True):
        share = float(hits[start:end].mean())
        low, high = wilson(share, end - start)
        found.append(Bin(float(told[start:end].mean()), share, low, high, end - start))
    return found


def decided(outcomes: Sequence[Outcome]) -> tuple[list[bool], list[float]]:
    """Return whether each decided case was decided right, and with what confidence."""
    told = [o for o in outcomes if claims(o)]
    return [o.decided == o.expected for o in told], [o.confidence for o in told]


def claims(outcome: Outcome) -> bool:
    """Whether the verdict claims to be right with some confidence."""
    return outcome.decided != "abstain" and not math.isnan(outcome.confidence)


def calibration_error(outcomes: Sequence[Outcome]) -> Estimate:
    """Calibration error of the decided cases; lower is better. See `expected_calibration_error`.

    >>> sure = [Outcome("allowed", "allowed", confidence=0.9)] * 9
    >>> sure += [Outcome("violating", "allowed", confidence=0.9)]
    >>> round(calibration_error(sure).value, 9)
    0.0
    """
    right, confidence = decided(outcomes)
    if not right:
        return NO_DATA
    value = expected_calibration_error(right, confidence)
    order, starts = _equal_mass(confidence, BINS)
    named = [c for c, o in zip(clusters_of(outcomes), outcomes, strict=True) if claims(o)]
    low, high = calibration_interval(
        np.asarray(right, dtype=np.float64)[order],
        np.asarray(confidence, dtype=np.float64)[order],
        [named[at] for at in order.tolist()],
        starts,
    )
    return Estimate(value, min(low, value), max(high, value), len(right))


def _of_decided(outcomes: Sequence[Outcome]) -> int:
    return sum(map(claims, outcomes))


def _only_decided(outcomes: Sequence[Outcome], statistic: Statistic) -> Statistic:
    """Let a statistic of the decided cases take the weights of all."""
    mask = np.array([claims(o) for o in outcomes], dtype=bool)
    return lambda weights: statistic(weights[mask])


CALIBRATION: tuple[Metric, ...] = (
    Metric(
        "calibration_error",
        "calibration error of decided cases (ECE, 15 bins)",
        calibration_error,
        lambda o: _only_decided(o, _ece_statistic(*decided(o), BINS)),
        "lower",
    ),
    bootstrapped(
        "brier_score",
        "Brier score of decided cases",
        lambda o: _only_decided(o, _brier_statistic(*decided(o))),
        on=_of_decided,
        better="lower",
    ),
)
