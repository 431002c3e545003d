"""Temporary tables, in which an import is read and checked before anybody waits for it.

They belong to one connection and vanish with it, however it ends. Filling them takes no lock on
the records; only the merge that follows does, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    MetaData,
    Select,
    Table,
    delete,
    func,
    insert,
    select,
)

from errors import shown
from records.database import WRITES, insert_into
from records.imports import BadRows
from records.refusals import refusals_explained
from records.schema import alone
from records.store import Records

_BATCH = 1_000


def staged_copy(table: Table, *extra: Column[Any]) -> Table:
    """Return a temporary table with the columns of `table`, and `line`, where a row came from."""
    name = f"incoming_{table.name}"
    keys = [column.name for column in table.primary_key]
    return Table(
        name,
        MetaData(),
        Column("line", BigInteger, nullable=False),
        *(Column(column.name, column.type) for column in table.columns),
        *extra,
        Index(f"{name}_key", *keys),
        prefixes=["TEMPORARY"],
    )


@contextmanager
def staging(records: Records, *tables: Table) -> Iterator[Connection]:
    """Lend a connection that has these temporary tables; errors are explained as elsewhere."""
    with refusals_explained(records.engine), records.engine.connect() as connection:
        connection.detach()
        with connection.begin():
            for table in tables:
                table.create(connection, checkfirst=False)
        yield connection


@contextmanager
def merging(connection: Connection) -> Iterator[None]:
    """Let one import at a time write what was staged, all of it or nothing."""
    connection.execution_options(**{WRITES: True})
    with connection.begin():
        alone(connection)
        yield


class Batches:
    """Writes rows into a temporary table, a thousand at a time."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._rows: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row; it is written with others."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if self._rows:
            self._connection.execute(insert(self._table), self._rows)
            self._rows = []


def drop_repeated(connection: Connection, table: Table, *dependent: Table, bad: BadRows) -> None:
    """Keep the first row with each id; report every other and drop it, and what came with it.

    The id is the first column after `line`. Rows of `dependent` tables came with a row when they
    came from its line.
    """
    key = list(table.columns)[1]
    first = (
        select(key, func.min(table.c.line).label("line"))
        .group_by(key)
        .having(func.count() > 1)
        .subquery()
    )
    repeated = (
        select(table.c.line, key.label("key"), first.c.line.label("first"))
        .join(first, first.c[key.name] == key)
        .where(table.c.line > first.c.line)
    )
    found = False
    for row in connection.execute(repeated.order_by(table.c.line)):
        found = True
        bad.add(row.line, f"{key.name} {shown(row.key)} stands on line {row.first} already")
    if found:
        lines = select(repeated.subquery().c.line)
        for each in (*dependent, table):
            connection.execute(delete(each).where(each.c.line.in_(lines)))


def copy_rows(
    connection: Connection, source: Table, target: Table, condition: ColumnElement[bool]
) -> None:
    """Copy what was staged and fits the condition; a row that is there already stays."""
    names = [column.name for column in target.columns]
    rows = select(*(source.c[name] for name in names)).where(condition)
    add = insert_into(connection, target).from_select(names, rows)
    connection.execute(add.on_conflict_do_nothing())


def count(connection: Connection, query: Select[Any]) -> int:
    """Return how many rows a query has."""
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
