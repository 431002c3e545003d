"""How good a label's scores are: weighted metrics, and their uncertainty over groups of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Metric = Callable[[Ints, Reals, Reals], float]
"""A metric of answers (0 or 1), scores and weights; NaN where there is nothing to measure."""


_RESAMPLES = 200


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def auc_score(y: Ints, score: Reals, weight: Reals) -> float:
    """Chance that a positive row scores above a negative one; ties count half.

    >>> auc_score(np.array([0, 1]), np.array([0.2, 0.9]), np.ones(2))
    1.0
    """
    order = np.argsort(score, kind="stable")
    y, score, weight = y[order], score[order], weight[order]
    positive, negative = weight * (y == 1), weight * (y == 0)
    total = positive.sum() * negative.sum()
    if total == 0:
        return float("nan")
    _, start = np.unique(score, return_index=True)
    tied_positive = np.add.reduceat(positive, start)
    tied_negative = np.add.reduceat(negative, start)
    below = np.cumsum(tied_negative) - tied_negative
    return float((tied_positive * (below + tied_negative / 2)).sum() / total)


def average_precision_score(y: Ints, score: Reals, weight: Reals) -> float:
    """Area under precision over recall, by steps.

    >>> average_precision_score(np.array([0, 1, 1]), np.array([0.1, 0.8, 0.9]), np.ones(3))
    1.0
    """
    order = np.argsort(-score, kind="stable")
    y, score, weight = y[order], score[order], weight[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    hits = np.cumsum(weight * (y == 1))[last]
    flagged = np.cumsum(weight)[last]
    if hits[-1] == 0:
        return float("nan")
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def f1_score_at(line: float) -> Metric:
    """Return the F1 of flagging every score above `line`."""

    def measure(y: Ints, score: Reals, weight: Reals) -> float:
        flagged = score > line
        hit = weight[flagged & (y == 1)].sum()
        total = weight[flagged].sum() + weight[y == 1].sum()
        return float(2 * hit / total) if total > 0 else float("nan")

    return measure


def recall_score_at(line: float) -> Metric:
    """Return the share of positive rows above `line`; higher is better."""

    def measure(y: Ints, score: Reals, weight: Reals) -> float:
        return _share(score > line, weight * (y == 1))

    return measure


def false_positive_rate_at(line: float) -> Metric:
    """Return the share of negative rows above `line`; lower is better."""

    def measure(y: Ints, score: Reals, weight: Reals) -> float:
        return _share(score > line, weight * (y == 0))

    return measure


def calibration_error(y: Ints, score: Reals, weight: Reals, *, bins: int = 15) -> float:
    """Mean distance of probability and frequency over bins of equal weight; lower is better.

    The expected calibration error of Naeini et al. 2015 with equal-mass bins.
    """
    order = np.argsort(score, kind="stable")
    y, score, weight = y[order], score[order], weight[order]
    total = weight.sum()
    if total == 0:
        return float("nan")
    place = np.minimum((np.cumsum(weight) - weight / 2) / total * bins, bins - 1).astype(np.int64)
    said = np.bincount(place, weight * score, bins)
    true = np.bincount(place, weight * (y == 1), bins)
    return float(np.abs(said - true).sum() / total)


def estimate(
    metric: Metric,
    y: Ints,
    score: Reals,
    *,
    group: Ints,
    weight: Reals | None = None,
) -> Estimate:
    """Return `metric` with a 95 % interval by resampling whole groups (cluster bootstrap).

    Rows of one group are near-copies; resampling them one by one would claim a certainty that
    they do not give.
    """
    weight = np.ones(len(y)) if weight is None else weight
    value = metric(y, score, weight)
    numbers, place = np.unique(group, return_inverse=True)
    chance = np.random.default_rng(0)
    drawn = []
    for _ in range(_RESAMPLES):
        times = np.bincount(chance.integers(0, len(numbers), len(numbers)), minlength=len(numbers))
        drawn.append(metric(y, score, weight * times[place]))
    seen = np.asarray(drawn)[~np.isnan(drawn)]
    if not len(seen):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(seen, [0.025, 0.975]).tolist()
    return Estimate(value, low, high)


def weighted_quantile(score: Reals, weight: Reals, share: float) -> float:
    """Return the score below or at which `share` of the weight lies.

    >>> weighted_quantile(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4), 0.75)
    3.0
    """
    order = np.argsort(score, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    place = min(int(np.searchsorted(reached, share - 1e-12)), len(score) - 1)
    return float(score[order][place])


def _share(flagged: npt.NDArray[np.bool_], weight: Reals) -> float:
    total = weight.sum()
    return float(weight[flagged].sum() / total) if total > 0 else float("nan")
