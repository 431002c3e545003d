"""What goes wrong under a docket at night: nothing is lost, and nobody has to get up."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from agent.case import Case
from agent.reviewer import Opinion
from errors import RecordsError
from records.docket.reading import read_docket
from records.ledger import verify
from records.outbox import outbox_counts
from records.refusals import PassingRefusalError
from records.store import Records, open_records
from tests.postgres import Server
from tests.triage.scenes import a_case, opinion_on
from triage.crew import Tally

Add = Callable[..., Any]
Run = Callable[..., Tally]


def slowly(case: Case) -> Opinion:
    time.sleep(0.02)
    return opinion_on(case)


def states(records: Records) -> Counter[str]:
    return Counter(case.state for case in read_docket(records))


def test_a_disk_that_is_full_is_waited_for_and_nothing_half_is_written(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, *(a_case(number) for number in range(60)))
    room = {"pages": 1}  # SQLite goes no lower than the file is

    def limit(driver: Any, _record: object, _proxy: object) -> None:
        driver.execute(f"PRAGMA max_page_count = {room['pages']}")

    event.listen(sqlite_records.engine, "checkout", limit)
    troubles: list[str] = []

    def free(tally: Tally) -> None:
        troubles.append(tally.trouble)
        if "full" in tally.trouble:
            assert states(sqlite_records)["decided"] == outbox_counts(sqlite_records)["due"]
            room["pages"] = 1_000_000

    tally = run(sqlite_records, on_progress=free)

    assert any("is full" in trouble for trouble in troubles)
    assert (tally.closed, tally.dead, tally.lost, tally.trouble) == (60, 0, 0, "")
    assert verify(sqlite_records).faults == []


def test_an_intake_on_a_full_disk_says_so_and_goes_on_later(
    sqlite_records: Records, add: Add
) -> None:
    def limit(driver: Any, _record: object, _proxy: object) -> None:
        driver.execute("PRAGMA max_page_count = 1")

    event.listen(sqlite_records.engine, "checkout", limit)
    many = [a_case(number, text="word " * 150) for number in range(300)]
    with pytest.raises(PassingRefusalError, match="is full"):
        add(sqlite_records, *many)
    event.remove(sqlite_records.engine, "checkout", limit)

    with sqlite_records.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert add(sqlite_records, *many).new == 300


def test_a_database_that_somebody_locks_is_waited_for(
    sqlite_url: str, home: Path, add: Add, run: Run
) -> None:
    with open_records(sqlite_url, home=home, busy_seconds=0.05) as records:
        add(records, *(a_case(number) for number in range(40)))
        locked = threading.Event()

        def lock() -> None:
            other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            time.sleep(0.6)
            other.execute("ROLLBACK")
            other.close()

        thread = threading.Thread(target=lock)
        thread.start()
        locked.wait()
        troubles: list[str] = []
        tally = run(records, on_progress=lambda tally: troubles.append(tally.trouble))
        thread.join()

        assert any("is locked" in trouble for trouble in troubles)
        assert (tally.closed, tally.lost) == (40, 0)


def test_patience_with_a_database_ends(sqlite_url: str, home: Path, add: Add, run: Run) -> None:
    with open_records(sqlite_url, home=home, busy_seconds=0.01) as records:
        add(records, a_case(1))
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(RecordsError, match="is locked"):
            run(records, patience_seconds=0.2)
        other.execute("ROLLBACK")
        other.close()
        assert states(records) == {"waiting": 1}


@pytest.mark.postgres
def test_a_postgresql_that_crashes_and_starts_again_in_mid_run_loses_nothing(
    postgres: Server, postgres_url: str, home: Path, add: Add, run: Run
) -> None:
    # The throw-away server promises nothing on its own: it is told to, as any other does.
    durable = f"{postgres_url}%20-csynchronous_commit%3Don"
    with open_records(durable, home=home) as records:
        add(records, *(a_case(number) for number in range(150)))

        def crash() -> None:
            time.sleep(0.4)
            with psycopg.connect(f"host={postgres.folder} user=postgres") as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                os.kill(row[0], signal.SIGKILL)  # then the server ends all others, and recovers

        def quietly_crash() -> None:
            with pytest.raises(psycopg.OperationalError):
                crash()

        thread = threading.Thread(target=quietly_crash)
        thread.start()
        tally = run(records, slowly, lease_seconds=1.0)
        thread.join()

        assert (tally.closed + tally.lost, tally.dead) == (150, 0)
        assert states(records) == {"decided": 150}
        report = verify(records)
        assert (report.entries, report.faults) == (150, [])
        assert outbox_counts(records)["due"] == 150


def test_a_clock_set_back_in_mid_run_stops_nothing(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, *(a_case(number) for number in range(20)))
    real, began = time.time, time.monotonic()

    def set_back() -> float:
        return real() - (7_200 if time.monotonic() - began > 0.15 else 0)

    tally = run(sqlite_records, slowly, workers=2, clock=set_back)

    assert (tally.closed, tally.dead) == (20, 0)


def test_two_crews_on_one_docket_share_the_work(records: Records, add: Add, run: Run) -> None:
    add(records, *(a_case(number) for number in range(60)))
    tallies: list[Tally] = []
    threads = [
        threading.Thread(target=lambda name=name: tallies.append(run(records, slowly, name=name)))
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(tally.closed for tally in tallies) == 60
    assert min(tally.closed for tally in tallies) > 0
    assert sum(tally.lost for tally in tallies) == 0
    assert verify(records).entries == 60
