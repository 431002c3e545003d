from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from errors import RecordsError
from records.decisions import Decision, add_decisions_in, decisions_of
from records.ledger import (
    LedgerEntry,
    append,
    append_in,
    entries_of,
    find_entry,
    latest,
    move_anchor,
    verify,
)
from records.store import Records, open_records
from tests.records.another_process import another_process
from tests.records.tampering import tamper, write_records

AT = datetime(2026, 11, 1, 10, 30, tzinfo=UTC)


def test_records_count_from_one_and_follow_each_other(records: Records) -> None:
    first = append(records, "verdict", "c-1", {"decision": "allowed"}, at=AT)
    second = append(records, "decision", "c-1", {}, at=AT)

    assert (first.seq, second.seq) == (1, 2)
    assert second.previous == first.hash
    assert find_entry(records, 1) == first
    assert find_entry(records, 2) == second
    assert find_entry(records, 3) is None


def test_a_record_comes_back_word_for_word(records: Records) -> None:
    told = datetime(2026, 11, 1, 12, 0, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    payload = {"z": [1, 0.1, None, True], "a": {"text": "naïve \0 \ud800 \U0001f600 'quoted'"}}

    written = append(records, "verdict", "c-ü", payload, at=told)

    assert find_entry(records, 1) == written
    assert written == LedgerEntry(
        1, "verdict", "c-ü", told, payload, written.previous, written.hash
    )
    assert verify(records).faults == []


def test_the_same_content_has_another_hash_in_another_ledger(
    sqlite_records: Records, tmp_path: Path
) -> None:
    with open_records(f"sqlite:///{tmp_path}/home2/a.db", home=tmp_path / "home2") as others:
        ours = append(sqlite_records, "verdict", "c-1", {}, at=AT)
        theirs = append(others, "verdict", "c-1", {}, at=AT)

    assert ours.hash != theirs.hash


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"confidence": float("nan")}, "JSON"),
        ({"confidence": float("inf")}, "JSON"),
        ({"case": object()}, "JSON"),
        ({1: "a", "1": "b"}, "JSON"),
    ],
)
def test_a_payload_that_json_cannot_say_is_refused(
    untouched: Records, payload: Mapping[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        append(untouched, "verdict", "c-1", payload, at=AT)
    assert verify(untouched).entries == 0


def test_a_record_needs_a_moment_with_a_zone_and_names(untouched: Records) -> None:
    with pytest.raises(ValueError, match="time zone"):
        append(untouched, "verdict", "c-1", {}, at=AT.replace(tzinfo=None))
    for kind, case_id in [("", "c-1"), ("verdict", ""), ("verdict", "c\0"), ("verdict", "\ud800")]:
        with pytest.raises(ValueError, match="case id"):
            append(untouched, kind, case_id, {}, at=AT)


def test_records_are_found_by_case_and_kind(records: Records) -> None:
    for kind, case_id in [("verdict", "c-1"), ("verdict", "c-2"), ("decision", "c-1")]:
        append(records, kind, case_id, {}, at=AT)
    append(records, "verdict", "c-1", {"again": True}, at=AT)

    assert [entry.seq for entry in entries_of(records, "c-1")] == [1, 3, 4]
    assert [entry.seq for entry in entries_of(records, "c-1", "verdict")] == [1, 4]
    assert entries_of(records, "c-9") == []
    last = latest(records, "c-1", "verdict")
    assert last is not None
    assert last.payload == {"again": True}
    assert latest(records, "c-9", "verdict") is None


def test_a_decision_and_its_record_are_kept_together_or_not_at_all(records: Records) -> None:
    made = Decision("c-1", "violating", AT, section="spam.1")
    with records.writing() as connection:
        add_decisions_in(connection, "u-1", [made])
        entry = append_in(connection, "decision", "c-1", {"section": "spam.1"}, at=AT)
    move_anchor(records, entry.seq)

    def decide_and_fail() -> None:
        with records.writing() as connection:
            add_decisions_in(connection, "u-1", [Decision("c-2", "allowed", AT)])
            append_in(connection, "decision", "c-2", {}, at=AT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decide_and_fail()

    assert decisions_of(records, "u-1") == (made,)
    report = verify(records)
    assert (report.entries, report.anchored, report.faults) == (1, 1, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET payload = '{}' WHERE seq = 2",
        "UPDATE ledger SET seq = 9 WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger",
    ],
)
def test_the_database_itself_refuses_to_change_a_record(records: Records, statement: str) -> None:
    write_records(records, 3)

    with pytest.raises(DBAPIError), records.writing() as connection:
        connection.exec_driver_sql(statement)

    assert verify(records).faults == []


def test_sqlite_refuses_to_replace_a_record(sqlite_records: Records) -> None:
    write_records(sqlite_records, 3)

    with pytest.raises(DBAPIError), sqlite_records.writing() as connection:
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO ledger SELECT seq, kind, 'c-9', at, payload, previous, hash "
            "FROM ledger WHERE seq = 2"
        )

    assert verify(sqlite_records).faults == []


@pytest.mark.postgres
def test_postgresql_refuses_to_empty_the_ledger(postgres_url: str, home: Path) -> None:
    with open_records(postgres_url, home=home) as records:
        write_records(records, 3)

        with pytest.raises(DBAPIError), records.writing() as connection:
            connection.exec_driver_sql("TRUNCATE ledger")

        assert verify(records).faults == []


def test_nothing_is_written_after_a_head_that_was_changed(records: Records) -> None:
    write_records(records, 3)
    tamper(records.engine, "UPDATE ledger_head SET seq = 1")
    with pytest.raises(RecordsError, match=r"record 2 .*its place is taken") as caught:
        append(records, "verdict", "c-4", {}, at=AT)
    assert "amicus ledger verify" in caught.value.hint

    tamper(records.engine, "DELETE FROM ledger_head")
    with pytest.raises(RecordsError, match="missing"):
        append(records, "verdict", "c-4", {}, at=AT)


def test_a_record_that_was_damaged_is_not_read_as_if_whole(records: Records) -> None:
    write_records(records, 2)
    tamper(records.engine, "UPDATE ledger SET payload = 'no JSON' WHERE seq = 2")

    with pytest.raises(RecordsError, match=r"record 2 \(case 'c-2'\) .* damaged"):
        find_entry(records, 2)


def test_eight_threads_write_one_chain_without_gaps(records: Records) -> None:
    written: list[int] = []

    def write(name: str) -> None:
        written.extend(append(records, "verdict", name, {}, at=AT).seq for _ in range(8))

    threads = [threading.Thread(target=write, args=(f"c-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(written) == list(range(1, 65))
    report = verify(records)
    assert (report.entries, report.anchored, report.faults) == (64, 64, [])


def test_two_processes_write_one_chain_without_gaps(
    records: Records, records_url: str, home: Path
) -> None:
    with (
        another_process("append", records_url, home, "c-1", "15"),
        another_process("append", records_url, home, "c-2", "15"),
    ):
        write_records(records, 5)

    report = verify(records)
    assert (report.entries, report.anchored, report.faults) == (35, 35, [])
    turns = [entry.payload["turn"] for entry in entries_of(records, "c-2")[1:]]
    assert turns == list(range(15))
