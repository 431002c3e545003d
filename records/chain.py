"""What makes the ledger a chain: each record's hash covers its content and the hash before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from errors import RecordsError, shown
from policies.rulebook import digest


@dataclass(frozen=True)
class LedgerEntry:
    """One record: what happened, when, and its place in the chain."""

    seq: int
    kind: str
    case_id: str
    at: datetime
    payload: Mapping[str, object]
    previous: str
    hash: str


@dataclass(frozen=True)
class StoredRecord:
    """A record as its row holds it; nothing in it can be trusted before its hash is checked."""

    seq: int
    kind: str
    case_id: str
    at: str
    payload: str
    previous: str
    hash: str

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"record {self.seq} (case {shown(self.case_id)})"


def genesis(ledger: str) -> str:
    """Return what the first record follows; it differs from ledger to ledger."""
    return digest(["amicus ledger", ledger])


def next_record(  # noqa: PLR0913 (a record's columns, in their order)
    seq: int, kind: str, case_id: str, payload: Mapping[str, object], *, at: datetime, previous: str
) -> StoredRecord:
    """Return the record that follows the one with the hash `previous`.

    Raises:
        ValueError: The payload is not JSON, the moment names no zone, or a name is empty.
    """
    if not (kind.isprintable() and case_id.isprintable() and kind and case_id):
        raise ValueError("a ledger record needs a kind and a case id that can be printed")
    when, told = _moment(at), _canonical(payload)
    return StoredRecord(
        seq, kind, case_id, when, told, previous, _hash(seq, kind, case_id, when, told, previous)
    )


def is_intact(record: StoredRecord, *, as_number: int | None = None) -> bool:
    """Whether the record's hash fits its content, under its own number or another."""
    number, *content, stated = astuple(record)
    if not all(isinstance(part, str) for part in content):
        return False  # a column was given a value of another type
    return bool(_hash(number if as_number is None else as_number, *content) == stated)


def entry_of(record: StoredRecord) -> LedgerEntry:
    """Return the record with its moment and payload read.

    Raises:
        RecordsError: They are not as they were written.
    """
    try:
        at, payload = datetime.fromisoformat(record.at), json.loads(record.payload)
    except (TypeError, ValueError):
        raise RecordsError(
            f"{record.name} of the ledger is damaged", hint="run `amicus ledger verify`"
        ) from None
    return LedgerEntry(
        record.seq, record.kind, record.case_id, at, payload, record.previous, record.hash
    )


def _hash(*columns: object) -> str:
    return digest(columns)


def _canonical(payload: Mapping[str, object]) -> str:
    # ASCII, sorted keys, no spaces and no NaN: the same value is always the same text.
    try:
        return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"a ledger payload must be JSON: {error}") from None


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a ledger record needs a moment with a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")
