"""The few distribution functions that intervals and tests need, from the standard library alone.

Each agrees with scipy to 1e-9 (tests), which is therefore needed by the tests only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: 95 % lie within it on both sides."""

_TINY = 1e-300
_SURELY_BELOW = 0.1
"""All of Kolmogorov's distribution lies above this, to 1e-50."""
_EPSILON = 1e-16
_MOST_TERMS = 100_000
_HALVINGS = 200


def normal_quantile(p: float) -> float:
    """Return the point below which a share `p` of the normal distribution lies."""
    return NormalDist().inv_cdf(p)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    By Lentz's method on its continued fraction (Press et al., Numerical Recipes, section 6.4).

    >>> round(beta_cdf(0.5, 2, 3), 4)
    0.6875
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1.0 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            total *= c * d
        if abs(c * d - 1.0) < _EPSILON * 10:
            break
    return total


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return the x with I_x(a, b) = p.

    >>> round(beta_quantile(0.5, 2, 2), 9)
    0.5
    """
    return _bisect(lambda x: beta_cdf(x, a, b), p, 0.0, 1.0)


@lru_cache(maxsize=1024)
def student_quantile(p: float, freedom: float) -> float:
    """Return the point below which a share `p` > .5 of Student's t distribution lies.

    >>> round(student_quantile(0.975, 10), 3)
    2.228
    """
    x = beta_quantile(2.0 * (1.0 - p), freedom / 2.0, 0.5)
    return math.sqrt(freedom * (1.0 - x) / x)


def chi_square_tail(x: float, freedom: int) -> float:
    """Return the share of the chi-square distribution above `x`.

    >>> round(chi_square_tail(3.841, 1), 3)
    0.05
    """
    if x < _TINY:
        return 1.0
    return _gamma_tail(freedom / 2.0, x / 2.0)


def _gamma_tail(s: float, x: float) -> float:
    """The regularised upper incomplete gamma function (Numerical Recipes, section 6.2)."""
    front = math.exp(s * math.log(x) - x - math.lgamma(s))
    if x < s + 1.0:
        term = total = 1.0 / s
        n = s
        while abs(term) > abs(total) * _EPSILON:
            n += 1.0
            term *= x / n
            total += term
        return 1.0 - front * total
    b = x + 1.0 - s
    c, d = 1.0 / _TINY, 1.0 / b
    total = d
    for i in range(1, _MOST_TERMS):
        b += 2.0
        term = -i * (i - s)
        d = 1.0 / _away_from_zero(term * d + b)
        c = _away_from_zero(b + term / c)
        total *= c * d
        if abs(c * d - 1.0) < _EPSILON * 10:
            break
    return front * total


def kolmogorov_tail(x: float) -> float:
    """Return the share of Kolmogorov's distribution above `x` (Kolmogorov 1933).

    >>> round(kolmogorov_tail(1.358), 3)
    0.05
    """
    if x < _SURELY_BELOW:
        return 1.0
    if x < 1.0:  # Jacobi's form converges fast where the usual series does not.
        front = math.sqrt(2.0 * math.pi) / x
        powers = (math.exp(-(((2 * k - 1) * math.pi / x) ** 2) / 8.0) for k in range(1, 20))
        return 1.0 - front * sum(powers)
    return 2.0 * sum((-1.0) ** (k - 1) * math.exp(-2.0 * (k * x) ** 2) for k in range(1, 20))


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return the chance of at most `k` hits in `n` tries.

    >>> binomial_cdf(1, 2, 0.5)
    0.75
    """
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_cdf(1.0 - p, n - k, k + 1)


def _bisect(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2.0
