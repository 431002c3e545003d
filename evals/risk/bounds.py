"""What a count of mistakes proves about the rate behind it: exact, one-sided bounds."""

from __future__ import annotations

import math

from evals.distributions import binomial_cdf
from evals.intervals import clopper_pearson

_MOST_CASES = 1_000_000


def luck(mistakes: int, n: int, limit: float) -> float:
    """Return how likely so few mistakes are where the true rate is `limit`: a p-value.

    It is valid for every rate at or above the limit, because more mistakes only get likelier.

    >>> round(luck(0, 59, 0.05), 3)
    0.048
    >>> luck(0, 0, 0.05)
    1.0
    """
    return binomial_cdf(mistakes, n, limit) if n else 1.0


def most_likely_at_worst(mistakes: int, n: int, *, risk: float) -> float:
    """Return the upper bound on the rate that is wrong with a chance of at most `risk`.

    The upper end of Clopper and Pearson's interval (1934).

    >>> round(most_likely_at_worst(0, 59, risk=0.05), 3)
    0.05
    """
    return clopper_pearson(mistakes, n, confidence=1 - 2 * risk)[1] if n else 1.0


def least_cases(limit: float, risk: float) -> int:
    """Return how many cases without one mistake it takes to claim a rate below `limit`.

    >>> least_cases(0.05, 0.05)
    59
    """
    return math.ceil(math.log(risk) / math.log1p(-limit))


def cases_needed(rate: float, limit: float, risk: float) -> int | None:
    """Return how many cases the claim takes if mistakes go on at `rate`; None where none suffice.

    >>> cases_needed(0.0, 0.05, 0.05), cases_needed(0.02, 0.05, 0.05)
    (59, 208)
    >>> cases_needed(0.05, 0.05, 0.05) is None
    True
    """
    if rate >= limit:
        return None
    low, high = 1, least_cases(limit, risk)
    while luck(math.ceil(rate * high), high, limit) > risk:
        low, high = high, 2 * high
        if high > _MOST_CASES:
            return None
    while low < high:
        middle = (low + high) // 2
        enough = luck(math.ceil(rate * middle), middle, limit) <= risk
        low, high = (low, middle) if enough else (middle + 1, high)
    return high


def divergence(rate: float, limit: float) -> float:
    """Return the Kullback-Leibler divergence between two rates, in nats.

    What one look at a case is worth, on average, to somebody who wants to tell them apart.

    >>> round(divergence(0.2, 0.05), 3)
    0.14
    """
    parts = ((rate, limit), (1 - rate, 1 - limit))
    return sum(p * math.log(p / q) for p, q in parts if p > 0)
