"""Could it be chance? The few tests that comparisons need, each exact where that is possible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.distributions import binomial_cdf, chi_square_tail, kolmogorov_tail, normal_quantile
from evals.intervals import wilson

_SAME = 1e-7
"""Chances this close are equal: rounding must not decide which tables are as rare as ours."""

_COUNTABLE = 1000
"""Up to so many coins are counted one by one."""


@dataclass(frozen=True)
class Significance:
    """A test statistic and the chance of one as large when there is no difference."""

    statistic: float
    p: float


def mcnemar(only_old: int, only_new: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947) on paired decisions.

    Only cases on which the two differ say anything; each is a fair coin if there is no difference.

    Args:
        only_old: Cases that only the old one got right.
        only_new: Cases that only the new one got right.

    >>> mcnemar(1, 8)
    0.0390625
    >>> mcnemar(0, 0)
    1.0
    """
    flips = only_old + only_new
    if flips == 0:
        return 1.0
    fewer = min(only_old, only_new)
    if flips <= _COUNTABLE:
        tail = float(sum(math.comb(flips, k) for k in range(fewer + 1)) / 2**flips)
    else:
        tail = binomial_cdf(fewer, flips, 0.5)
    return min(1.0, 2.0 * tail)


def fisher(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """Return the exact two-sided p that two shares differ (Fisher 1935).

    As scipy's `fisher_exact`: the chance of every table that is no more likely than ours.

    >>> round(fisher(8, 10, 1, 6), 4)
    0.035
    """
    total, successes = of + other_of, hits + other_hits
    lowest, highest = max(0, successes - other_of), min(of, successes)
    chances = np.array(
        [
            _log_choose(of, k) + _log_choose(other_of, successes - k)
            for k in range(lowest, highest + 1)
        ]
    )
    chances = np.exp(chances - _log_choose(total, successes))
    ours = chances[hits - lowest]
    return float(min(1.0, chances[chances <= ours * (1 + _SAME)].sum()))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return p values corrected for how many they are (Holm 1979); NaN stays NaN.

    Keeps the chance of even one false alarm among all of them below the level.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    known = sorted((value, name) for name, value in p.items() if not math.isnan(value))
    adjusted, highest = dict(p), 0.0
    for rank, (value, name) in enumerate(known):
        highest = max(highest, min(1.0, value * (len(known) - rank)))
        adjusted[name] = highest
    return adjusted


def difference_interval(
    value: float, n: float, other: float, other_n: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a share less another share, of two separate groups.

    Newcombe's hybrid score interval (1998, "Interval estimation for the difference between
    independent proportions", method 10): built of Wilson's intervals, never beyond ±1. The numbers
    of cases may be effective ones.

    >>> [round(x, 4) for x in difference_interval(56 / 70, 70, 48 / 80, 80)]
    [0.0524, 0.3339]
    """
    low, high = wilson(value, n, confidence=confidence)
    other_low, other_high = wilson(other, other_n, confidence=confidence)
    gap = value - other
    below = math.hypot(value - low, other_high - other)
    above = math.hypot(high - value, other - other_low)
    return gap - below, gap + above


def kolmogorov_smirnov(sample: Sequence[float], other: Sequence[float]) -> Significance:
    """Return whether two samples of scores come from one distribution (Smirnov 1948).

    The p is the asymptotic one; with fewer than some 20 values it is rough.

    >>> kolmogorov_smirnov([1.0, 2.0], [3.0, 4.0]).statistic
    1.0
    """
    a, b = np.sort(np.asarray(sample, float)), np.sort(np.asarray(other, float))
    if not a.size or not b.size:
        return Significance(math.nan, math.nan)
    places = np.concatenate([a, b])
    apart = np.searchsorted(a, places, "right") / a.size
    apart = apart - np.searchsorted(b, places, "right") / b.size
    distance = float(np.abs(apart).max())
    scale = math.sqrt(a.size * b.size / (a.size + b.size))
    return Significance(distance, min(1.0, kolmogorov_tail(scale * distance)))


def chi_square(counts: Mapping[str, int], other: Mapping[str, int]) -> Significance:
    """Return whether two tables of counts have the same shares (Pearson 1900).

    >>> round(chi_square({"a": 10, "b": 20}, {"a": 20, "b": 10}).statistic, 3)
    6.667
    """
    names = [n for n in sorted(counts.keys() | other.keys()) if counts.get(n) or other.get(n)]
    table = np.array([[side.get(name, 0) for name in names] for side in (counts, other)], float)
    totals = table.sum(axis=1)
    if len(names) < 2 or not totals.all():  # noqa: PLR2004 - one kind cannot shift
        return Significance(math.nan, math.nan)
    expected = np.outer(totals, table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return Significance(statistic, chi_square_tail(statistic, len(names) - 1))


def both_errors(level: float = 0.05, power: float = 0.8) -> float:
    """Return how many standard errors a difference needs, to be found with this power.

    >>> round(both_errors(), 4)
    2.8016
    """
    return normal_quantile(1 - level / 2) + normal_quantile(power)
