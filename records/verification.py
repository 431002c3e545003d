"""Walk the ledger from its first record to its last, and name every record that is not as written.

The walk keeps one record in memory, whatever the length of the ledger. What it proves and what it
cannot is said in `records/anchor.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, select

from errors import RecordsError
from records.anchor import Anchor
from records.chain import StoredRecord, genesis, is_intact
from records.database import read_damaged_text
from records.store import Records
from records.tables import ledger, ledger_head

FaultKind = Literal["edited", "dropped", "reordered", "truncated", "head", "anchor"]

MOST_FAULTS = 1_000
_REACH = 8  # how far from its likely place a moved record is looked for


@dataclass(frozen=True)
class LedgerFault:
    """One record that is not as it was written; `seq` is 0 where no record is to blame."""

    kind: FaultKind
    seq: int
    message: str


@dataclass(frozen=True)
class LedgerReport:
    """What a walk along the ledger found."""

    entries: int
    head: str
    """Hash of the last record; a copy of it kept elsewhere vouches for everything before it."""
    faults: list[LedgerFault]
    """The first thousand."""
    unlisted: int
    """How many more there are."""
    anchored: int | None
    """The last record that the anchor vouches for; None where there is no anchor to trust."""
    sealed: bool
    """Whether the anchor carries the seal of the key that was given."""


@dataclass(frozen=True)
class _Head:
    """What the database itself says about the end of its ledger."""

    ledger: str
    seq: int
    hash: str


@dataclass
class _Walk:
    """Where the walk stands, and what it has found."""

    connection: Connection
    start: str
    entries: int = 0
    last: StoredRecord | None = None
    last_is_intact: bool = True
    faults: list[LedgerFault] = field(default_factory=list)
    unlisted: int = 0

    @property
    def last_seq(self) -> int:
        return self.last.seq if self.last else 0

    @property
    def last_hash(self) -> str:
        return self.last.hash if self.last else self.start

    def blame(self, kind: FaultKind, seq: int, message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(LedgerFault(kind, seq, message))
        else:
            self.unlisted += 1

    def take(self, record: StoredRecord) -> None:
        """Look at the next record: its place, its content, and what it follows."""
        self.entries += 1
        expected = self.last_seq + 1
        if record.seq < expected:
            self.blame("edited", record.seq, f"{record.name} was put in: records count from 1")
            return
        if record.seq > expected:
            gap = _missing(expected, record.seq - 1)
            self.blame("dropped", expected, f"{gap}, before {record.name}")
        intact = is_intact(record)
        if not intact:
            self._blame_content(record)
        elif record.seq == expected and self.last_is_intact:
            self._follow(record)
        self.last, self.last_is_intact = record, intact

    def _blame_content(self, record: StoredRecord) -> None:
        origin = _origin(self.connection, record) if len(self.faults) < MOST_FAULTS else None
        if origin is None:
            self.blame("edited", record.seq, f"{record.name} is not as it was written")
        else:
            self.blame("reordered", record.seq, f"{record.name} was written as record {origin}")

    def _follow(self, record: StoredRecord) -> None:
        if record.previous == self.last_hash:
            return
        if self.last is None:
            self.blame("edited", record.seq, f"{record.name} does not begin this ledger")
        else:
            # Both are whole in themselves, so the earlier one was written anew with its hash.
            what = f"{self.last.name} was replaced: {record.name} follows another"
            self.blame("edited", self.last.seq, what)


def verify(records: Records) -> LedgerReport:
    """Return what holds and what does not; an edited, dropped or moved record is named.

    Raises:
        RecordsError: The database cannot be read.
    """
    # The anchor is read first: records written meanwhile then look like a lag, which is no fault.
    anchor, complaint = _anchor_of(records)
    with records.reading() as connection:
        read_damaged_text(connection)
        head = _head_of(connection)
        ours = anchor if anchor and head and anchor.ledger == head.ledger else None
        walk = _Walk(connection, genesis(head.ledger if head else ""))
        _walk_along(walk, ours)
    _look_at_the_end(walk, head, ours)
    if anchor and not ours:
        complaint = (
            f"the anchor belongs to another ledger, which has at least {anchor.seq} records: "
            "this database stands in the place of another, or this home does"
        )
    if anchor is None and complaint is None and walk.entries:
        complaint = "the anchor is missing: nothing outside the database vouches for the ledger"
    if complaint:
        walk.blame("anchor", 0, complaint)
    return LedgerReport(
        entries=walk.entries,
        head=walk.last_hash,
        faults=walk.faults,
        unlisted=walk.unlisted,
        anchored=ours.seq if ours else None,
        sealed=ours is not None and records.anchorage.key is not None,
    )


def _walk_along(walk: _Walk, anchor: Anchor | None) -> None:
    rows = walk.connection.execute(
        select(ledger).order_by(ledger.c.seq), execution_options={"yield_per": 500}
    )
    for row in rows:
        record = StoredRecord(*row)
        walk.take(record)
        if anchor and record.seq == anchor.seq and record.hash != anchor.hash:
            what = "is not the one that was anchored: it, or records before it, were written anew"
            walk.blame("anchor", record.seq, f"{record.name} {what}")


def _look_at_the_end(walk: _Walk, head: _Head | None, anchor: Anchor | None) -> None:
    told = max(head.seq if head else 0, anchor.seq if anchor else 0)
    if told > walk.last_seq:
        after = walk.last.name if walk.last else "the beginning"
        gap = _missing(walk.last_seq + 1, told)
        walk.blame("truncated", walk.last_seq + 1, f"{gap} at the end, after {after}")
    if head is None:
        walk.blame("head", 0, "the row that names the ledger's last record is missing or damaged")
    elif head.seq <= walk.last_seq and (head.seq, head.hash) != (walk.last_seq, walk.last_hash):
        last = walk.last.name if walk.last else "nothing"
        walk.blame("head", walk.last_seq, f"the head names record {head.seq}, the last is {last}")


def _anchor_of(records: Records) -> tuple[Anchor | None, str | None]:
    try:
        return records.anchorage.read(), None
    except RecordsError as error:
        return None, error.message


def _head_of(connection: Connection) -> _Head | None:
    row = connection.execute(
        select(ledger_head.c.ledger, ledger_head.c.seq, ledger_head.c.hash)
    ).one_or_none()
    if row is None:
        return None
    whole = isinstance(row.ledger, str) and isinstance(row.seq, int) and isinstance(row.hash, str)
    return _Head(row.ledger, row.seq, row.hash) if whole else None


def _origin(connection: Connection, record: StoredRecord) -> int | None:
    """Return the number under which a record is whole, when it only stands in a wrong place.

    Looked for near where it stands, and near where the record that it follows stands.
    """
    if not str(record.previous).isascii():
        return None  # damaged, and never a hash
    before = connection.execute(
        select(ledger.c.seq).where(ledger.c.hash == record.previous).limit(1)
    ).scalar_one_or_none()
    places = [record.seq] if before is None else [record.seq, before]
    for place in places:
        for seq in range(place - _REACH, place + _REACH + 1):
            if seq != record.seq and is_intact(record, as_number=seq):
                return seq
    return None


def _missing(first: int, last: int) -> str:
    if first == last:
        return f"record {first} is missing"
    return f"records {first} to {last} are missing"
