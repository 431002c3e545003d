"""Every foreign error becomes one of ours: what, where, what to do next, and no password."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import DBAPIError

from errors import RecordsError
from policies.rulebook import Rulebook
from records.accounts import find_account
from records.ledger import append, append_in, verify
from records.rulebooks import keep_rulebook
from records.store import Records, open_records
from records.tables import rulebooks
from tests.postgres import Server
from tests.records.another_process import another_process, hears

AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are my notes, and no database at all\n" * 50, encoding="utf-8")

    with pytest.raises(RecordsError, match=r"notes\.txt' is not a database") as caught:
        open_records(f"sqlite:///{file}", home=tmp_path / "home")
    assert "AMICUS_DATABASE_URL" in caught.value.hint
    assert file.read_text(encoding="utf-8").startswith("these are my notes")


def test_a_damaged_database_is_said_to_be_damaged(sqlite_url: str, home: Path) -> None:
    files = {"spam.md": "x" * 50_000}
    with open_records(sqlite_url, home=home) as opened:
        keep_rulebook(opened, Rulebook((), files).id, files)
    file = home / "amicus.db"
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (file.stat().st_size - 4096))

    def read() -> None:
        with open_records(sqlite_url, home=home) as opened, opened.reading() as connection:
            connection.execute(select(rulebooks)).all()

    with pytest.raises(RecordsError, match="is damaged"):
        read()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"nowhere/amicus\.db' cannot be opened"):
        open_records(f"sqlite:///{tmp_path}/nowhere/amicus.db", home=tmp_path / "home")


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.touch()

    with pytest.raises(RecordsError, match="home folder") as caught:
        open_records(f"sqlite:///{tmp_path}/amicus.db", home=file)
    assert "AMICUS_HOME" in caught.value.hint


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Take root's rights away for a while: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody may pass: those of pytest are for one user."""
    folder = Path(tempfile.mkdtemp(prefix="amicus-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_database_that_may_not_be_written_is_said_so(public_folder: Path) -> None:
    url = f"sqlite:///{public_folder}/amicus.db"
    with open_records(url, home=public_folder / "home") as opened:
        append(opened, "verdict", "c-1", {}, at=AT)
    (public_folder / "amicus.db").chmod(0o444)
    (public_folder / "home").chmod(0o777)
    (public_folder / "home" / "ledger.lock").chmod(0o666)
    public_folder.chmod(0o555)

    with (
        as_somebody_else(),
        pytest.raises(RecordsError, match=r"cannot be (written|opened)"),
        open_records(url, home=public_folder / "home") as opened,
    ):
        append(opened, "verdict", "c-2", {}, at=AT)


def test_a_home_that_may_not_be_written_is_said_so(public_folder: Path) -> None:
    public_folder.chmod(0o555)

    with as_somebody_else(), pytest.raises(RecordsError, match="home folder") as caught:
        open_records(f"sqlite:///{public_folder}/home/amicus.db", home=public_folder / "home")
    assert "AMICUS_HOME" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:hunter2@db/records", "mysql"),
        ("sqlite://", "need a file"),
        ("sqlite:///:memory:", "need a file"),
        ("postgresql://me:hunter2@db:no-port/records", "does not parse"),
        ("hunter2", "does not parse"),
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_without_its_password(
    url: str, said: str, home: Path
) -> None:
    with pytest.raises(RecordsError, match=said) as caught:
        open_records(url, home=home)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "sqlite:///" in caught.value.hint


def test_a_server_that_is_not_there_is_named_without_the_password(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening: a connection is refused
        port = taken.getsockname()[1]
        url = f"postgresql://me:hunter2@127.0.0.1:{port}/records?application_name=hunter2"
        with pytest.raises(RecordsError, match=f"cannot connect to .*127.0.0.1:{port}") as caught:
            open_records(url, home=home)

    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


@pytest.mark.postgres
def test_a_wrong_password_is_said_to_be_wrong_and_not_repeated(
    postgres: Server, home: Path
) -> None:
    postgres.run("CREATE ROLE guest LOGIN PASSWORD 'right'")
    url = postgres.url(user="guest:hunter2")

    with pytest.raises(RecordsError, match=r"guest@.* refuses the log-in") as caught:
        open_records(url, home=home)
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.postgres
def test_a_server_that_goes_away_is_said_to_be_gone(
    postgres: Server, postgres_url: str, home: Path
) -> None:
    with open_records(postgres_url, home=home) as opened:

        def read_and_lose_the_server() -> None:
            with opened.reading() as connection:
                pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                postgres.run(f"SELECT pg_terminate_backend({pid})")
                connection.execute(text("SELECT 1"))

        with pytest.raises(RecordsError, match="cannot connect"):
            read_and_lose_the_server()
        append(opened, "verdict", "c-1", {}, at=AT)  # the next connection is a new one


def test_records_that_another_process_writes_are_locked(sqlite_url: str, home: Path) -> None:
    with (
        open_records(sqlite_url, home=home, busy_seconds=0.2) as opened,
        another_process("hold", sqlite_url, home) as process,
    ):
        assert hears(process) == "holding"
        with pytest.raises(RecordsError, match="is locked by another process") as caught:
            append(opened, "verdict", "c-1", {}, at=AT)
        assert "try again" in caught.value.hint


def test_records_that_another_process_writes_can_be_opened_and_read(
    sqlite_url: str, home: Path
) -> None:
    with another_process("hold", sqlite_url, home) as process:
        assert hears(process) == "holding"
        with open_records(sqlite_url, home=home, busy_seconds=0) as opened:
            assert find_account(opened, "u-1") is None


def test_a_lock_on_the_ledger_is_waited_for_only_so_long(records_url: str, home: Path) -> None:
    with (
        open_records(records_url, home=home) as first,
        open_records(records_url, home=home, busy_seconds=0.2) as second,
        first.writing() as connection,
    ):
        append_in(connection, "verdict", "c-1", {}, at=AT)
        with pytest.raises(RecordsError, match="is locked by another process"):
            append(second, "verdict", "c-2", {}, at=AT)


def fill_disk_at(engine: Engine, pages: int) -> None:
    """Let the database grow to so many pages and no further, as on a full disk."""

    @event.listens_for(engine, "begin")
    def _limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_said_to_be_full_and_keeps_what_was_there(
    sqlite_url: str, home: Path
) -> None:
    with open_records(sqlite_url, home=home) as opened:
        append(opened, "verdict", "c-1", {}, at=AT)
        fill_disk_at(opened.engine, 40)
        with pytest.raises(RecordsError, match=r"disk .* is full"):
            append(opened, "verdict", "c-2", {"rationale": "x" * 500_000}, at=AT)
        append(opened, "verdict", "c-3", {}, at=AT)

        report = verify(opened)
    assert (report.entries, report.faults, report.anchored) == (2, [], 2)


def test_a_mistake_of_ours_is_no_message_to_a_user(records: Records) -> None:
    with pytest.raises(DBAPIError), records.reading() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
