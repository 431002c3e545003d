"""Figures and tables as they stand in a card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from training.classifier.metrics import Estimate


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    ruled = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in ruled)


def shown(found: Estimate) -> str:
    """Write a figure with its 95 % interval, or a dash where there is none."""
    if np.isnan(found.value):
        return "–"
    return f"{decimal(found.value)} [{decimal(found.low)}, {decimal(found.high)}]"


def decimal(value: float) -> str:
    """Write a share in three decimals without the leading zero.

    >>> decimal(0.9041), decimal(1.0)
    ('.904', '1.000')
    """
    text = f"{value:.3f}"
    return text.removeprefix("0") if 0 <= value < 1 else text
