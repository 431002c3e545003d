"""What people do today instead: thresholds on a calibrated score, tuned on validation data.

None of these says how sure it is. They stand here to be measured beside `evals.risk.lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from evals.confidence import fit_line

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Way = Callable[[Floats, Flags, float], float]
"""From logits, what was wrong and the limit to the lowest logit that is closed; may be infinite."""

NOTHING = float("inf")


def platt(logits: Floats, wrong: Flags, limit: float) -> float:
    """Close what is wrong with a chance of at most `limit`, by Platt's line on the logit (1999)."""
    line = fit_line(logits, (~wrong).astype(float))
    if line.slope <= 0.0:
        return NOTHING
    return float((np.log((1 - limit) / limit) - line.offset) / line.slope)


def isotonic(logits: Floats, wrong: Flags, limit: float) -> float:
    """Do the same by a monotone curve: pool adjacent violators (Zadrozny and Elkan 2002)."""
    order = np.argsort(-logits, kind="stable")
    level: list[tuple[float, int]] = []
    for mistake in wrong[order].astype(float):
        rate, n = float(mistake), 1
        while level and level[-1][0] >= rate:
            before, m = level.pop()
            rate, n = (before * m + rate * n) / (m + n), m + n
        level.append((rate, n))
    closed = sum(n for rate, n in level if rate <= limit)
    return float(logits[order][closed - 1]) if closed else NOTHING


def tuned(logits: Floats, wrong: Flags, limit: float) -> float:
    """Close as much as keeps the limit on the validation data themselves."""
    order = np.argsort(-logits, kind="stable")
    rates = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(rates <= limit)
    return float(logits[order][kept[-1]]) if kept.size else NOTHING


def tuned_to_half(logits: Floats, wrong: Flags, limit: float) -> float:
    """Do the same with a margin for safety: half of the limit."""
    return tuned(logits, wrong, limit / 2)


WAYS: Mapping[str, Way] = {
    "calibrated (Platt), line at the limit": platt,
    "calibrated (isotonic), line at the limit": isotonic,
    "tuned to the limit": tuned,
    "tuned to half the limit": tuned_to_half,
}
