"""Audits: machine closures that a person looks at again, without knowing what the machine said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, case, func, or_, select, update

from errors import InputError, shown
from records.certificates import stop_in
from records.database import insert_into
from records.ledger import append_all_in, move_anchor
from records.risk_tables import audits
from records.store import Records
from records.tables import docket, docket_cases, docket_opinions

AUDIT_RECORD = "audit"
"""The kind of ledger record that holds an audit."""
OVERTURNED = "overturned"
"""Stands in the place of a name where a decision fell before its audit."""


@dataclass(frozen=True)
class Draw:
    """A case that is to be audited once a machine has closed it."""

    case_id: str
    certificate: int
    claim: int


@dataclass(frozen=True)
class Audit:
    """A closed case before an auditor; what the machine said is for the program alone."""

    case_id: str
    certificate: int
    claim: int
    content: str
    verdict: str
    seen: bool
    """Whether it was lent to the same auditor before."""


@dataclass(frozen=True)
class Count:
    """What the audits of one claim have come to."""

    audited: int
    mistakes: int


@dataclass(frozen=True)
class Answer:
    """What an auditor says."""

    by: str
    call: str
    wrong: bool


Counts = Mapping[int, Count]
"""By the number of the claim."""


def draw_audit(records: Records, draw: Draw, *, now: float) -> None:
    """Mark a case for audit; one that is marked already stays as it is."""
    values = {
        "case_id": draw.case_id,
        "certificate": draw.certificate,
        "claim": draw.claim,
        "drawn_at": now,
        "held_by": "",
        "held_until": 0.0,
        "call": "",
        "answered_by": "",
    }
    with records.writing() as connection:
        connection.execute(insert_into(connection, audits).values(values).on_conflict_do_nothing())


def next_audit(records: Records, who: str, *, seconds: float, now: float) -> Audit | None:
    """Lend an auditor the closure that was drawn first, or the one that they hold already."""
    with records.writing() as connection:
        free = (audits.c.held_until <= now) | (audits.c.held_by == who)
        query = (
            select(audits, docket_cases.c.content, docket_opinions.c.verdict)
            .join(docket, docket.c.case_id == audits.c.case_id)
            .join(docket_cases, docket_cases.c.case_id == audits.c.case_id)
            .join(docket_opinions, docket_opinions.c.case_id == audits.c.case_id)
            .where(audits.c.wrong.is_(None), _CLOSED_BY_MACHINE, free)
            .order_by(
                case((audits.c.held_by == who, 0), else_=1), audits.c.drawn_at, audits.c.case_id
            )
            .limit(1)
            .with_for_update(skip_locked=True, of=audits)
        )
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        connection.execute(
            update(audits)
            .where(audits.c.case_id == row.case_id)
            .values(held_by=who, held_until=now + seconds)
        )
    seen = row.held_by == who
    return Audit(row.case_id, row.certificate, row.claim, row.content, row.verdict, seen)


def answer_audit(
    records: Records,
    audit: Audit,
    answer: Answer,
    *,
    now: float,
    verdict_on: Callable[[Counts], str],
) -> str:
    """Keep an auditor's answer, and stop the certificate if it no longer fits; return why, or "".

    Both in one transaction: an answer that stops automatic closing never stands without doing so.

    Args:
        records: Where to.
        audit: What was lent to them.
        answer: What they say of it.
        now: Seconds since 1970.
        verdict_on: From all answers under the certificate to why it falls, or "".

    Raises:
        InputError: Somebody else holds the case by now, or has answered.
    """
    with records.writing() as connection:
        done = connection.execute(
            update(audits)
            .where(audits.c.case_id == audit.case_id)
            .where(audits.c.wrong.is_(None), audits.c.held_by == answer.by)
            .values(call=answer.call, wrong=answer.wrong, answered_at=now, answered_by=answer.by)
        ).rowcount
        if not done:
            raise InputError(
                f"the audit of {shown(audit.case_id)} is no longer yours",
                hint="it took longer than the lease; take the next one: amicus triage audit",
            )
        why, seq = _kept(connection, audit, answer, verdict_on, now)
    move_anchor(records, seq)
    return why


def settle_overturned(
    records: Records, certificate: int, *, now: float, verdict_on: Callable[[Counts], str]
) -> str:
    """Count drawn closures that people have overturned meanwhile as mistakes; return why it falls.

    They would else be missing from the audits just where the machine was wrong.
    """
    with records.writing() as connection:
        query = (
            select(audits.c.case_id)
            .join(docket, docket.c.case_id == audits.c.case_id)
            .where(audits.c.certificate == certificate, audits.c.wrong.is_(None))
            .where(docket.c.overturned)
        )
        fallen = list(connection.execute(query).scalars())
        if not fallen:
            return ""
        connection.execute(
            update(audits)
            .where(audits.c.case_id.in_(fallen))
            .values(wrong=True, answered_at=now, answered_by=OVERTURNED)
        )
        why = verdict_on(counts_in(connection, certificate))
        seq = stop_in(connection, certificate, why, now=now) if why else 0
    if seq:
        move_anchor(records, seq)
    return why


def audit_counts(records: Records, certificate: int) -> Counts:
    """Return what the audits under a certificate have come to, claim by claim."""
    with records.reading() as connection:
        return counts_in(connection, certificate)


def counts_in(connection: Connection, certificate: int) -> Counts:
    """Do the same on an open connection."""
    mistakes = func.sum(case((audits.c.wrong, 1), else_=0))
    query = (
        select(audits.c.claim, func.count().label("audited"), mistakes.label("mistakes"))
        .where(audits.c.certificate == certificate, audits.c.wrong.is_not(None))
        .group_by(audits.c.claim)
    )
    return {
        row.claim: Count(int(row.audited), int(row.mistakes)) for row in connection.execute(query)
    }


def audits_waiting(records: Records, certificate: int) -> int:
    """Return how many closures wait for an auditor."""
    query = (
        select(func.count())
        .select_from(audits.join(docket, docket.c.case_id == audits.c.case_id))
        .where(audits.c.certificate == certificate, audits.c.wrong.is_(None), _CLOSED_BY_MACHINE)
    )
    with records.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _kept(
    connection: Connection,
    audit: Audit,
    answer: Answer,
    verdict_on: Callable[[Counts], str],
    now: float,
) -> tuple[str, int]:
    payload = {
        "certificate": audit.certificate,
        "claim": audit.claim,
        "by": answer.by,
        "call": answer.call,
        "wrong": answer.wrong,
    }
    at = datetime.fromtimestamp(now, UTC)
    (record,) = append_all_in(connection, [(AUDIT_RECORD, audit.case_id, payload)], at=at)
    why = verdict_on(counts_in(connection, audit.certificate))
    stopped = stop_in(connection, audit.certificate, why, now=now) if why else 0
    return why, stopped or record.seq


_CLOSED_BY_MACHINE: ColumnElement[bool] = (
    (docket.c.state == "decided")
    & (docket.c.decided_by == "machine")
    & or_(docket.c.overturned.is_(False), docket.c.overturned.is_(None))
)
