"""The metrics of a run as Markdown, for a README that says how good it is in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evals.metrics import METRICS, Estimate, Metrics

_OVERALL = (
    "decided_right_rate",
    "right_section_rate",
    "wrong_removal_rate",
    "missed_violation_rate",
    "abstention_rate",
    "precision",
    "recall",
    "f1_score",
)
_BY_POLICY = {
    "decided_right_rate": "decided right",
    "wrong_removal_rate": "wrongly removed",
    "missed_violation_rate": "wrongly allowed",
    "abstention_rate": "left to a person",
}
_NO_DATA = "–"


def table(metrics: Metrics, *, by: str = "policy") -> str:
    """Return two Markdown tables: every metric overall, and the main ones by one slice.

    Each figure is `value [low, high]` with its 95 % interval and the number of cases it rests on.
    The second table is left out where no case has the slice `by`.
    """
    overall = [
        [METRICS[name].label, shown_estimate(metrics.overall[name]), str(metrics.overall[name].n)]
        for name in _OVERALL
    ]
    tables = [_markdown(["", "value [95 % interval]", "cases"], overall)]
    if groups := metrics.slices.get(by):
        rows = [[value, *_cells(estimates)] for value, estimates in groups.items()]
        tables.append(_markdown([by, *_BY_POLICY.values()], rows))
    return "\n".join(tables)


def shown_estimate(estimate: Estimate) -> str:
    """Return an estimate as `value [low, high]`, or a dash where there is no data.

    >>> shown_estimate(Estimate(0.8, 0.4902, 0.9433, 10))
    '.80 [.49, .94]'
    """
    if math.isnan(estimate.value):
        return _NO_DATA
    value, low, high = map(_shown, (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _cells(estimates: Mapping[str, Estimate]) -> list[str]:
    return [
        f"{shown_estimate(estimates[name])} {estimates[name].n}" if estimates[name].n else _NO_DATA
        for name in _BY_POLICY
    ]


def _shown(number: float) -> str:
    return f"{number:.2f}".removeprefix("0")


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
