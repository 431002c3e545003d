"""An engine for the records: SQLite or PostgreSQL, set up so that both keep the same promises."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from errors import RecordsError, shown

_ADDRESSES = "give sqlite:////path/to/file.db or postgresql://user:password@host/database"
_POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})

WRITES = "amicus_writes"
"""The execution option that tells SQLite to take the write lock when a transaction begins."""


def make_engine(address: str, *, busy_seconds: float) -> Engine:
    """Return an engine that has not connected yet.

    Raises:
        RecordsError: `address` is none of ours; it is not repeated, as it may hold a password.
    """
    url = _parsed(address)
    if url.drivername in _SQLITE:
        return _sqlite(url, busy_seconds)
    if url.drivername in _POSTGRESQL:
        return _postgresql(url.set(drivername="postgresql+psycopg"), busy_seconds)
    raise RecordsError(
        f"the records cannot live in {shown(url.drivername)}: SQLite and PostgreSQL are known",
        hint=_ADDRESSES,
    )


def place_of(url: URL) -> str:
    """Return where the records live as it may be printed: without password and options."""
    if url.drivername in _SQLITE:
        return str(url.database)
    host = url.host or url.query.get("host") or "local socket"
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{host if isinstance(host, str) else host[0]}{port}/{url.database}"


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that can say what happens where the row is there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def read_damaged_text(connection: Connection) -> None:
    """Let this connection return text that is not UTF-8 instead of failing on it.

    For the ledger's verification: damage has to be named, not to stop the search for damage.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        connection.detach()  # nobody else shall get it afterwards
        driver.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def _parsed(address: str) -> URL:
    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        # Neither the address nor the reason is shown: a slip may leave the password in both.
        raise RecordsError(
            "the address of the records does not parse",
            hint=f"{_ADDRESSES}, with @ / : in a password written as %40 %2F %3A",
        ) from None


def _sqlite(url: URL, busy_seconds: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise RecordsError("the records need a file: this SQLite has none", hint=_ADDRESSES)
    _make_private(Path(url.database))
    engine = create_engine(
        url,
        connect_args={"timeout": busy_seconds},
        hide_parameters=True,
        max_overflow=-1,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: Path) -> None:
    """Create the file readable by its owner alone, before SQLite would for everybody."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return  # it exists, or SQLite says why it cannot


def _prepare_sqlite(driver: Any, _record: object) -> None:
    driver.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = driver.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail although it waits: another may have
    # written between. So writers take the lock at once.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL, busy_seconds: float) -> Engine:
    # Times are compared in UTC, and a lock is waited for as long as SQLite would wait.
    # A plan that was kept from when the tables were empty would read all of them.
    options = (
        f"-c timezone=UTC -c lock_timeout={round(busy_seconds * 1000)} "
        "-c plan_cache_mode=force_custom_plan"
    )
    given = url.query.get("options")
    return create_engine(
        url.difference_update_query(["options"]),
        connect_args={
            "options": f"{given} {options}" if isinstance(given, str) else options,
            "connect_timeout": max(2, round(busy_seconds)),
        },
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=24,
    )
