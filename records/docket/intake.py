"""Take cases in: each once, whatever is sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from records.docket.entries import NewCase
from records.documents import insert_new, insert_rows, rows_in
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
        # In the order of their ids, so that two who add the same cases wait instead of locking up.
        fresh = _entered(connection, [first[case_id] for case_id in sorted(first)], now)
        kept = {case_id: first[case_id].fingerprint for case_id in fresh}
        kept |= _fingerprints(connection, sorted(first.keys() - fresh))
    others = tuple(case.case_id for case in batch if kept[case.case_id] != case.fingerprint)
    return Intake(len(fresh), len(batch) - len(others) - len(fresh), others)


def _entered(connection: Connection, cases: Sequence[NewCase], now: float) -> set[str]:
    """Add what is not there, and return the ids of it.

    The small rows go first: of what is there already no content is sent. Whoever adds the same case
    at the same time waits here until it is known who was first.
    """
    rows = [{"case_id": c.case_id, "due": c.due, "policy": c.policy} for c in cases]
    fresh = set(insert_new(connection, docket, rows, always={**_ENTERING, "added_at": now}))
    contents = [
        {"case_id": c.case_id, "content": c.content, "fingerprint": c.fingerprint}
        for c in cases
        if c.case_id in fresh
    ]
    insert_rows(connection, docket_cases, contents)
    return fresh


def _fingerprints(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    if not ids:
        return {}
    asked = rows_in(connection, docket_cases, [{"case_id": case_id} for case_id in ids])
    query = select(docket_cases.c.case_id, docket_cases.c.fingerprint)
    query = query.where(docket_cases.c.case_id.in_(select(asked.c.case_id)))
    return {row.case_id: row.fingerprint for row in connection.execute(query)}


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
