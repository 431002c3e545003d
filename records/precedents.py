"""Precedents: decided cases, each bound to the wording of the section it was decided under."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Boolean, Column, Connection, delete, exists, or_, select, update
from sqlalchemy import Row as Stored

from errors import shown
from policies.rulebook import digest
from records.database import insert_into
from records.fields import Border, Id, Moment, Outcome, Text
from records.imports import BadRows, ImportReport, first_fault
from records.rows import Row, read_rows
from records.staging import Batches, copy_rows, count, drop_repeated, merging, staged_copy, staging
from records.store import Records
from records.tables import precedents as table

VersionOf = Callable[[str], str | None]
"""The present version of a section, or None where the rulebook has no such section."""

_MOST_AT_ONCE = 500  # of ids in one statement


@dataclass(frozen=True)
class Precedent:
    """A decided case; it is stale once its section has another version than this one."""

    case_id: str
    text: str
    decision: Outcome
    section: str
    section_version: str
    decided_at: datetime | None
    note: str
    overturned: bool


class _Given(Border):
    """A precedent as a file tells it."""

    case_id: Id
    text: Text
    decision: Outcome
    section: Id
    section_version: Text | None = None
    decided_at: Moment | None = None
    note: Text = ""
    overturned: bool = False


def add_precedents(
    records: Records,
    source: Path | Iterable[Mapping[str, object]],
    *,
    version_of: VersionOf,
    skip_bad: bool = False,
    replace: bool = False,
) -> ImportReport:
    """Add decided cases from a JSONL or CSV file, or from rows, in one transaction.

    A row that names no `section_version` is bound to the present one. Added again, it stays bound
    to the version it was first decided under, however the section reads by then.

    Args:
        records: Where to.
        source: The file, or its rows.
        version_of: Knows the sections of the rulebook; a row with another section is bad.
        skip_bad: Add the good rows although there are bad ones; otherwise nothing is added then.
        replace: Let a row take the place of a precedent with the same id and other content;
            otherwise it is a bad row.

    Raises:
        InputError: The file cannot be read at all.
        RecordsError: The precedents cannot be written; then none was.
    """
    bad = BadRows()
    with staging(records, _incoming) as connection:
        with connection.begin():
            _stage(connection, _rows(source), version_of, bad)
            drop_repeated(connection, _incoming, bad=bad)
        with merging(connection):
            if not replace:
                _refuse_others(connection, bad)
            if bad.total and not skip_bad:
                return bad.report()
            return _merge(connection, bad)


def precedents(records: Records) -> Iterator[Precedent]:
    """Yield every precedent, by id."""
    with records.reading() as connection:
        found = connection.execute(
            select(table).order_by(table.c.case_id), execution_options={"yield_per": 500}
        )
        for row in found:
            yield _precedent(row)


def find_precedents(records: Records, ids: Iterable[str]) -> dict[str, Precedent]:
    """Return the precedents with these ids; those that are not there are left out."""
    wanted = list(dict.fromkeys(ids))
    found = {}
    with records.reading() as connection:
        for start in range(0, len(wanted), _MOST_AT_ONCE):
            some = wanted[start : start + _MOST_AT_ONCE]
            for row in connection.execute(select(table).where(table.c.case_id.in_(some))):
                found[row.case_id] = _precedent(row)
    return found


def keep_precedent_in(connection: Connection, made: Precedent) -> None:
    """Keep what a person decided, in a transaction of `records.writing()`.

    It takes the place of a precedent from the same case: the later word counts.
    """
    row = {**vars(made), "fingerprint": _fingerprint(_Given.model_validate(vars(made)))}
    add = insert_into(connection, table)
    told = {column.name: add.excluded[column.name] for column in table.columns}
    connection.execute(add.on_conflict_do_update(index_elements=table.primary_key, set_=told), row)


def overturn_precedent_in(connection: Connection, case_id: str) -> None:
    """Mark the precedent from a case as overturned, in a transaction of `records.writing()`."""
    connection.execute(update(table).where(table.c.case_id == case_id).values(overturned=True))


_COLUMNS = tuple(_Given.model_fields)
_incoming = staged_copy(table, Column("bound", Boolean, nullable=False))
_same_id = table.c.case_id == _incoming.c.case_id
_differs = or_(
    table.c.fingerprint != _incoming.c.fingerprint,
    _incoming.c.bound & (table.c.section_version != _incoming.c.section_version),
)


def _rows(source: Path | Iterable[Mapping[str, object]]) -> Iterator[Row]:
    if isinstance(source, Path):
        return read_rows(source, columns=_COLUMNS)
    return (Row(number, dict(fields)) for number, fields in enumerate(source, start=1))


def _stage(
    connection: Connection, rows: Iterator[Row], version_of: VersionOf, bad: BadRows
) -> None:
    staged = Batches(connection, _incoming)
    for row in rows:
        if row.fault:
            bad.add(row.line, row.fault)
            continue
        try:
            given = _Given.model_validate(row.fields)
        except ValidationError as error:
            bad.add(row.line, first_fault(error))
            continue
        version = version_of(given.section)
        if version is None:
            bad.add(row.line, f"section: the rulebook has no section {shown(given.section)}")
            continue
        staged.add({"line": row.line, **_values(given, version)})
    staged.flush()


def _refuse_others(connection: Connection, bad: BadRows) -> None:
    """Take out what is kept with other content already, and report it."""
    others = select(_incoming.c.line, _incoming.c.case_id).join(table, _same_id).where(_differs)
    for row in connection.execute(others.order_by(_incoming.c.line)):
        bad.add(row.line, f"precedent {shown(row.case_id)} is kept with other content already")
    lines = select(others.subquery().c.line)
    connection.execute(delete(_incoming).where(_incoming.c.line.in_(lines)))


def _merge(connection: Connection, bad: BadRows) -> ImportReport:
    total = count(connection, select(_incoming.c.case_id))
    known = select(_incoming.c.case_id).join(table, _same_id)
    old = count(connection, known)
    changed = count(connection, known.where(_differs))
    connection.execute(delete(table).where(table.c.case_id.in_(known.where(_differs))))
    copy_rows(connection, _incoming, table, ~exists().where(_same_id))
    return bad.report(new=total - old, changed=changed, unchanged=old - changed)


def _values(given: _Given, version: str) -> dict[str, Any]:
    content = given.model_dump(exclude={"section_version"})
    return {
        **content,
        "section_version": given.section_version or version,
        "bound": bool(given.section_version),
        "fingerprint": _fingerprint(given),
    }


def _fingerprint(given: _Given) -> str:
    return digest(given.model_dump(mode="json", exclude={"section_version"}))


def _precedent(row: Stored[Any]) -> Precedent:
    return Precedent(
        case_id=row.case_id,
        text=row.text,
        decision=row.decision,
        section=row.section,
        section_version=row.section_version,
        decided_at=row.decided_at,
        note=row.note,
        overturned=row.overturned,
    )
