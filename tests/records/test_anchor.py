"""What vouches for the ledger from outside the database."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest

from errors import RecordsError
from records.ledger import LedgerReport, anchor_anew, append, append_in, verify
from records.store import Records, open_records
from tests.records.tampering import AT, write_records


def anchor_faults(report: LedgerReport) -> list[str]:
    return [fault.message for fault in report.faults if fault.kind == "anchor"]


def test_the_anchor_holds_the_last_record(records: Records, home: Path) -> None:
    write_records(records, 3)

    anchor = json.loads((home / "ledger.anchor").read_text(encoding="ascii"))
    assert (anchor["seq"], anchor["hash"]) == (3, verify(records).head)
    assert sorted(file.name for file in home.glob("ledger*")) == ["ledger.anchor", "ledger.lock"]


def test_an_older_copy_of_the_whole_database_is_found(sqlite_url: str, home: Path) -> None:
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 3)
    shutil.copy(home / "amicus.db", home / "older.db")
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 2)
    (home / "older.db").replace(home / "amicus.db")

    with open_records(sqlite_url, home=home) as records:
        messages = [fault.message for fault in verify(records).faults]
    assert messages == ["records 4 to 5 are missing at the end, after record 3 (case 'c-3')"]


def test_an_older_copy_is_found_even_after_it_has_grown_past_the_anchor(
    sqlite_url: str, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 1)
    shutil.copy(home / "amicus.db", home / "older.db")
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 2)
    (home / "older.db").replace(home / "amicus.db")

    with open_records(sqlite_url, home=home) as records:
        for number in range(4):
            append(records, "verdict", f"other-{number}", {}, at=AT)
        report = verify(records)
    assert [(fault.kind, fault.seq) for fault in report.faults] == [("anchor", 3)]
    assert "does not fit its anchor" in caplog.text


def test_another_database_in_the_place_of_the_first_is_found(sqlite_url: str, home: Path) -> None:
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 3)
    (home / "amicus.db").unlink()

    with open_records(sqlite_url, home=home) as records:
        write_records(records, 5)
        report = verify(records)
    assert report.anchored is None
    assert "another ledger, which has at least 3 records" in anchor_faults(report)[0]


def test_a_process_killed_before_it_moved_the_anchor_is_no_false_alarm(
    records: Records,
) -> None:
    write_records(records, 2)
    with records.writing() as connection:
        append_in(connection, "verdict", "c-3", {}, at=AT)

    report = verify(records)
    assert (report.entries, report.anchored, report.faults) == (3, 2, [])

    append(records, "verdict", "c-4", {}, at=AT)
    assert verify(records).anchored == 4


def test_a_missing_anchor_is_found_and_not_made_anew_in_silence(
    records: Records, home: Path
) -> None:
    write_records(records, 2)
    (home / "ledger.anchor").unlink()
    append(records, "verdict", "c-3", {}, at=AT)

    assert "anchor is missing" in anchor_faults(verify(records))[0]
    assert not (home / "ledger.anchor").exists()


@pytest.mark.parametrize("content", ["", "null", "{}", '{"ledger": 1}', "\0\xff", '{"seq": "2"'])
def test_an_anchor_that_is_none_is_found(records: Records, home: Path, content: str) -> None:
    write_records(records, 2)
    (home / "ledger.anchor").write_text(content, encoding="utf-8")
    append(records, "verdict", "c-3", {}, at=AT)

    assert "is not an anchor" in anchor_faults(verify(records))[0]


def test_a_person_can_anchor_a_ledger_in_a_new_home(
    records: Records, records_url: str, tmp_path: Path
) -> None:
    write_records(records, 2)

    with open_records(records_url, home=tmp_path / "new") as moved:
        assert "anchor is missing" in anchor_faults(verify(moved))[0]
        anchor_anew(moved)
        report = verify(moved)
    assert (report.anchored, report.faults) == (2, [])


def test_an_anchor_forged_without_the_key_is_found(sqlite_url: str, home: Path) -> None:
    with open_records(sqlite_url, home=home, ledger_key="k1") as records:
        write_records(records, 3)
        assert verify(records).sealed
        file = home / "ledger.anchor"
        forged = json.loads(file.read_text(encoding="ascii")) | {"seq": 2}
        file.write_text(json.dumps(forged), encoding="ascii")

        report = verify(records)
    assert "is forged" in anchor_faults(report)[0]
    assert (report.anchored, report.sealed) == (None, False)


def test_an_anchor_without_a_seal_does_not_pass_for_one_with_it(
    sqlite_url: str, home: Path
) -> None:
    with open_records(sqlite_url, home=home) as records:
        write_records(records, 1)
    with open_records(sqlite_url, home=home, ledger_key="k1") as records:
        append(records, "verdict", "c-2", {}, at=AT)
        assert "is forged" in anchor_faults(verify(records))[0]

        anchor_anew(records)
        assert verify(records).faults == []


def test_a_sealed_anchor_is_read_but_not_moved_without_its_key(sqlite_url: str, home: Path) -> None:
    with open_records(sqlite_url, home=home, ledger_key="k1") as records:
        write_records(records, 1)
    with open_records(sqlite_url, home=home) as records:
        append(records, "verdict", "c-2", {}, at=AT)
        report = verify(records)
        assert (report.anchored, report.sealed, report.faults) == (1, False, [])
    with open_records(sqlite_url, home=home, ledger_key="k1") as records:
        assert verify(records).faults == []


def test_a_key_may_be_set_while_the_ledger_is_empty(sqlite_url: str, home: Path) -> None:
    open_records(sqlite_url, home=home).close()
    with open_records(sqlite_url, home=home, ledger_key="k1") as records:
        write_records(records, 1)
        report = verify(records)
    assert (report.sealed, report.faults) == (True, [])


def test_a_record_is_written_although_its_anchor_cannot_be(
    records: Records, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_records(records, 1)
    (home / "ledger.lock").unlink()
    (home / "ledger.lock").mkdir()

    with caplog.at_level(logging.WARNING):
        entry = append(records, "verdict", "c-2", {}, at=AT)

    assert entry.seq == 2
    assert verify(records).anchored == 1
    assert "anchor does not move" in caplog.text


def test_an_unreadable_anchor_is_a_fault_and_no_traceback(records: Records, home: Path) -> None:
    write_records(records, 1)
    (home / "ledger.anchor").unlink()
    (home / "ledger.anchor").mkdir()

    assert "cannot be read" in anchor_faults(verify(records))[0]
    with pytest.raises(RecordsError, match="cannot write"):
        anchor_anew(records)
