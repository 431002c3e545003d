"""Take cases in: each once, whatever is sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from records.docket.entries import NewCase
from records.documents import insert_new
from records.store import Records
from records.tables import docket, docket_cases


@dataclass(frozen=True)
class Intake:
    """What became of a batch of cases."""

    new: int
    known: int
    """How many were there already, word for word."""
    refused: tuple[str, ...]
    """The ids that are there with other content, once for each time they came."""


def take_in(records: Records, batch: Sequence[NewCase], *, now: float) -> Intake:
    """Add cases in one transaction; what is there already stays as it is.

    Raises:
        RecordsError: They could not be written; then none was.
    """
    first: dict[str, NewCase] = {}
    for case in batch:
        first.setdefault(case.case_id, case)
    with records.writing() as connection:
        before = _fingerprints(connection, list(first))
        # In the order of their ids, so that two who add the same cases wait instead of locking up.
        fresh = [first[case_id] for case_id in sorted(first.keys() - before.keys())]
        _insert(connection, fresh, now)
        kept = before | _kept_meanwhile(connection, fresh)
    others = tuple(case.case_id for case in batch if kept[case.case_id] != case.fingerprint)
    new = sum(kept[case.case_id] == case.fingerprint for case in fresh)
    return Intake(new, len(batch) - len(others) - new, others)


def _kept_meanwhile(connection: Connection, fresh: Sequence[NewCase]) -> dict[str, str]:
    """What is there after the insert: another process may have been first with another content."""
    if connection.dialect.name == "sqlite":  # which has one writer at a time
        return {case.case_id: case.fingerprint for case in fresh}
    return _fingerprints(connection, [case.case_id for case in fresh])


def _fingerprints(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    query = select(docket_cases.c.case_id, docket_cases.c.fingerprint)
    found = connection.execute(query.where(docket_cases.c.case_id.in_(ids)))
    return {row.case_id: row.fingerprint for row in found}


def _insert(connection: Connection, fresh: Sequence[NewCase], now: float) -> None:
    cases = [
        {"case_id": c.case_id, "content": c.content, "fingerprint": c.fingerprint} for c in fresh
    ]
    insert_new(connection, docket_cases, cases)
    rows = [{"case_id": c.case_id, "due": c.due, "policy": c.policy} for c in fresh]
    insert_new(connection, docket, rows, always={**_ENTERING, "added_at": now})


_ENTERING: dict[str, object] = {
    "state": "waiting",
    "waits_for": "machine",
    "reserved_for": "",
    "tries": 0,
    "fence": 0,
    "held_by": "",
    "reason": "",
    "overturned": False,
    "cost": 0.0,
}
