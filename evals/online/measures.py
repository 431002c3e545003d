"""How it goes in use: agreement, overturned decisions, audited mistakes, by day.

The same caution as offline: every share has its interval, and no data is no figure. People see what
the machine was unsure of, so agreement is not accuracy; the audit, a random sample of what the
machine closed, is.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from evals.estimate import NO_DATA, Estimate
from evals.intervals import clopper_pearson, share
from evals.online.decided import DecidedCase, Side


@dataclass(frozen=True)
class Measures:
    """What a set of decided cases shows."""

    cases: int
    closed_by_machine: Estimate
    """Share of the cases that no person had to decide."""
    agreement: Estimate
    """Share of people's decisions that the opinion had too."""
    overturned: Estimate
    """Share of all decisions that did not stand."""
    overturned_machine: Estimate
    """Of those that a machine made first; no data where an export does not say whose they were."""
    overturned_person: Estimate
    audit_error: Estimate
    """Share of audited machine closures that a person would have decided otherwise."""
    cost_usd: float
    """Spent on opinions, in all."""
    hours_saved: float
    """Machine closures times the median time of a person; NaN where no time is known."""


def measures(cases: Sequence[DecidedCase]) -> Measures:
    """Return how it went with these cases."""
    machine = [case for case in cases if case.by_machine]
    people = [case for case in cases if not case.by_machine]
    agreed = [case.was_agreed for case in people if case.was_agreed is not None]
    return Measures(
        cases=len(cases),
        closed_by_machine=share(len(machine), len(cases)),
        agreement=share(sum(agreed), len(agreed)),
        overturned=share(sum(case.overturned for case in cases), len(cases)),
        overturned_machine=_overturned(cases, "machine"),
        overturned_person=_overturned(cases, "person"),
        audit_error=audit_error(cases),
        cost_usd=sum(case.verdict.usage.cost_usd for case in cases if case.verdict),
        hours_saved=_hours_saved(machine, people),
    )


def _overturned(cases: Sequence[DecidedCase], by: Side) -> Estimate:
    if any(case.first_by is None for case in cases):
        return NO_DATA
    made = [case for case in cases if case.first_by == by]
    return share(sum(case.overturned for case in made), len(made))


def audit_error(cases: Sequence[DecidedCase]) -> Estimate:
    """Return the share of audited closures that were wrong, with its exact interval.

    Clopper and Pearson's, because an error budget rests on it: it never promises too much.
    """
    said = [case.audited_wrong for case in cases if case.audited_wrong is not None]
    if not said:
        return NO_DATA
    return Estimate(sum(said) / len(said), *clopper_pearson(sum(said), len(said)), len(said))


def _hours_saved(machine: Sequence[DecidedCase], people: Sequence[DecidedCase]) -> float:
    times = [case.person_seconds for case in people if case.person_seconds is not None]
    return statistics.median(times) * len(machine) / 3600 if times else math.nan


def by_day(cases: Sequence[DecidedCase]) -> Mapping[date, Measures]:
    """Return the measures of each day; a case without a time counts on no day."""
    days: dict[date, list[DecidedCase]] = {}
    for case in cases:
        if case.day is not None:
            days.setdefault(case.day, []).append(case)
    return {day: measures(days[day]) for day in sorted(days)}
