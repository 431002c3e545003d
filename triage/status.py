"""How the docket stands: what waits for whom, since when, how fast it goes, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from records.docket.entries import NOBODY
from records.docket.reading import Group, groups, holders, pace
from records.outbox import outbox_counts
from records.store import Records

WINDOW = 300.0
"""Rates are those of the last so many seconds."""
_MINUTE = 60.0


@dataclass(frozen=True)
class DeskStatus:
    """The cases that wait at one desk, `machine` or `person`."""

    waiting: int
    overdue: int
    oldest_seconds: float | None
    per_minute: float
    """How many left it a minute, lately."""
    seconds_to_empty: float | None
    """At this rate; None where nothing moves."""


@dataclass(frozen=True)
class Status:
    """The docket at one moment."""

    waiting: int
    leased: int
    decided: int
    dead: int
    machine: DeskStatus
    person: DeskStatus
    reserved: Mapping[str, int]
    """How many wait for one person alone."""
    held: Mapping[str, int]
    """Who holds how many."""
    resting: int
    """How many rest until they are tried again, or are on hold."""
    cost_usd: float
    decided_by: Mapping[str, int]
    """In the last day."""
    decisions: Mapping[str, int]
    """In the last day."""
    agreement: Mapping[str, int]
    """How many people who decided in the last day agreed with the machine, and how many not."""
    outbox: Mapping[str, int]


def status_of(records: Records, *, now: float) -> Status:
    """Return how the docket stands."""
    standing = groups(records, now=now)
    lately, day = pace(records, since=now - WINDOW), pace(records, since=now - 86_400)
    held = holders(records)
    by_people = lately.by.get("person", 0)
    return Status(
        waiting=_count(g for g in standing if g.state == "waiting"),
        leased=_count(g for g in standing if g.state == "leased"),
        decided=_count(g for g in standing if g.state == "decided"),
        dead=_count(g for g in standing if g.state == "dead"),
        machine=_desk(standing, "machine", lately.opinions, now),
        person=_desk(standing, "person", by_people, now),
        reserved={g.reserved_for: g.cases for g in standing if _reserved(g)},
        held={name: number for name, number in held.items() if name != NOBODY},
        resting=held.get(NOBODY, 0),
        cost_usd=round(sum(group.cost for group in standing), 6),
        decided_by=day.by,
        decisions=day.decisions,
        agreement={"agreed": day.agreed, "differed": day.disagreed},
        outbox=outbox_counts(records),
    )


def status_data(status: Status) -> dict[str, object]:
    """Return the status as JSON data."""
    return asdict(status)


def status_lines(status: Status) -> Iterable[str]:
    """Yield the status as a person reads it."""
    yield (
        f"{status.waiting:,} waiting, {status.leased:,} leased, {status.decided:,} decided, "
        f"{status.dead:,} dead"
    )
    for name, desk in (("machine", status.machine), ("people", status.person)):
        yield f"for {name:8} {_desk_line(desk)}"
    for name, number in sorted(status.reserved.items()):
        yield f"  {number:,} wait for {name} alone"
    for name, number in sorted(status.held.items()):
        yield f"  {number:,} held by {name}"
    if status.resting:
        yield f"  {status.resting:,} rest until they are tried again, or are on hold"
    mix = ", ".join(f"{number:,} {name}" for name, number in sorted(status.decisions.items()))
    by = ", ".join(f"{number:,} by {name}" for name, number in sorted(status.decided_by.items()))
    if mix:
        yield f"last day     {mix}; {by}"
    agreed, differed = status.agreement["agreed"], status.agreement["differed"]
    if agreed + differed:
        yield f"people       agreed with the machine in {agreed:,} of {agreed + differed:,}"
    if status.cost_usd:
        yield f"cost         ${status.cost_usd:,.4f}"
    if status.outbox["due"] or status.outbox["given up"]:
        given_up = status.outbox["given up"]
        yield f"outbox       {status.outbox['due']:,} messages to send, {given_up:,} given up"


def _desk_line(desk: DeskStatus) -> str:
    told = [f"{desk.waiting:,} waiting"]
    if desk.oldest_seconds is not None:
        told.append(f"oldest {duration(desk.oldest_seconds)}")
    if desk.overdue:
        told.append(f"{desk.overdue:,} overdue")
    told.append(f"{desk.per_minute:,.1f} a minute")
    if desk.seconds_to_empty is not None:
        told.append(f"empty in {duration(desk.seconds_to_empty)}")
    return ", ".join(told)


def duration(seconds: float) -> str:
    """Return a time span in the largest unit that fits.

    >>> duration(42), duration(3600), duration(200000)
    ('42 s', '60 min', '56 h')
    """
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * 60 * _MINUTE:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / 3600:.0f} h"


def _desk(standing: list[Group], desk: str, left: int, now: float) -> DeskStatus:
    waiting = [g for g in standing if g.waits_for == desk and g.state == "waiting"]
    number = _count(waiting)
    rate = left / WINDOW
    return DeskStatus(
        waiting=number,
        overdue=sum(group.overdue for group in waiting),
        oldest_seconds=max((now - group.oldest for group in waiting), default=None),
        per_minute=round(rate * _MINUTE, 2),
        seconds_to_empty=round(number / rate, 1) if rate else None,
    )


def _reserved(group: Group) -> bool:
    return bool(group.reserved_for) and group.state == "waiting"


def _count(standing: Iterable[Group]) -> int:
    return sum(group.cases for group in standing)
