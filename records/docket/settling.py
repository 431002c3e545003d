"""Write what came of leases: verdict, ledger record, state and outbox entry, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, update

from records.chain import StoredRecord
from records.decisions import add_decisions_in
from records.docket.entries import Closed, ForPerson, Lease, Settlement
from records.docket.leases import FREE, still_held
from records.documents import insert_rows, rows_in
from records.ledger import append_all_in, move_anchor
from records.outbox import Event, post_in
from records.precedents import keep_precedent_in
from records.store import Records
from records.tables import docket, docket_opinions
from records.verdicts import keep_beside_in


@dataclass(frozen=True)
class Settled:
    """Which leases were settled, and which had been lost to somebody else by then."""

    kept: tuple[Lease, ...]
    lost: tuple[Lease, ...]


def settle(records: Records, batch: Sequence[Settlement], *, now: float) -> Settled:
    """Write a batch in one transaction; what is no longer ours is left out, and returned as lost.

    Raises:
        RecordsError: It could not be written; then nothing was, and it can be tried again.
    """
    with records.writing() as connection:
        ours, seq = settle_in(connection, batch, now=now)
    if seq:
        move_anchor(records, seq)
    lost = {settlement.lease for settlement in batch} - set(ours)
    return Settled(tuple(ours), tuple(sorted(lost, key=lambda lease: lease.case_id)))


def settle_in(
    connection: Connection, batch: Sequence[Settlement], *, now: float
) -> tuple[list[Lease], int]:
    """Do the same in a transaction of `records.writing()`; return what was ours, and a number.

    The number is that of the last ledger record, for `move_anchor` after the commit, or 0.
    """
    held = set(still_held(connection, [settlement.lease for settlement in batch]))
    ours = [settlement for settlement in batch if settlement.lease in held]
    if not ours:
        return [], 0
    told = [(s.kind, s.lease.case_id, keep_beside_in(connection, s.record)) for s in ours]
    chained = append_all_in(connection, told, at=datetime.fromtimestamp(now, UTC))
    both = list(zip(ours, chained, strict=True))
    _close(connection, both, now)
    _pass_on(connection, both)
    _keep_opinions(connection, both, now)
    for settlement in ours:
        if settlement.account_id is not None:
            add_decisions_in(connection, settlement.account_id, settlement.made)
        if settlement.precedent is not None:
            keep_precedent_in(connection, settlement.precedent)
    return [settlement.lease for settlement in ours], chained[-1].seq


def event_of(case_id: str, told: Mapping[str, object], record: StoredRecord) -> Event:
    """Return the message of a decision: it names the ledger record that proves it."""
    return Event(record.hash, case_id, {**told, "record": record.seq, "record_hash": record.hash})


_Both = Sequence[tuple[Settlement, StoredRecord]]


def _close(connection: Connection, both: _Both, now: float) -> None:
    closed = [(s, record, s.outcome) for s, record in both if isinstance(s.outcome, Closed)]
    rows = [
        {
            "case_id": s.lease.case_id,
            "decision": outcome.decision,
            "action": outcome.action,
            "sections": ",".join(outcome.sections),
            "decided_by": outcome.by,
            "record": record.seq,
            "agrees": outcome.agrees,
            "cost": s.cost,
        }
        for s, record, outcome in closed
    ]
    _change(connection, rows, {"state": "decided", "decided_at": now})
    told = [event_of(s.lease.case_id, s.event, record) for s, record, _ in closed]
    post_in(connection, told, now=now)


def _pass_on(connection: Connection, both: _Both) -> None:
    rows = [
        {
            "case_id": s.lease.case_id,
            "due": s.outcome.due,
            "reason": s.outcome.because,
            "policy": s.outcome.policy,
            "cost": s.cost,
        }
        for s, _ in both
        if isinstance(s.outcome, ForPerson)
    ]
    _change(connection, rows, {"state": "waiting", "waits_for": "person"})


def _change(
    connection: Connection, rows: Sequence[Mapping[str, Any]], always: Mapping[str, object]
) -> None:
    """Change cases, each to what its row says, and all of them to what is `always` so."""
    if not rows:
        return
    told = rows_in(connection, docket, rows)
    values = {name: told.c[name] for name in rows[0] if name not in {"case_id", "cost"}}
    connection.execute(
        update(docket)
        .where(docket.c.case_id == told.c.case_id)
        .values(**values, cost=docket.c.cost + told.c.cost, **always, **FREE)
    )


def _keep_opinions(connection: Connection, both: _Both, now: float) -> None:
    rows = [
        {
            "case_id": s.lease.case_id,
            "verdict": s.verdict,
            "record": record.seq,
            "given_at": now,
        }
        for s, record in both
        if s.verdict is not None
    ]
    known = docket_opinions.c.case_id.in_([row["case_id"] for row in rows])
    if rows:
        connection.execute(delete(docket_opinions).where(known))
        insert_rows(connection, docket_opinions, rows)
