"""How good is it: small pure functions over outcomes, each with its uncertainty.

Every metric is an `Estimate`: a value, its 95 % interval and the number of cases it rests on. No
data is NaN, never zero. One file a question:

    decisions.py      were the decisions right?            macro.py: the same, policy by policy
    ranking.py        would violations come first?         calibration.py: as sure as it is right?
    coverage.py       what does abstaining buy?            hallucination.py: are the grounds real?
    tool_use.py       does it ask what it needs?           spending.py: at what price?
"""

from __future__ import annotations

from evals.estimate import Estimate
from evals.intervals import share
from evals.metrics.decisions import (
    abstention_rate,
    decided_right_rate,
    f1_score,
    false_positive_rate,
    missed_violation_rate,
    precision,
    recall,
    right_section_rate,
    wrong_removal_rate,
)
from evals.metrics.measure import METRICS, Metrics, measure
from evals.outcome import Outcome

__all__ = [
    "METRICS",
    "Estimate",
    "Metrics",
    "Outcome",
    "abstention_rate",
    "decided_right_rate",
    "f1_score",
    "false_positive_rate",
    "measure",
    "missed_violation_rate",
    "precision",
    "recall",
    "right_section_rate",
    "share",
    "wrong_removal_rate",
]
