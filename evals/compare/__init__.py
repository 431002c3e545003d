"""Two runs on the same cases: what changed, and whether that is more than chance.

pairing.py      cases side by side, and flips      change.py   metrics, tests, sensitivity
comparison.py   all of it at once                  told.py     for a terminal
"""

from __future__ import annotations

from evals.compare.change import Change, PolicyChange, Sensitivity, changes, sensitivity
from evals.compare.comparison import Comparison, compare, comparison_data
from evals.compare.pairing import Flip, Pair, flips, paired

__all__ = [
    "Change",
    "Comparison",
    "Flip",
    "Pair",
    "PolicyChange",
    "Sensitivity",
    "changes",
    "compare",
    "comparison_data",
    "flips",
    "paired",
    "sensitivity",
]
