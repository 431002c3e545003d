"""Intervals: how far a figure may be from the truth, at 95 % unless another level is asked for.

Cases often come in families: twenty rewordings of one sentence, one sentence with twenty names in
it. They fail together, so they are fewer than they look. Every interval here takes the family of
each case into account, in the way of E. Miller, "Adding Error Bars to Evals" (2024,
arXiv 2411.00640), section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evals.distributions import Z95, beta_quantile, binomial_cdf, normal_quantile, student_quantile
from evals.estimate import NO_DATA, Estimate

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], float]
"""A figure of a sample in which each case counts as often as its weight says."""

RESAMPLES = 1000
SEED = 7
_LEAST_FAMILIES = 2


def share(hits: float, n: float) -> Estimate:
    """Return `hits` out of `n` as an estimate with Wilson's score interval.

    It stays honest for small sets and for rates near 0 and 1 (Wilson 1927, "Probable inference,
    the law of succession, and statistical inference").

    >>> share(8, 10)
    Estimate(value=0.8, low=0.4901624715366418, high=0.9433178485456248, n=10)
    >>> share(0, 0)
    Estimate(value=nan, low=nan, high=nan, n=0)
    """
    if n == 0:
        return NO_DATA
    low, high = wilson(hits / n, n)
    return Estimate(hits / n, low, high, int(n))


def wilson(value: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share `value` of `n` cases; `n` need not be whole."""
    z = Z95 if confidence == 0.95 else normal_quantile((1 + confidence) / 2)  # noqa: PLR2004
    scale = 1 + z**2 / n
    middle = (value + z**2 / (2 * n)) / scale
    reach = z / scale * math.sqrt(value * (1 - value) / n + z**2 / (4 * n**2))
    low = 0.0 if value == 0.0 else max(0.0, middle - reach)
    high = 1.0 if value == 1.0 else min(1.0, middle + reach)
    return low, high


def clopper_pearson(hits: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share: never below its stated confidence (1934).

    >>> tuple(round(x, 4) for x in clopper_pearson(0, 10))
    (0.0, 0.3085)
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else beta_quantile(tail, hits, n - hits + 1)
    high = 1.0 if hits == n else beta_quantile(1 - tail, hits + 1, n - hits)
    return low, high


def clustered_share(hits: Sequence[int], of: Sequence[int], clusters: Sequence[str]) -> Estimate:
    """Return the share of all hits in all tries, with an interval that respects families.

    Wilson's interval with the *effective* number of cases: as many independent ones as would give
    the variance that the families show (Miller 2024, equation 4; Korn and Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data", section 2, also for the correction by Student's t). Where every case is a
    family of its own this is Wilson's interval.

    Args:
        hits: Hits of each case.
        of: Tries of each case; most often 1, or 0 where the case says nothing.
        clusters: The family of each case.

    >>> clustered_share([1, 1, 0, 0], [1, 1, 1, 1], ["a", "b", "c", "d"]) == share(2, 4)
    True
    >>> twins = clustered_share([1, 1, 0, 0], [1, 1, 1, 1], ["a", "a", "b", "b"])
    >>> twins.high - twins.low > share(2, 4).high - share(2, 4).low
    True
    """
    counted = [(h, n, family) for h, n, family in zip(hits, of, clusters, strict=True) if n]
    total, tries = sum(h for h, _, _ in counted), sum(n for _, n, _ in counted)
    if tries == 0:
        return NO_DATA
    low, high = wilson(total / tries, effective_cases(counted))
    return Estimate(total / tries, low, high, tries)


def effective_cases(counted: Sequence[tuple[int, int, str]]) -> float:
    """Return as how many independent tries these (hits, tries, family) count; never more."""
    sums: dict[str, tuple[int, int]] = {}
    for hits, tries, family in counted:
        before = sums.get(family, (0, 0))
        sums[family] = (before[0] + hits, before[1] + tries)
    tries = sum(n for _, n in sums.values())
    if len(sums) == tries:
        return float(tries)
    value = sum(h for h, _ in sums.values()) / tries
    families = len(sums)
    if value in (0.0, 1.0) or families < _LEAST_FAMILIES:
        # All alike: nothing tells the cases of a family apart, so a family counts once.
        return float(families)
    spread = sum((h - value * n) ** 2 for h, n in sums.values()) * families / (families - 1)
    effective = value * (1 - value) * tries**2 / spread if spread else float(tries)
    effective *= (Z95 / student_quantile(0.975, families - 1)) ** 2
    return min(float(tries), max(1.0, effective))


def resamples(clusters: Sequence[str], *, draws: int, seed: int) -> Iterator[Weights]:
    """Yield how often each case was drawn, when whole families are drawn with replacement."""
    _, number = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    count = int(number.max()) + 1
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        yield drawn[number].astype(np.float64)


def bootstrap(
    statistic: Statistic,
    clusters: Sequence[str],
    *,
    n: int,
    draws: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate:
    """Return a statistic of the whole sample with its bootstrap interval.

    Families are drawn with replacement, and the percentiles are corrected for bias (Efron 1987,
    "Better bootstrap confidence intervals", the BC interval). A resample in which the statistic
    has no data is left out.

    Args:
        statistic: Takes the weight of each case; NaN where there is no data.
        clusters: The family of each case.
        n: On how many cases the statistic rests.
        draws: How many resamples.
        seed: The same seed, the same interval.
    """
    if n == 0 or not clusters:
        return NO_DATA
    value = statistic(np.ones(len(clusters)))
    if math.isnan(value):
        return NO_DATA
    drawn = np.array([statistic(w) for w in resamples(clusters, draws=draws, seed=seed)])
    low, high = bias_corrected(drawn[np.isfinite(drawn)], value)
    return Estimate(value, min(low, value), max(high, value), n)


def bias_corrected(
    drawn: NDArray[np.float64], value: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the bias-corrected percentile interval of a bootstrap distribution."""
    if drawn.size == 0:
        return math.nan, math.nan
    below = (np.sum(drawn < value) + 0.5 * np.sum(drawn == value)) / drawn.size
    shift = normal_quantile(float(np.clip(below, 0.5 / drawn.size, 1 - 0.5 / drawn.size)))
    z = normal_quantile((1 + confidence) / 2)
    points = [_normal_cdf(2 * shift - z), _normal_cdf(2 * shift + z)]
    low, high = np.quantile(drawn, points)
    return float(low), float(high)


def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def quantile_interval(values: Sequence[float], p: float) -> Estimate:
    """Return a quantile with its distribution-free interval from order statistics.

    The number of values below the true quantile is binomial, whatever the distribution (David and
    Nagaraja 2003, "Order Statistics", section 7.1). Too few values reach to the extremes.

    >>> quantile_interval([3.0, 1.0, 2.0], 0.5).value
    2.0
    """
    if not values:
        return NO_DATA
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    low = _first(n, lambda k: binomial_cdf(k, n, p) > 0.025)  # noqa: PLR2004
    high = _first(n, lambda k: binomial_cdf(k, n, p) >= 0.975)  # noqa: PLR2004
    value = float(np.quantile(ordered, p))
    below, above = float(ordered[max(0, low - 1)]), float(ordered[min(n - 1, high)])
    return Estimate(value, min(below, value), max(above, value), n)


def _first(n: int, holds: Callable[[int], bool]) -> int:
    """The first number from 0 to n for which a condition that stays true becomes true."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
