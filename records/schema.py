"""The shape of the database: numbered steps from nothing to now.

To change it, append a step; a step that was ever released is not edited. A step that adds tables
creates them by name. A step that adds a column adds it only where it is missing, because on an
empty database step 1 has just created the table in its present shape.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, delete, insert, inspect, select, text

from errors import RecordsError, shown
from records import exchange_tables, risk_tables, tables
from records.chain import genesis

_LOCK = 0x616D69637573  # any number of our own: the letters of the program's name


@dataclass(frozen=True)
class Step:
    """One change of the schema; `name` is what an older program says about it."""

    number: int
    name: str
    run: Callable[[Connection], None]


def version_of(connection: Connection) -> int:
    """Return the number of the last step that was taken here; 0 on an empty database."""
    if not inspect(connection).has_table(tables.schema_version.name):
        return 0
    row = connection.execute(
        select(tables.schema_version.c.version, tables.schema_version.c.name)
    ).one_or_none()
    if row is None:
        return 0
    known = STEPS[-1].number
    if row.version > known:
        raise RecordsError(
            f"the records were written by a newer Amicus: schema {row.version} "
            f"({shown(row.name)}), and this one knows {known} ({shown(STEPS[-1].name)})",
            hint="update Amicus, or name another database in AMICUS_DATABASE_URL",
        )
    return int(row.version)


def bring_up_to_date(connection: Connection) -> None:
    """Take the steps that are still missing, all in the transaction of `connection`."""
    alone(connection)
    version = version_of(connection)
    if version == 0:
        _refuse_others(connection)
    for step in STEPS[version:]:
        step.run(connection)
        connection.execute(delete(tables.schema_version))
        connection.execute(
            insert(tables.schema_version).values(id=1, version=step.number, name=step.name)
        )


def alone(connection: Connection) -> None:
    """Wait until no other transaction that calls this is under way; SQLite's writers are anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _refuse_others(connection: Connection) -> None:
    taken = set(tables.metadata.tables).intersection(inspect(connection).get_table_names())
    if taken:
        raise RecordsError(
            f"the database holds tables of another program: {', '.join(sorted(taken))}",
            hint="give Amicus a database of its own with AMICUS_DATABASE_URL",
        )


def _first(connection: Connection) -> None:
    for table in (
        tables.schema_version,
        tables.accounts,
        tables.decisions,
        tables.precedents,
        tables.link_lists,
        tables.links,
        tables.rulebooks,
        tables.ledger_head,
        tables.ledger,
    ):
        table.create(connection, checkfirst=False)
    for statement in tables.FENCE[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    ledger = secrets.token_hex(16)
    connection.execute(
        insert(tables.ledger_head).values(id=1, ledger=ledger, seq=0, hash=genesis(ledger))
    )


def _docket(connection: Connection) -> None:
    for table in (tables.docket, tables.docket_cases, tables.docket_opinions, tables.outbox):
        table.create(connection, checkfirst=False)


def _exchanges(connection: Connection) -> None:
    for table in (
        exchange_tables.exchanges,
        exchange_tables.spending,
        exchange_tables.spending_totals,
        exchange_tables.prompt_texts,
        exchange_tables.contents,
        exchange_tables.batches,
        exchange_tables.batch_replies,
    ):
        table.create(connection, checkfirst=False)


def _risk(connection: Connection) -> None:
    for table in (
        risk_tables.certificates,
        risk_tables.audits,
        risk_tables.closing_quotas,
        risk_tables.closing_switch,
        risk_tables.copies,
    ):
        table.create(connection, checkfirst=False)


def _who_was_first(connection: Connection) -> None:
    columns = (tables.docket.c.first_decided_by, tables.docket.c.person_seconds)
    for column in columns:
        _add_column(connection, column)


def _add_column(connection: Connection, column: Column[Any]) -> None:
    """Add a column that may be empty, unless step 1 has just made it."""
    known = {found["name"] for found in inspect(connection).get_columns(column.table.name)}
    if column.name not in known:
        kind = column.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}"))


STEPS: Sequence[Step] = (
    Step(1, "accounts, precedents, links and ledger", _first),
    Step(2, "docket and outbox", _docket),
    Step(3, "exchanges with language models, spending and kept contents", _exchanges),
    Step(4, "certificates, audits, quotas and copies", _risk),
    Step(5, "who decided first, and how long people took", _who_was_first),
)
