"""What a run tells beside its metrics: confusions, the reliability diagram, the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from evals.metrics.calibration import decided, reliability
from evals.metrics.coverage import risk_coverage
from evals.metrics.decisions import confusion, severity_confusion
from evals.outcome import Outcome

MOST_POINTS = 200
"""A curve with more points than this says nothing more to the eye."""


def details(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return them as JSON data."""
    curve = risk_coverage(outcomes)
    step = max(1, len(curve) // MOST_POINTS)
    thinned = [*curve[:-1:step], *curve[-1:]]
    return {
        "confusion": confusion(outcomes),
        "severity_confusion": severity_confusion(outcomes),
        "reliability": [asdict(one) for one in reliability(*decided(outcomes))],
        "risk_coverage": [asdict(point) for point in thinned],
        "usage": _totals(outcomes),
    }


def _totals(outcomes: Sequence[Outcome]) -> dict[str, float]:
    bills = [outcome.usage for outcome in outcomes if outcome.usage is not None]
    return {
        "model_calls": sum(bill.model_calls for bill in bills),
        "input_tokens": sum(bill.input_tokens for bill in bills),
        "output_tokens": sum(bill.output_tokens for bill in bills),
        "cost_usd": sum(bill.cost_usd for bill in bills),
        "seconds": sum(bill.seconds for bill in bills),
    }
