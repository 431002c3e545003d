"""The open records: one database, and the home folder beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from errors import RecordsError, shown
from records.anchor import Anchorage, anchor_new_ledger
from records.database import WRITES, make_engine
from records.refusals import refusals_explained
from records.schema import STEPS, bring_up_to_date, version_of


class Records:
    """What has happened; made by `open_records`, closed by `with` or `close`.

    One object serves many threads.
    """

    def __init__(self, engine: Engine, anchorage: Anchorage) -> None:
        self.engine = engine
        self.anchorage = anchorage

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that sees one state of the records, whatever others write meanwhile."""
        with refusals_explained(self.engine), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection in a transaction: all of it is kept, or after an error nothing."""
        with refusals_explained(self.engine), self.engine.connect() as connection:
            connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_records(
    url: str, *, home: Path, ledger_key: str | None = None, busy_seconds: float = 5.0
) -> Records:
    """Open the records at `url`, and make them on first use.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        home: Folder for the ledger's anchor; created for its owner alone.
        ledger_key: Seals the anchor, so that a forged one is found as well.
        busy_seconds: How long to wait for another process that writes.

    Raises:
        RecordsError: The folder, the file or the server does not let us, or is too new for us.
    """
    _make_home(home)
    records = Records(make_engine(url, busy_seconds=busy_seconds), Anchorage(home, ledger_key))
    try:
        _prepare(records)
    except BaseException:
        records.close()
        raise
    return records


def _prepare(records: Records) -> None:
    with records.reading() as connection:
        outdated = version_of(connection) < STEPS[-1].number
    if outdated:
        with records.writing() as connection:
            bring_up_to_date(connection)
    with records.reading() as connection:
        anchor_new_ledger(records.anchorage, connection)


def _make_home(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RecordsError(
            f"cannot use {shown(str(home), 200)} as the home folder: {error.strerror}",
            hint="set AMICUS_HOME to a folder that you may write in",
        ) from None
