"""Every metric there is, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evals.estimate import NO_DATA, Estimate
from evals.metrics.calibration import CALIBRATION
from evals.metrics.coverage import COVERAGE
from evals.metrics.decisions import DECISIONS
from evals.metrics.hallucination import HALLUCINATION
from evals.metrics.macro import MACRO, NEED_BOTH_SIDES, is_one_sided
from evals.metrics.metric import Metric
from evals.metrics.ranking import RANKING
from evals.metrics.spending import SPENDING
from evals.metrics.tool_use import TOOL_USE
from evals.outcome import Outcome

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        *DECISIONS,
        *MACRO,
        *RANKING,
        *CALIBRATION,
        *COVERAGE,
        *HALLUCINATION,
        *TOOL_USE,
        *SPENDING,
    )
}
"""What is reported of a whole run, in this order."""

SLICED: Mapping[str, Metric] = {metric.name: metric for metric in DECISIONS}
"""What is reported of every slice."""


@dataclass(frozen=True)
class Metrics:
    """Every metric over all cases, and the decision metrics over every slice of them."""

    overall: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    """Slice name, then its value, then the metric: `slices["policy"]["hate"]["recall"]`."""


def measure(outcomes: Sequence[Outcome]) -> Metrics:
    """Return every metric over `outcomes`, and the decision metrics over each of their slices."""
    names = sorted({name for outcome in outcomes for name in outcome.slices})
    return Metrics(
        {name: metric(outcomes) for name, metric in METRICS.items()},
        {name: _by_slice(outcomes, name) for name in names},
    )


def _by_slice(outcomes: Iterable[Outcome], name: str) -> dict[str, dict[str, Estimate]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if name in outcome.slices:
            groups.setdefault(outcome.slices[name], []).append(outcome)
    return {value: _of_slice(groups[value]) for value in sorted(groups)}


def _of_slice(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """The metrics of one slice. Where nothing could be called wrongly, precision says nothing."""
    told = {metric.name: metric(outcomes) for metric in SLICED.values()}
    if is_one_sided(outcomes):
        told |= dict.fromkeys(NEED_BOTH_SIDES, NO_DATA)
    return told
