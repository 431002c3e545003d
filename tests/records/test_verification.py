# ruff: noqa: S608 (attacks are what this file is for)
"""Whatever is done to the ledger is found, and the record that it was done to is named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.ledger import LedgerFault, LedgerReport, append, verify
from records.store import Records, open_records
from records.verification import MOST_FAULTS
from tests.records.tampering import AT, move, rewrite_from, tamper, write_records

NUMBER = 8


@pytest.fixture
def filled(records: Records) -> Records:
    write_records(records, NUMBER)
    return records


def found(report: LedgerReport) -> list[tuple[str, int]]:
    return [(fault.kind, fault.seq) for fault in report.faults]


def test_a_ledger_that_nobody_touched_has_no_faults(filled: Records) -> None:
    report = verify(filled)

    assert (report.entries, report.faults, report.unlisted) == (NUMBER, [], 0)
    assert (report.anchored, report.sealed) == (NUMBER, False)
    assert report.head.startswith("sha256:")


def test_an_empty_ledger_has_no_faults(records: Records) -> None:
    report = verify(records)

    assert (report.entries, report.faults, report.anchored) == (0, [], 0)


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'decision'",
        "case_id = 'c-9'",
        "at = '2026-11-02T00:00:00.000000+00:00'",
        """payload = '{"confidence":0.1}'""",
        "payload = payload || ' '",
        "previous = 'sha256:0'",
        "hash = 'sha256:0'",
    ],
)
def test_an_edited_record_is_named(filled: Records, change: str) -> None:
    tamper(filled.engine, f"UPDATE ledger SET {change} WHERE seq = 4")

    assert found(verify(filled)) == [("edited", 4)]


def test_an_edited_record_is_named_with_its_case(filled: Records) -> None:
    tamper(filled.engine, "UPDATE ledger SET payload = '{}' WHERE seq = 4")

    assert verify(filled).faults == [
        LedgerFault("edited", 4, "record 4 (case 'c-4') is not as it was written")
    ]


@pytest.mark.parametrize(
    "value", ["CAST(x'ff' AS TEXT)", "x'ff'", "7", "zeroblob(9)", "char(0)", "''"]
)
def test_damage_that_is_no_text_is_named_too(sqlite_records: Records, value: str) -> None:
    write_records(sqlite_records, 3)
    for column in ("payload", "case_id", "previous", "hash"):
        tamper(sqlite_records.engine, f"UPDATE ledger SET {column} = {value} WHERE seq = 2")

    assert ("edited", 2) in found(verify(sqlite_records))
    with sqlite_records.reading() as connection:  # and nobody reads damaged text afterwards
        assert connection.connection.driver_connection.text_factory is str  # type: ignore[union-attr]


def test_a_dropped_record_is_named(filled: Records) -> None:
    tamper(filled.engine, "DELETE FROM ledger WHERE seq = 4")

    assert verify(filled).faults == [
        LedgerFault("dropped", 4, "record 4 is missing, before record 5 (case 'c-5')")
    ]


def test_dropped_records_are_named_together(filled: Records) -> None:
    tamper(filled.engine, "DELETE FROM ledger WHERE seq IN (1, 2, 5, 6, 7)")

    messages = [fault.message for fault in verify(filled).faults]
    assert messages == [
        "records 1 to 2 are missing, before record 3 (case 'c-3')",
        "records 5 to 7 are missing, before record 8 (case 'c-8')",
    ]


@pytest.mark.parametrize(("first", "second"), [(4, 5), (2, 7), (1, 8), (1, 2), (7, 8)])
def test_records_that_changed_places_are_named(filled: Records, first: int, second: int) -> None:
    tamper(filled.engine, *move(first, second))

    named = [(fault.kind, fault.message) for fault in verify(filled).faults[:1]]
    assert named == [
        ("reordered", f"record {first} (case 'c-{second}') was written as record {second}")
    ]
    assert ("reordered", second) in found(verify(filled))


def test_a_record_dropped_and_the_rest_moved_up_is_found(filled: Records) -> None:
    tamper(
        filled.engine,
        "DELETE FROM ledger WHERE seq = 4",
        *(f"UPDATE ledger SET seq = {n - 1} WHERE seq = {n}" for n in range(5, NUMBER + 1)),
        f"UPDATE ledger_head SET seq = {NUMBER - 1}",
    )

    report = verify(filled)
    assert ("reordered", 4) in found(report)
    assert ("truncated", NUMBER) in found(report)


def test_a_truncated_ledger_is_found_by_its_head(filled: Records) -> None:
    tamper(filled.engine, "DELETE FROM ledger WHERE seq > 5")

    assert verify(filled).faults == [
        LedgerFault(
            "truncated", 6, "records 6 to 8 are missing at the end, after record 5 (case 'c-5')"
        )
    ]


def test_a_truncated_ledger_with_a_head_to_fit_is_found_by_its_anchor(filled: Records) -> None:
    tamper(
        filled.engine,
        "DELETE FROM ledger WHERE seq > 5",
        "UPDATE ledger_head SET seq = 5, hash = (SELECT hash FROM ledger WHERE seq = 5)",
    )

    assert found(verify(filled)) == [("truncated", 6)]


def test_an_emptied_ledger_is_found_by_its_anchor(filled: Records) -> None:
    tamper(filled.engine, "DELETE FROM ledger", "UPDATE ledger_head SET seq = 0")

    assert ("truncated", 1) in found(verify(filled))


def test_a_chain_that_was_written_anew_is_found_by_its_anchor(filled: Records) -> None:
    rewrite_from(filled.engine, 3)

    assert found(verify(filled)) == [("anchor", NUMBER)]


def test_a_chain_written_anew_and_continued_is_still_found(filled: Records) -> None:
    rewrite_from(filled.engine, 3)
    append(filled, "verdict", "c-9", {}, at=AT)
    append(filled, "verdict", "c-10", {}, at=AT)

    report = verify(filled)
    assert found(report) == [("anchor", NUMBER)]
    assert report.anchored == NUMBER


def test_a_record_replaced_with_its_own_hash_is_named(filled: Records) -> None:
    rewrite_from(filled.engine, NUMBER)
    append(filled, "verdict", "c-9", {}, at=AT)
    rewrite_from(filled.engine, 5)
    tamper(
        filled.engine,
        "UPDATE ledger SET previous = (SELECT hash FROM ledger WHERE seq = 5) WHERE seq = 7",
    )

    assert ("edited", 7) in found(verify(filled))


def test_a_record_put_in_before_the_first_is_named(filled: Records) -> None:
    tamper(
        filled.engine,
        "INSERT INTO ledger SELECT -1, kind, case_id, at, payload, previous, 'sha256:0' "
        "FROM ledger WHERE seq = 1",
    )

    assert found(verify(filled)) == [("edited", -1)]


def test_a_record_put_in_after_the_last_is_named(filled: Records) -> None:
    tamper(
        filled.engine,
        "INSERT INTO ledger SELECT 9, kind, case_id, at, payload, previous, 'sha256:0' "
        "FROM ledger WHERE seq = 8",
    )

    assert found(verify(filled)) == [("edited", 9), ("head", 9)]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM ledger_head",
        "UPDATE ledger_head SET hash = 'x'",
        "UPDATE ledger_head SET seq = 3",
    ],
)
def test_a_head_that_does_not_fit_is_found(filled: Records, change: str) -> None:
    tamper(filled.engine, change)

    assert "head" in [kind for kind, _ in found(verify(filled))]


def test_faults_are_listed_up_to_a_limit_and_counted_beyond(sqlite_records: Records) -> None:
    write_records(sqlite_records, 1)
    with sqlite_records.writing() as connection:
        for start in range(3, 2 * (MOST_FAULTS + 5), 2):
            connection.exec_driver_sql(
                "INSERT INTO ledger VALUES (?, 'verdict', 'c', '', '', '', ?)", (start, str(start))
            )

    report = verify(sqlite_records)
    assert len(report.faults) == MOST_FAULTS
    assert report.unlisted > MOST_FAULTS


@pytest.fixture(scope="module")
def a_chain() -> Iterator[Path]:
    """A home folder with a ledger of eight records, to be copied and tampered with."""
    with TemporaryDirectory() as folder:
        with open_records(f"sqlite:///{folder}/amicus.db", home=Path(folder)) as records:
            write_records(records, NUMBER)
        yield Path(folder)


numbers = st.integers(1, NUMBER)
columns = st.sampled_from(["kind", "case_id", "at", "payload", "previous", "hash"])
edits = st.builds(
    lambda seq, column, value: ([f"UPDATE ledger SET {column} = '{value}' WHERE seq = {seq}"], seq),
    numbers,
    columns,
    st.text("abc{}:1", max_size=5),
)
drops = st.builds(lambda seq: ([f"DELETE FROM ledger WHERE seq = {seq}"], seq), numbers)
swaps = st.builds(
    lambda pair: (list(move(*pair)), min(pair)),
    st.lists(numbers, min_size=2, max_size=2, unique=True),
)
cuts = st.builds(
    lambda seq: (
        [
            f"DELETE FROM ledger WHERE seq >= {seq}",
            f"UPDATE ledger_head SET seq = {seq - 1}",
        ],
        seq,
    ),
    numbers,
)


@settings(max_examples=60, deadline=None)
@given(attack=st.one_of(edits, drops, swaps, cuts))
def test_any_one_edit_drop_swap_or_cut_is_found_and_named(
    a_chain: Path, attack: tuple[list[str], int]
) -> None:
    statements, seq = attack
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(a_chain, home)
        with closing(sqlite3.connect(home / "amicus.db")) as connection:
            for name in ("updated", "deleted", "replaced"):
                connection.execute(f"DROP TRIGGER ledger_is_never_{name}")
            connection.executescript(";".join(statements))
        with open_records(f"sqlite:///{home}/amicus.db", home=home) as records:
            report = verify(records)

    assert report.faults
    assert report.faults[0].seq == seq
