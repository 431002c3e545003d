"""What a database says when it refuses, in our own words and with what to do next.

Told apart by the codes of SQLite and PostgreSQL, never by the text of their messages, which may
hold an address or a row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import RecordsError, shown
from records.database import place_of


class PassingRefusalError(RecordsError):
    """A refusal that may be over in a while: a lock, a full disk, a server that starts again."""


_LOCKED = (
    "{place} is locked by another process",
    "wait until the other import or review has ended, then try again",
)
_FULL = (
    "the disk that holds {place} or temporary files is full",
    "free some space; nothing half was written",
)
_READ_ONLY = (
    "{place} cannot be written",
    "check who owns it and its folder, and whether the disk is mounted read-only",
)
_CLOSED = (
    "{place} cannot be opened",
    "check that its folder exists and that you may read and write in it",
)
_DAMAGED = (
    "{place} is damaged",
    "restore it from a backup; `amicus ledger verify` says if it fits",
)
_UNREACHED = (
    "cannot connect to {place}",
    "check that PostgreSQL runs there and what AMICUS_DATABASE_URL says",
)
_PASSWORD = (
    "{place} refuses the log-in",
    "check user name, password and database in AMICUS_DATABASE_URL",
)
_CROWDED = (
    "{place} takes no more connections",
    "use fewer workers, or raise max_connections",
)
_WAITED_FOR = ("too many threads wait for {place}", "use fewer workers")
_FORBIDDEN = ("{place} does not permit this", "ask for the right to create and write tables there")

_SQLITE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_IOERR: (
        "the disk fails under {place}",
        "check the disk, and that the file system supports locks",
    ),
    sqlite3.SQLITE_NOTADB: (
        "{place} is not a database",
        "move that file away or name another one in AMICUS_DATABASE_URL",
    ),
}
_POSTGRESQL = {
    "55P03": _LOCKED,  # lock_not_available
    "40P01": _LOCKED,  # deadlock_detected
    "53100": _FULL,  # disk_full
    "25006": _READ_ONLY,  # read_only_sql_transaction
    "28P01": _PASSWORD,  # invalid_password
    "28000": _PASSWORD,  # invalid_authorization_specification
    "42501": _FORBIDDEN,  # insufficient_privilege
    "57P01": _UNREACHED,  # admin_shutdown
    "57P02": _UNREACHED,  # crash_shutdown
    "57P03": _UNREACHED,  # cannot_connect_now
    "53300": _CROWDED,  # too_many_connections
}


_PASSING = frozenset({_LOCKED, _FULL, _UNREACHED, _CROWDED, _WAITED_FOR})


@contextmanager
def refusals_explained(engine: Engine) -> Iterator[None]:
    """Turn what the database refuses into a RecordsError; a mistake of ours stays what it is."""
    try:
        yield
    except DBAPIError as error:
        reason = _reason(error.orig, invalidated=error.connection_invalidated)
        if reason is None:
            raise
        raise _error(engine, *reason) from None
    except PoolTimeout:
        raise _error(engine, *_WAITED_FOR) from None


def _error(engine: Engine, message: str, hint: str) -> RecordsError:
    kind = PassingRefusalError if (message, hint) in _PASSING else RecordsError
    return kind(message.format(place=shown(place_of(engine.url), 200)), hint=hint)


def _reason(orig: BaseException | None, *, invalidated: bool) -> tuple[str, str] | None:
    if isinstance(orig, sqlite3.Error):
        # The low byte is the error, the rest only says which kind of it.
        return _SQLITE.get(getattr(orig, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(orig, psycopg.Error):
        if orig.sqlstate is not None:
            return _POSTGRESQL.get(orig.sqlstate)
        connection = orig.pgconn
        if connection is not None and (connection.used_password or connection.needs_password):
            return _PASSWORD
        if invalidated or isinstance(orig, psycopg.OperationalError):
            return _UNREACHED
    return None
