"""The append-only record of every verdict and decision, each record chained to the one before."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from errors import RecordsError
from records import anchor
from records.chain import LedgerEntry, StoredRecord, entry_of, next_record
from records.fields import can_be_stored
from records.store import Records
from records.tables import ledger, ledger_head
from records.verification import LedgerFault, LedgerReport, verify

__all__ = [
    "LedgerEntry",
    "LedgerFault",
    "LedgerReport",
    "anchor_anew",
    "append",
    "append_all_in",
    "append_in",
    "entries_of",
    "find_entry",
    "latest",
    "move_anchor",
    "verify",
]

_log = logging.getLogger(__name__)


def append(
    records: Records, kind: str, case_id: str, payload: Mapping[str, object], *, at: datetime
) -> LedgerEntry:
    """Write the next record, anchor it, and return it.

    Args:
        records: Where to.
        kind: What happened, such as `verdict`.
        case_id: To which case.
        payload: Anything that JSON can say.
        at: When, with its time zone.

    Raises:
        RecordsError: It could not be written; then nothing was.
        ValueError: `payload` is not JSON, or `at` names no zone.
    """
    with records.writing() as connection:
        entry = append_in(connection, kind, case_id, payload, at=at)
    move_anchor(records, entry.seq)
    return entry


def append_in(
    connection: Connection,
    kind: str,
    case_id: str,
    payload: Mapping[str, object],
    *,
    at: datetime,
) -> LedgerEntry:
    """Write the next record in a transaction of `records.writing()` and return it.

    What else stands in the transaction is kept together with the record or not at all. Call
    `move_anchor` after the commit. Other writers wait from here until then.
    """
    (record,) = append_all_in(connection, [(kind, case_id, payload)], at=at)
    return entry_of(record)


def append_all_in(
    connection: Connection, told: Sequence[tuple[str, str, Mapping[str, object]]], *, at: datetime
) -> list[StoredRecord]:
    """Do the same for many records at once, each given by its kind, its case and its payload."""
    # On PostgreSQL the lock on this row lines the writers up; SQLite has one writer at a time.
    head = connection.execute(select(ledger_head).with_for_update()).one_or_none()
    if head is None:
        raise _tampered("the row that names the ledger's last record is missing")
    chained: list[StoredRecord] = []
    seq, previous = head.seq, head.hash
    for kind, case_id, payload in told:
        record = next_record(seq + 1, kind, case_id, payload, at=at, previous=previous)
        seq, previous = record.seq, record.hash
        chained.append(record)
    if chained:
        try:
            connection.execute(insert(ledger), [vars(record) for record in chained])
        except IntegrityError:
            raise _tampered(f"{chained[0].name} cannot follow, its place is taken") from None
        connection.execute(update(ledger_head).values(seq=seq, hash=previous))
    return chained


def move_anchor(records: Records, seq: int) -> None:
    """Let the anchor vouch for record `seq`, which has been committed.

    Never fails: the record is written, and an anchor that lags is no lie. What kept it from moving
    is logged, and `verify` shows how far it reaches.
    """
    try:
        with records.reading() as connection:
            anchor.move_anchor(records.anchorage, connection, seq)
    except RecordsError as error:
        _log.warning("the ledger's anchor does not move: %s", error.message)


def anchor_anew(records: Records) -> None:
    """Anchor the ledger as it stands, after a person has looked at what `verify` says.

    Raises:
        RecordsError: The database cannot be read, or the home folder not written.
    """
    with records.reading() as connection:
        anchor.anchor_anew(records.anchorage, connection)


def entries_of(records: Records, case_id: str, kind: str | None = None) -> list[LedgerEntry]:
    """Return the records of a case in the order in which they were written."""
    if not can_be_stored(case_id):
        return []
    query = select(ledger).where(ledger.c.case_id == case_id).order_by(ledger.c.seq)
    if kind is not None:
        query = query.where(ledger.c.kind == kind)
    with records.reading() as connection:
        rows = connection.execute(query).all()
    return [entry_of(StoredRecord(*row)) for row in rows]


def find_entry(records: Records, seq: int) -> LedgerEntry | None:
    """Return the record with this number, or None."""
    with records.reading() as connection:
        row = connection.execute(select(ledger).where(ledger.c.seq == seq)).one_or_none()
    return entry_of(StoredRecord(*row)) if row else None


def latest(records: Records, case_id: str, kind: str) -> LedgerEntry | None:
    """Return the last record of this kind about a case, or None."""
    if not can_be_stored(case_id):
        return None
    query = (
        select(ledger)
        .where(ledger.c.case_id == case_id, ledger.c.kind == kind)
        .order_by(ledger.c.seq.desc())
        .limit(1)
    )
    with records.reading() as connection:
        row = connection.execute(query).one_or_none()
    return entry_of(StoredRecord(*row)) if row else None


def _tampered(what: str) -> RecordsError:
    return RecordsError(
        f"the ledger was changed by other hands: {what}", hint="run `amicus ledger verify`"
    )
