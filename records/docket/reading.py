"""Read the docket: how it stands, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from records.docket.entries import DecidedBy, Desk, State
from records.docket.leases import DECIDED, LEASED, WAITING
from records.fields import can_be_stored
from records.risk_tables import audits
from records.store import Records
from records.tables import docket, docket_cases, docket_opinions


@dataclass(frozen=True)
class DocketCase:
    """Everything that the docket knows of a case; times are seconds since 1970."""

    case_id: str
    state: State
    waits_for: Desk
    reserved_for: str
    policy: str
    due: float
    added_at: float
    tries: int
    held_by: str
    held_until: float | None
    reason: str
    own_call: str | None
    decision: str | None
    action: str | None
    sections: str
    """The sections that were broken, with commas between."""
    decided_by: DecidedBy | None
    decided_at: float | None
    record: int | None
    """The number of the ledger record that holds the decision."""
    agrees: bool | None
    overturned: bool
    cost: float
    content: str
    verdict: str | None
    first_decided_by: DecidedBy | None = None
    """Who made the decision that was overturned; None where none was, or nobody noted it."""
    person_seconds: float | None = None
    """How long people had the case before them; None where nobody took it first."""
    audit_wrong: bool | None = None
    """Whether its audit found the machine's closure wrong; None without an answer."""
    audit_call: str | None = None
    """What the auditor would have done; empty where it was overturned before its audit."""


@dataclass(frozen=True)
class Group:
    """How many cases are in one state, at one desk."""

    state: State
    waits_for: Desk
    reserved_for: str
    cases: int
    oldest: float
    """When the first of them was added."""
    overdue: int
    cost: float


@dataclass(frozen=True)
class Pace:
    """What was decided lately, and how."""

    decided: int
    by: dict[str, int]
    """How many by `machine` and by `person`."""
    decisions: dict[str, int]
    agreed: int
    disagreed: int
    opinions: int
    """How many opinions machines gave."""


def read_case(records: Records, case_id: str) -> DocketCase | None:
    """Return a case of the docket, or None."""
    if not can_be_stored(case_id):
        return None
    with records.reading() as connection:
        row = connection.execute(_whole().where(docket.c.case_id == case_id)).one_or_none()
    return _case(row) if row else None


def read_docket(records: Records, *, states: Sequence[State] = ()) -> Iterator[DocketCase]:
    """Yield the cases of the docket by id, as they were at one moment, in bounded memory.

    Args:
        records: Where the docket is.
        states: Only cases in these; all where none is named.
    """
    query = _whole().order_by(docket.c.case_id)
    if states:
        query = query.where(docket.c.state.in_(states))
    with records.reading() as connection:
        for row in connection.execute(query, execution_options={"yield_per": 500}):
            yield _case(row)


def machine_work(records: Records) -> bool:
    """Return whether any case waits for a worker, rests between two tries, or is being worked."""
    query = select(docket.c.case_id).where(docket.c.waits_for == "machine").limit(1)
    with records.reading() as connection:
        # Two questions, because each has an index of its own.
        return any(
            connection.execute(query.where(at_hand)).first() is not None
            for at_hand in (WAITING & (docket.c.reserved_for == ""), LEASED)
        )


def groups(records: Records, *, now: float) -> list[Group]:
    """Return how many cases stand where; it reads the whole docket."""
    late = func.sum(case((docket.c.due < now, 1), else_=0))
    places = (docket.c.state, docket.c.waits_for, docket.c.reserved_for)
    query = select(
        *places, func.count(), func.min(docket.c.added_at), late, func.sum(docket.c.cost)
    ).group_by(*places)
    with records.reading() as connection:
        return [Group(*row) for row in connection.execute(query)]


def holders(records: Records) -> dict[str, int]:
    """Return who holds how many cases; what nobody holds rests between tries, or is on hold."""
    query = select(docket.c.held_by, func.count().label("cases")).where(LEASED)
    with records.reading() as connection:
        rows = connection.execute(query.group_by(docket.c.held_by))
        return {row.held_by: row.cases for row in rows}


def pace(records: Records, *, since: float) -> Pace:
    """Return what was decided since a moment."""
    with records.reading() as connection:
        by = _counts(connection, docket.c.decided_by, since)
        decisions = _counts(connection, docket.c.decision, since)
        agreed = _counts(connection, docket.c.agrees, since)
        given = select(func.count()).where(docket_opinions.c.given_at > since)
        opinions = connection.execute(given).scalar_one()
    return Pace(
        decided=sum(by.values()),
        by=by,
        decisions=decisions,
        agreed=agreed.get(True, 0),
        disagreed=agreed.get(False, 0),
        opinions=opinions,
    )


def _counts(connection: Connection, column: Any, since: float) -> dict[Any, int]:
    query = select(column.label("value"), func.count().label("number"))
    rows = connection.execute(query.where(DECIDED, docket.c.decided_at > since).group_by(column))
    return {row.value: row.number for row in rows}


def _whole() -> Select[Any]:
    names = [name for name in DocketCase.__dataclass_fields__ if name in docket.c]
    return (
        select(
            *(docket.c[name] for name in names),
            docket_cases.c.content,
            docket_opinions.c.verdict,
            audits.c.wrong.label("audit_wrong"),
            audits.c.call.label("audit_call"),
        )
        .join(docket_cases, docket_cases.c.case_id == docket.c.case_id)
        .join(docket_opinions, docket_opinions.c.case_id == docket.c.case_id, isouter=True)
        .join(audits, audits.c.case_id == docket.c.case_id, isouter=True)
    )


def _case(row: Row[Any]) -> DocketCase:
    return DocketCase(**row._mapping)  # noqa: SLF001 (public, whatever its name)
