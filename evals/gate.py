"""A gate: what a run must reach before something ships, tested on the bound of its interval.

A requirement holds when even the pessimistic end of the 95 % interval keeps it. So a set that is
too small to show it does not pass, and one lucky case does not open the gate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from errors import GateError, UsageError, shown
from evals.estimate import NO_DATA, Estimate, estimate_data
from evals.metrics import METRICS, Metrics
from evals.metrics.measure import SLICED

Side = Literal["min", "max"]


@dataclass(frozen=True)
class Requirement:
    """A metric must not be below (`min`) or above (`max`) a bound."""

    side: Side
    metric: str
    bound: float
    slice_name: str = ""
    slice_value: str = ""

    def __str__(self) -> str:
        """The requirement as it was written."""
        where = f":{self.slice_value}" if self.slice_name in ("policy", "section") else ""
        if self.slice_name and not where:
            where = f":{self.slice_name}/{self.slice_value}"
        return f"--{self.side} {self.metric}{where}={self.bound:g}"


@dataclass(frozen=True)
class Ruling:
    """Whether a requirement holds."""

    requirement: Requirement
    estimate: Estimate
    holds: bool
    told: str


def requirement(side: Side, text: str) -> Requirement:
    """Return what `--min` or `--max` asks for.

    `recall=.9` asks it of all cases, `recall:hate=.9` of the cases of a policy, `recall:hate.1=.9`
    of those of a section, and `recall:language/de=.9` of any other slice.

    >>> print(requirement("min", "recall:hate=.9"))
    --min recall:hate=0.9

    Raises:
        UsageError: It cannot be read, or there is no such metric.
    """
    left, _, number = text.rpartition("=")
    metric, _, where = left.partition(":")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not left or not math.isfinite(bound):
        raise UsageError(
            f"--{side} {shown(text)}: not a requirement",
            hint="write METRIC=NUMBER or METRIC:SLICE=NUMBER, such as --min recall:hate=.9",
        )
    known = SLICED if where else METRICS
    if metric not in known:
        raise UsageError(
            f"--{side} {shown(text)}: there is no metric {shown(metric)}"
            + (" of slices" if where else ""),
            hint="the metrics are: " + ", ".join(known),
        )
    name, _, value = where.rpartition("/")
    if where and not name:
        name = "section" if "." in where else "policy"
    return Requirement(side, metric, bound, name, value)


def rule(metrics: Metrics, wanted: Requirement) -> Ruling:
    """Return whether a run meets a requirement; without data it does not."""
    estimate = _estimate(metrics, wanted)
    if estimate is None:
        kinds = sorted(metrics.slices.get(wanted.slice_name, {}))
        there = ", ".join(map(shown, kinds[:20])) if kinds else "no such slice at all"
        missing = f"{wanted.slice_name} {shown(wanted.slice_value)}"
        told = f"the run has no cases of {missing} (it has {there})"
        return Ruling(wanted, NO_DATA, holds=False, told=told)
    if math.isnan(estimate.value):
        return Ruling(wanted, estimate, holds=False, told="no case says anything about it")
    pessimistic = estimate.low if wanted.side == "min" else estimate.high
    holds = pessimistic >= wanted.bound if wanted.side == "min" else pessimistic <= wanted.bound
    end = "lower" if wanted.side == "min" else "upper"
    told = (
        f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}], n = {estimate.n}: "
        f"the {end} bound {'holds' if holds else 'does not'}"
    )
    return Ruling(wanted, estimate, holds=holds, told=told)


def _estimate(metrics: Metrics, wanted: Requirement) -> Estimate | None:
    if not wanted.slice_name:
        return metrics.overall[wanted.metric]
    values = metrics.slices.get(wanted.slice_name, {})
    of_slice = values.get(wanted.slice_value)
    return None if of_slice is None else of_slice[wanted.metric]


def ruling_data(ruling: Ruling) -> dict[str, object]:
    """Return a ruling as JSON data."""
    wanted = ruling.requirement
    return {
        "requirement": str(wanted),
        "holds": ruling.holds,
        "bound": wanted.bound,
        "told": ruling.told,
        **estimate_data(ruling.estimate),
    }


def hold(rulings: Sequence[Ruling]) -> None:
    """Let a run pass, or say what kept it.

    Raises:
        GateError: A requirement does not hold.
    """
    broken = [ruling for ruling in rulings if not ruling.holds]
    if broken:
        first = broken[0]
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise GateError(
            f"{first.requirement}: {first.told}{more}",
            hint="improve it, or add golden cases: a wide interval is a small set",
        )
