"""A figure with its uncertainty: what every metric of this package returns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, and the number of cases it was computed from.

    Where there is no data all three are NaN, which JSON has as null: a set without violations says
    nothing about missed violations, and zero would be a lie.
    """

    value: float
    low: float
    high: float
    n: int


NO_DATA = Estimate(math.nan, math.nan, math.nan, 0)
"""Nothing is known, and it shows."""


def estimate_data(estimate: Estimate) -> dict[str, float | int | None]:
    """Return an estimate as JSON has it; a number that is none is null.

    >>> estimate_data(NO_DATA)
    {'value': None, 'low': None, 'high': None, 'n': 0}
    """
    return {
        "value": finite(estimate.value),
        "low": finite(estimate.low),
        "high": finite(estimate.high),
        "n": estimate.n,
    }


def estimate_from(data: Mapping[str, float | int | None]) -> Estimate:
    """Return the estimate that `estimate_data` wrote.

    >>> estimate_from({"value": 0.5, "low": 0.1, "high": 0.9, "n": 4})
    Estimate(value=0.5, low=0.1, high=0.9, n=4)
    """
    value, low, high = (
        math.nan if data[name] is None else float(data[name] or 0.0)
        for name in ("value", "low", "high")
    )
    return Estimate(value, low, high, int(data["n"] or 0))


def finite(number: float) -> float | None:
    """Return the number, or None where it is none."""
    return number if math.isfinite(number) else None
