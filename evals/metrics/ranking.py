"""Would a queue sorted by this reviewer put the violations first?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evals.intervals import Statistic, Weights
from evals.metrics.metric import Metric, bootstrapped
from evals.outcome import Outcome, leaning

Labels = NDArray[np.bool_]
Scores = NDArray[np.float64]


def average_precision(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the precision–recall curve, by steps; higher is better.

    Equal scores are one step, and nothing is drawn between the steps, as in scikit-learn's
    `average_precision_score` (Davis and Goadrich 2006 say why not). NaN without a violation.

    >>> round(average_precision([False, False, True, True], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return average_precision_statistic(labels, scores)(np.ones(len(labels)))


def average_precision_statistic(labels: Sequence[bool], scores: Sequence[float]) -> Statistic:
    """Return the same of a weighted sample; sorting is done once."""
    order, ends, positive = _ranked(labels, scores)

    def statistic(weights: Weights) -> float:
        drawn = weights[order]
        found = np.cumsum(drawn * positive)
        called = np.cumsum(drawn)
        if not found.size or found[-1] == 0.0:
            return math.nan
        found, called = found[ends], called[ends]
        gained = np.diff(found, prepend=0.0)
        precise = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
        return float(np.sum(gained * precise) / found[-1])

    return statistic


def roc_auc(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """Chance that a random violation scores above a random other case; higher is better.

    Equal scores count half (Hanley and McNeil 1982). NaN where one side has no case.

    >>> roc_auc([False, False, True, True], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return roc_auc_statistic(labels, scores)(np.ones(len(labels)))


def roc_auc_statistic(labels: Sequence[bool], scores: Sequence[float]) -> Statistic:
    """Return the same of a weighted sample."""
    order, ends, positive = _ranked(labels, scores)

    def statistic(weights: Weights) -> float:
        drawn = weights[order]
        hits = np.cumsum(drawn * positive)[ends]
        falls = np.cumsum(drawn * (1.0 - positive))[ends]
        if not hits.size or hits[-1] == 0.0 or falls[-1] == 0.0:
            return math.nan
        widths = np.diff(falls, prepend=0.0)
        heights = hits - np.diff(hits, prepend=0.0) / 2
        return float(np.sum(widths * heights) / (hits[-1] * falls[-1]))

    return statistic


def _ranked(
    labels: Sequence[bool], scores: Sequence[float]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Scores]:
    """The order from the highest score down, where each run of equal scores ends, the labels."""
    told = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-told, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(told[order])), len(order) - 1)
    return order, ends[ends >= 0], np.asarray(labels, dtype=np.float64)[order]


def _auprc(outcomes: Sequence[Outcome]) -> Statistic:
    return average_precision_statistic(
        [o.expected == "violating" for o in outcomes], [leaning(o) for o in outcomes]
    )


def _auroc(outcomes: Sequence[Outcome]) -> Statistic:
    return roc_auc_statistic(
        [o.expected == "violating" for o in outcomes], [leaning(o) for o in outcomes]
    )


RANKING: tuple[Metric, ...] = (
    bootstrapped("auprc", "area under precision–recall (AUPRC)", _auprc, on=len, better="higher"),
    bootstrapped("auroc", "area under ROC (AUROC)", _auroc, on=len, better="higher"),
)
"""Over `evals.outcome.leaning`."""
