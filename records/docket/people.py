"""What people do with a case beside deciding it: hold, pass on, give back, try again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, case, select, update

from errors import InputError, shown
from records.decisions import Decision, add_decisions_in, overturn_decisions_in
from records.docket.entries import NOBODY, Closed, Lease, Loan, Settlement
from records.docket.leases import Terms, claim_one, let_go, loans_of
from records.docket.settling import event_of, settle_in
from records.ledger import append_all_in, move_anchor
from records.outbox import post_in
from records.precedents import overturn_precedent_in
from records.store import Records
from records.tables import docket


def settle_one(
    records: Records,
    case_id: str,
    terms: Terms,
    judge: Callable[[Loan], Settlement],
    *,
    now: float,
) -> None:
    """Take a case and settle it in one transaction, whether or not the person held it before.

    Raises:
        InputError: There is no such case, it is decided or dead, or somebody else holds it.
    """
    with records.writing() as connection:
        lease = _taken(connection, case_id, terms, now)
        (loan,) = loans_of(connection, [lease])
        _, seq = settle_in(connection, [judge(loan)], now=now)
    move_anchor(records, seq)


def note_own_call(
    records: Records, lease: Lease, call: str, payload: Mapping[str, object], *, now: float
) -> None:
    """Keep what a person says before they see the opinion; the ledger remembers it for ever."""
    with records.writing() as connection:
        its_row = (docket.c.case_id == lease.case_id) & (docket.c.fence == lease.fence)
        connection.execute(update(docket).where(its_row).values(own_call=call))
        seq = _tell(connection, "own call", lease.case_id, payload, now)
    move_anchor(records, seq)


def hold(records: Records, case_id: str, terms: Terms, *, note: str, now: float) -> None:
    """Put a case aside for the person, who gets it back when the time of `terms` is over.

    Raises:
        InputError: As in `settle_one`.
    """
    with records.writing() as connection:
        lease = _taken(connection, case_id, terms, now)
        let_go(connection, [lease], rest_until=now + terms.seconds)
        _reserve(connection, case_id, terms.holder, note)


@dataclass(frozen=True)
class Handover:
    """Whom a case goes to, and why."""

    to: str
    """A person; nobody, written as an empty name, is everybody."""
    note: str = ""
    asked: Mapping[str, object] | None = None
    """For a second look: what the ledger keeps. The next person calls without knowing of it."""


def hand_over(
    records: Records, case_id: str, terms: Terms, handover: Handover, *, now: float
) -> None:
    """Let a case wait for one person.

    Raises:
        InputError: As in `settle_one`.
    """
    seq = 0
    with records.writing() as connection:
        let_go(connection, [_taken(connection, case_id, terms, now)])
        _reserve(connection, case_id, handover.to, handover.note)
        if handover.asked is not None:
            its_row = docket.c.case_id == case_id
            connection.execute(update(docket).where(its_row).values(own_call=None))
            seq = _tell(connection, "asked", case_id, handover.asked, now)
    if seq:
        move_anchor(records, seq)


def release(records: Records, case_id: str, person: str) -> None:
    """Give back a case that the person holds.

    Raises:
        InputError: They do not hold it.
    """
    with records.writing() as connection:
        query = select(docket.c.state, docket.c.held_by, docket.c.fence)
        row = connection.execute(query.where(docket.c.case_id == case_id)).one_or_none()
        if row is None or row.state != "leased" or row.held_by != person:
            raise InputError(
                f"{person} does not hold the case {shown(case_id)}",
                hint="see who does: amicus triage status --json",
            )
        let_go(connection, [Lease(case_id, row.fence)])


def retry_dead(records: Records, ids: Sequence[str] | None = None) -> int:
    """Let dead cases, all or those with these ids, wait for a worker again; return how many."""
    dead = docket.c.state == "dead"
    wanted = dead if ids is None else dead & docket.c.case_id.in_(ids)
    with records.writing() as connection:
        again = connection.execute(
            update(docket).where(wanted).values(state="waiting", waits_for="machine", tries=0)
        )
        return again.rowcount


@dataclass(frozen=True)
class Overturning:
    """A decision in the place of one that did not stand."""

    closed: Closed
    payload: Mapping[str, object]
    event: Mapping[str, object]
    account_id: str | None = None
    made: tuple[Decision, ...] = ()


def overturn(records: Records, case_id: str, new: Overturning, *, now: float) -> None:
    """Overturn a decision, and mark what came of it; the ledger keeps both.

    Raises:
        InputError: There is no such case, or nothing is decided that could be overturned.
    """
    with records.writing() as connection:
        its_row = docket.c.case_id == case_id
        query = select(docket.c.state).where(its_row).with_for_update()
        if connection.execute(query).scalar_one_or_none() != "decided":
            raise InputError(
                f"the case {shown(case_id)} is not decided",
                hint="decide it: amicus triage decide ID CALL",
            )
        at = datetime.fromtimestamp(now, UTC)
        (record,) = append_all_in(connection, [("overturned", case_id, new.payload)], at=at)
        connection.execute(
            update(docket)
            .where(its_row)
            .values(
                first_decided_by=case(
                    (docket.c.overturned, docket.c.first_decided_by), else_=docket.c.decided_by
                ),
                decision=new.closed.decision,
                action=new.closed.action,
                sections=",".join(new.closed.sections),
                decided_by=new.closed.by,
                decided_at=now,
                record=record.seq,
                overturned=True,
            )
        )
        overturn_decisions_in(connection, case_id)
        overturn_precedent_in(connection, case_id)
        if new.account_id is not None:
            add_decisions_in(connection, new.account_id, new.made)
        post_in(connection, [event_of(case_id, new.event, record)], now=now)
    move_anchor(records, record.seq)


def _tell(
    connection: Connection, kind: str, case_id: str, payload: Mapping[str, object], now: float
) -> int:
    at = datetime.fromtimestamp(now, UTC)
    return append_all_in(connection, [(kind, case_id, payload)], at=at)[0].seq


def _taken(connection: Connection, case_id: str, terms: Terms, now: float) -> Lease:
    lease = claim_one(connection, case_id, terms, now=now)
    if lease is None:
        raise _refusal(connection, case_id)
    return lease


def _reserve(connection: Connection, case_id: str, person: str, note: str) -> None:
    values = {"waits_for": "person", "reserved_for": person}
    if note:
        values["reason"] = note
    connection.execute(update(docket).where(docket.c.case_id == case_id).values(values))


def _refusal(connection: Connection, case_id: str) -> InputError:
    query = select(docket.c.state, docket.c.held_by, docket.c.decided_by)
    row = connection.execute(query.where(docket.c.case_id == case_id)).one_or_none()
    if row is None:
        return InputError(
            f"the docket holds no case {shown(case_id)}", hint="add it: amicus triage add FILE"
        )
    if row.state == "decided":
        return InputError(
            f"the case {shown(case_id)} is decided already, by a {row.decided_by}",
            hint="put another decision in its place with --overturn",
        )
    if row.state == "dead":
        return InputError(
            f"the case {shown(case_id)} is dead",
            hint=f"let it wait again: amicus triage retry {case_id}",
        )
    holder = "is on hold" if row.held_by == NOBODY else f"is held by {shown(row.held_by)}"
    return InputError(
        f"the case {shown(case_id)} {holder}", hint="wait until they are done, or ask them"
    )
