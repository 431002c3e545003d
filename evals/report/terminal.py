"""A run as a person reads it in a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.masking import printable
from evals.estimate import Estimate
from evals.fairness.groups import FEWEST, GroupRates, group_rates
from evals.fairness.told import SLICES_OF_PEOPLE
from evals.metrics import METRICS, Metrics, Outcome
from evals.metrics.decisions import confusion
from evals.metrics.metric import Metric
from evals.run import Run
from evals.table import shown_estimate

_BY_SLICE = ("recall", "wrong_removal_rate", "missed_violation_rate", "abstention_rate")
_FEW_GROUPS = 2


def render_run(run: Run, metrics: Metrics, *, by: str) -> Group:
    """Return the figures of a run: all of it, by one slice, and who pays for the mistakes."""
    made = run.manifest
    head = f"{made.model}, {made.cases:,} cases, rulebook {made.rulebook[7:19]}, Amicus {made.code}"
    parts: list[RenderableType] = [Text(printable(head), style="bold"), _overall(metrics)]
    parts.append(_confusion(run.outcomes))
    if values := metrics.slices.get(by):
        parts.append(_by_slice(by, values.items()))
    parts += _fairness(run.outcomes)
    return Group(*parts)


def _overall(metrics: Metrics) -> Table:
    table = Table("", "value [95 %]", "n", box=None, pad_edge=False)
    for name, estimate in metrics.overall.items():
        if estimate.n:
            table.add_row(METRICS[name].label, shown(METRICS[name], estimate), f"{estimate.n:,}")
    silent = [METRICS[name].label for name, e in metrics.overall.items() if not e.n]
    if silent:
        table.caption = "no data: " + "; ".join(silent)
        table.caption_justify = "left"
    return table


def shown(metric: Metric, estimate: Estimate) -> str:
    """Return an estimate in its unit.

    >>> from evals.metrics import METRICS
    >>> shown(METRICS["input_tokens"], Estimate(1200.0, 1100.0, 1300.0, 9))
    '1,200 [1,100, 1,300]'
    """
    if metric.unit == "share" or math.isnan(estimate.value):
        return shown_estimate(estimate)
    digits = {"usd": 5, "seconds": 2, "count": 0 if estimate.value >= 10 else 2}[metric.unit]  # noqa: PLR2004
    value, low, high = (
        f"{number:,.{digits}f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}]"


def _confusion(outcomes: Sequence[Outcome]) -> Table:
    told = confusion(outcomes)
    table = Table("\nexpected", *(f"called\n{side}" for side in told), box=None, pad_edge=False)
    for side, row in told.items():
        table.add_row(side, *(f"{count:,}" for count in row.values()))
    return table


def _by_slice(name: str, values: Iterable[tuple[str, object]]) -> Table:
    heads = ["found", "wrongly removed", "wrongly allowed", "left to people"]
    table = Table(f"\n{name}", *(f"\n{head}" for head in heads), box=None, pad_edge=False)
    for value, estimates in values:
        if isinstance(estimates, dict):
            table.add_row(printable(value), *(_cell(estimates[metric]) for metric in _BY_SLICE))
    return table


def _cell(estimate: Estimate) -> str:
    return f"{shown_estimate(estimate)} {estimate.n}" if estimate.n else "–"


def _fairness(outcomes: Sequence[Outcome]) -> list[RenderableType]:
    lines = []
    for name in SLICES_OF_PEOPLE:
        groups = {outcome.slices[name] for outcome in outcomes if name in outcome.slices}
        if len(groups) >= _FEW_GROUPS:
            lines += [_gap_line(name, rate) for rate in group_rates(outcomes, name)]
    return [Text("\nwho pays for the mistakes", style="bold"), *lines] if lines else []


def _gap_line(name: str, rate: GroupRates) -> str:
    label = f"{name}, {METRICS[rate.rate].label}"
    if rate.widest is None or math.isnan(rate.widest.difference.value):
        return f"{label}: no two groups with {FEWEST} cases or more"
    gap = rate.widest
    told = f"{gap.difference.value:+.2f} [{gap.difference.low:+.2f}, {gap.difference.high:+.2f}]"
    few = f"; too few cases: {', '.join(rate.too_small[:6])}" if rate.too_small else ""
    return printable(f"{label}: widest gap {gap.group} over {gap.other} {told}{few}")
