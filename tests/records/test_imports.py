"""An import is all or nothing, whatever ends it and whoever else writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from errors import RecordsError
from records.accounts import Account, find_account, import_accounts
from records.imports import ImportReport
from records.store import Records, open_records
from tests.records.another_process import another_process, hears
from tests.records.files import jsonl


def test_a_person_who_stops_an_import_leaves_nothing_behind(records: Records, folder: Path) -> None:
    file = jsonl(folder, *({"id": f"u-{n}", "bio": "x" * 400} for n in range(2_000)))

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_accounts(records, file, progress=stop)
    assert find_account(records, "u-0") is None

    assert import_accounts(records, file).new == 2_000


def test_an_import_that_is_killed_while_it_writes_leaves_nothing_behind(
    records: Records, records_url: str, home: Path, folder: Path
) -> None:
    import_accounts(records, jsonl(folder, {"id": "u-0"}))
    file = jsonl(folder, *({"id": f"u-{n}", "strikes": 1} for n in range(50)))
    with another_process("stop", records_url, home, file) as process:
        assert hears(process) == "writing"
        process.kill()

    assert find_account(records, "u-0") == Account(id="u-0")
    assert find_account(records, "u-1") is None
    with open_records(records_url, home=home, busy_seconds=30) as again:
        assert import_accounts(again, file) == ImportReport(new=49, changed=1)


def test_two_imports_at_once_load_every_account_once(
    records: Records, records_url: str, home: Path, folder: Path
) -> None:
    file = jsonl(folder, *({"id": f"u-{n}"} for n in range(300)))
    with (
        another_process("import", records_url, home, file) as first,
        another_process("import", records_url, home, file) as second,
    ):
        new = int(hears(first)) + int(hears(second))

    assert new == 300
    assert import_accounts(records, file) == ImportReport(unchanged=300)


def test_an_import_does_not_make_others_wait_while_it_reads(
    records: Records, records_url: str, home: Path, folder: Path
) -> None:
    file = jsonl(folder, *({"id": f"u-{n}", "bio": "x" * 400} for n in range(2_000)))
    other = jsonl(folder, {"id": "u-other"}, name="other.jsonl")

    def import_another(_done: int, _total: int) -> None:
        with open_records(records_url, home=home, busy_seconds=0) as others:
            import_accounts(others, other)

    report = import_accounts(records, file, progress=import_another)

    assert report.new == 2_000
    assert find_account(records, "u-other") is not None


def test_an_import_that_fills_the_disk_loads_nothing(
    sqlite_url: str, home: Path, folder: Path
) -> None:
    file = jsonl(folder, *({"id": f"u-{n}", "bio": "x" * 900} for n in range(500)))
    with open_records(sqlite_url, home=home) as records:

        @event.listens_for(records.engine, "begin")
        def _limit(connection: Connection) -> None:
            connection.exec_driver_sql("PRAGMA main.max_page_count = 60")

        with pytest.raises(RecordsError, match="is full") as caught:
            import_accounts(records, file)
        assert "nothing half was written" in caught.value.hint
        assert find_account(records, "u-0") is None


def test_an_import_into_locked_records_says_so(sqlite_url: str, home: Path, folder: Path) -> None:
    file = jsonl(folder, {"id": "u-1"})
    with (
        another_process("hold", sqlite_url, home) as process,
        open_records(sqlite_url, home=home, busy_seconds=0.1) as records,
    ):
        assert hears(process) == "holding"
        with pytest.raises(RecordsError, match="is locked by another process"):
            import_accounts(records, file)
