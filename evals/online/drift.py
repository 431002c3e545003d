"""Is what comes in now still what was measured? Scores and topics, before and after a day."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from evals.online.decided import DecidedCase
from evals.significance import Significance, chi_square, kolmogorov_smirnov

BINS = 10
SOME_DRIFT = 0.1
MUCH_DRIFT = 0.25
"""The usual reading of the index: below .1 little, from .25 on much (Siddiqi 2006, "Credit Risk
Scorecards"). It grows with fewer cases, so the test beside it has the say."""
_LEVEL = 0.05


@dataclass(frozen=True)
class Shift:
    """How far something moved, and whether that could be chance."""

    psi: float
    test: Significance
    before: int
    after: int

    @property
    def told(self) -> str:
        """In a word."""
        if math.isnan(self.test.p):
            return "cannot be told"
        if self.test.p >= _LEVEL:
            return "no drift seen"
        if self.psi < SOME_DRIFT:
            return "real, but small"
        return "drift" if self.psi < MUCH_DRIFT else "strong drift"


@dataclass(frozen=True)
class Drift:
    """Since a day: the confidence of opinions, and what they are about."""

    since: date
    scores: Shift
    topics: Shift


def drift(cases: Sequence[DecidedCase], since: date) -> Drift:
    """Return what changed from `since` on, against everything before it."""
    before = [c.verdict for c in cases if c.verdict and c.day is not None and c.day < since]
    after = [c.verdict for c in cases if c.verdict and c.day is not None and c.day >= since]
    scores = [[v.confidence for v in side] for side in (before, after)]
    topics = [Counter(v.topic for v in side) for side in (before, after)]
    sizes = (len(before), len(after))
    return Drift(
        since,
        Shift(score_index(*scores), kolmogorov_smirnov(*scores), *sizes),
        Shift(stability_index(*topics), chi_square(*topics), *sizes),
    )


def stability_index(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Population stability index: how far two tables of counts lie apart; 0 is the same.

    The sum of (p − q) ln(p / q) over all kinds, each count with a half added, so that a kind that
    is new or gone does not make it infinite. NaN where a side is empty.

    >>> round(stability_index({"a": 50, "b": 50}, {"a": 50, "b": 50}), 3)
    0.0
    >>> round(stability_index({"a": 90, "b": 10}, {"a": 50, "b": 50}), 2)
    0.85
    """
    names = sorted(before.keys() | after.keys())
    if not sum(before.values()) or not sum(after.values()):
        return math.nan
    p, q = (_shares([side.get(name, 0) for name in names]) for side in (before, after))
    return float(np.sum((p - q) * np.log(p / q)))


def _shares(counts: Sequence[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    told = np.asarray(counts, dtype=np.float64) + 0.5
    shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = told / told.sum()
    return shares


def score_index(before: Sequence[float], after: Sequence[float], *, bins: int = BINS) -> float:
    """Return the stability index of scores, in bins that hold equal shares of those before.

    >>> score_index([], [0.5])
    nan
    """
    if not len(before) or not len(after):
        return math.nan
    inner = np.unique(np.quantile(np.asarray(before, float), np.arange(1, bins) / bins))
    counts = [
        Counter(np.searchsorted(inner, np.asarray(side, float), side="right").astype(str).tolist())
        for side in (before, after)
    ]
    return stability_index(*counts)
