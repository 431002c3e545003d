from __future__ import annotations

import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from errors import RecordsError
from records.docket.reading import read_docket
from records.ledger import append, verify
from records.schema import STEPS, Step, bring_up_to_date, version_of
from records.store import Records, open_records
from records.tables import precedents, schema_version

AT = datetime(2026, 11, 1, tzinfo=UTC)
ANOTHER_PROCESS = Path(__file__).with_name("another_process.py")


def test_the_home_folder_and_the_database_are_for_their_owner_alone(
    sqlite_url: str, home: Path
) -> None:
    open_records(sqlite_url, home=home).close()

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {0o600}


def test_records_are_made_on_first_use_and_found_on_the_next(records_url: str, home: Path) -> None:
    with open_records(records_url, home=home) as first:
        append(first, "verdict", "c-1", {}, at=AT)
    with open_records(records_url, home=home) as second:
        assert verify(second).entries == 1


def test_many_who_open_new_records_at_once_make_them_once(records_url: str, home: Path) -> None:
    failures: list[BaseException] = []

    def open_and_append(number: int) -> None:
        try:
            with open_records(records_url, home=home, busy_seconds=60) as opened:
                append(opened, "verdict", f"c-{number}", {}, at=AT)
        except BaseException as error:  # noqa: BLE001 (the thread's end is the test's beginning)
            failures.append(error)

    threads = [threading.Thread(target=open_and_append, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with open_records(records_url, home=home) as opened:
        report = verify(opened)
    assert (report.entries, report.faults, report.anchored) == (6, [], 6)


def test_sqlite_is_set_up_to_lose_nothing(sqlite_records: Records) -> None:
    with sqlite_records.reading() as connection:
        said = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert said == ["wal", 2, 1, 5000]


def test_what_was_written_before_an_error_is_taken_back(records: Records) -> None:
    def write_and_stop() -> None:
        with records.writing() as connection:
            connection.execute(insert(precedents).values(A_PRECEDENT))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()

    with records.reading() as connection:
        assert connection.execute(select(precedents)).all() == []


def test_a_moment_comes_back_aware_and_the_same(records: Records) -> None:
    told = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5.5)))
    with records.writing() as connection:
        connection.execute(insert(precedents).values(A_PRECEDENT | {"decided_at": told}))

    with records.reading() as connection:
        kept = connection.execute(select(precedents.c.decided_at)).scalar_one()
    assert kept == told
    assert kept.tzinfo is UTC


def test_a_reader_sees_one_state_whatever_is_written_meanwhile(records: Records) -> None:
    append(records, "verdict", "c-1", {}, at=AT)
    with records.reading() as connection:
        before = connection.execute(text("SELECT count(*) FROM ledger")).scalar_one()
        append(records, "verdict", "c-2", {}, at=AT)
        after = connection.execute(text("SELECT count(*) FROM ledger")).scalar_one()

    assert (before, after) == (1, 1)


def test_a_newer_schema_is_refused_by_its_name(records_url: str, home: Path) -> None:
    with open_records(records_url, home=home) as opened, opened.writing() as connection:
        connection.execute(update(schema_version).values(version=99, name="the future"))

    with pytest.raises(RecordsError, match=r"schema 99 \('the future'\)") as caught:
        open_records(records_url, home=home)
    assert "update Amicus" in caught.value.hint


def test_older_records_take_the_steps_that_are_missing(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_table(connection: Any) -> None:
        connection.exec_driver_sql("CREATE TABLE gadgets (name TEXT PRIMARY KEY)")

    number = len(STEPS) + 1
    monkeypatch.setattr("records.schema.STEPS", (*STEPS, Step(number, "gadgets", add_table)))
    for _ in range(2):
        with records.writing() as connection:
            bring_up_to_date(connection)

    with records.reading() as connection:
        assert version_of(connection) == number
        assert connection.execute(text("SELECT count(*) FROM gadgets")).scalar_one() == 0


def test_a_docket_from_before_a_column_gains_it(records: Records) -> None:
    with records.writing() as connection:
        for column in ("first_decided_by", "person_seconds"):
            connection.exec_driver_sql(f"ALTER TABLE docket DROP COLUMN {column}")
        connection.execute(update(schema_version).values(version=4, name="before"))

    for _ in range(2):
        with records.writing() as connection:
            bring_up_to_date(connection)

    with records.reading() as connection:
        assert version_of(connection) == len(STEPS)
    assert list(read_docket(records)) == []


def test_a_database_with_tables_of_another_program_is_left_alone(
    records_url: str, home: Path
) -> None:
    open_records(records_url, home=home).close()
    with open_records(records_url, home=home) as opened, opened.writing() as connection:
        connection.exec_driver_sql("DROP TABLE schema_version")

    with pytest.raises(RecordsError, match="another program"):
        open_records(records_url, home=home)


def test_sqlite_of_another_program_is_not_written_to(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE accounts (name TEXT)")
    connection.close()

    with pytest.raises(RecordsError, match="another program"):
        open_records(f"sqlite:///{file}", home=tmp_path / "home")

    connection = sqlite3.connect(file)
    tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [("accounts",)]


A_PRECEDENT = {
    "case_id": "p-1",
    "text": "a post",
    "decision": "allowed",
    "section": "spam.1",
    "section_version": "sha256:1",
    "note": "",
    "overturned": False,
    "fingerprint": "sha256:2",
}
