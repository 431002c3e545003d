"""What the decisions of a docket show, as JSON data and for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.console import Group, RenderableType
from rich.table import Table

from errors import InputError
from evals.estimate import Estimate, estimate_data, finite
from evals.online.decided import DecidedCase
from evals.online.drift import Drift, Shift, drift
from evals.online.measures import Measures, by_day, measures
from evals.table import shown_estimate

WINDOW = timedelta(days=7)
"""Drift is looked for in the last week unless a day is given."""
_SHARES = {
    "closed_by_machine": "closed by the machine",
    "agreement": "people agree with the opinion",
    "overturned": "decisions overturned",
    "overturned_machine": "machine closures overturned",
    "overturned_person": "people's decisions overturned",
    "audit_error": "audited closures that were wrong",
}


@dataclass(frozen=True)
class Online:
    """Everything that decided cases show."""

    overall: Measures
    days: dict[date, Measures]
    drift: Drift | None
    """None where no case says when it was decided."""


def online(cases: Sequence[DecidedCase], since: date | None = None) -> Online:
    """Return what decided cases show; drift is that from `since` on, by default of the last week.

    Raises:
        InputError: `since` leaves no case on one of its sides.
    """
    days = dict(by_day(cases))
    if not days:
        return Online(measures(cases), days, None)
    start = since or max(days) - WINDOW + timedelta(days=1)
    if since is not None and not min(days) < since <= max(days):
        raise InputError(
            f"--since {since}: the cases were decided from {min(days)} to {max(days)}",
            hint="name a day in between, so that there is a before and an after",
        )
    return Online(measures(cases), days, drift(cases, start))


def online_data(told: Online) -> dict[str, object]:
    """Return it as JSON data."""
    return {
        "overall": _measures_data(told.overall),
        "days": {str(day): _measures_data(one) for day, one in told.days.items()},
        "drift": None
        if told.drift is None
        else {
            "since": str(told.drift.since),
            "scores": _shift_data(told.drift.scores),
            "topics": _shift_data(told.drift.topics),
        },
    }


def _measures_data(one: Measures) -> dict[str, object]:
    shares = {name: estimate_data(getattr(one, name)) for name in _SHARES}
    return {
        "cases": one.cases,
        **shares,
        "cost_usd": one.cost_usd,
        "hours_saved": finite(one.hours_saved),
    }


def _shift_data(shift: Shift) -> dict[str, object]:
    return {
        "psi": finite(shift.psi),
        "statistic": finite(shift.test.statistic),
        "p": finite(shift.test.p),
        "before": shift.before,
        "after": shift.after,
        "told": shift.told,
    }


def render_online(told: Online) -> Group:
    """Return it as a person reads it in a terminal."""
    parts: list[RenderableType] = [_shares_table(told.overall), _bill(told.overall)]
    if len(told.days) > 1:
        parts.append(_days_table(told.days))
    if told.drift is not None:
        parts += [_shift_line("confidence", told.drift.scores, told.drift.since)]
        parts += [_shift_line("topics", told.drift.topics, told.drift.since)]
    return Group(*parts)


def _shares_table(one: Measures) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, label in _SHARES.items():
        estimate: Estimate = getattr(one, name)
        table.add_row(label, shown_estimate(estimate), f"of {estimate.n:,}")
    return table


def _bill(one: Measures) -> str:
    saved = "" if math.isnan(one.hours_saved) else f", {one.hours_saved:,.1f} hours saved"
    return f"{one.cases:,} cases, ${one.cost_usd:,.2f} for opinions{saved}\n"


def _days_table(days: dict[date, Measures]) -> Table:
    table = Table("day", "cases", "by machine", "agreement", "audit error", box=None)
    for day, one in days.items():
        shares = (one.closed_by_machine, one.agreement, one.audit_error)
        table.add_row(str(day), f"{one.cases:,}", *map(shown_estimate, shares))
    return table


def _shift_line(what: str, shift: Shift, since: date) -> str:
    if math.isnan(shift.psi):
        return f"{what} since {since}: too few cases on one side to tell"
    return (
        f"{what} since {since}: {shift.told} (PSI {shift.psi:.3f}, p = {shift.test.p:.3g}, "
        f"{shift.before:,} cases before, {shift.after:,} after)"
    )
