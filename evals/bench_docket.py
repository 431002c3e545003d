"""Measure the docket: `python -m evals.bench_docket`.

Needs a checkout: PostgreSQL is the throw-away server of the tests, here with fsync on, as SQLite
has it anyway. With `--queues PYTHON`, the Python of an environment that holds huey, persist-queue
and procrastinate, they are measured beside it in the same run.

What is claimed is also settled: verdict, ledger record, state and outbox entry, in one transaction.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from records.docket.entries import Closed, Loan, NewCase, Settlement
from records.docket.intake import take_in
from records.docket.leases import Terms, claim, hand_back
from records.docket.settling import settle
from records.store import Records, open_records
from records.verdicts import VerdictRecord

if TYPE_CHECKING:
    from tests.postgres import Server

ROOT = Path(__file__).parents[1]
TEXT = "some words that somebody has posted " * 6
NOW = 1_800_000_000.0
TERMS = Terms("bench", 300.0)
BATCHES = (1, 50, 500)
DEPTHS = (1_000, 100_000, 1_000_000)
JOBS = 400
"""What the other queues are given: at a hundred or so a second, it takes a while."""
PAYLOAD: dict[str, Any] = {"verdict": {"decision": "allowed", "rationale": "x" * 800}}


def main() -> None:
    """Print a table of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queues", help="the Python of an environment with the other queues")
    parser.add_argument("--cases", type=int, default=1_000_000, help="size of the long intake")
    parser.add_argument("--depth", type=int, default=max(DEPTHS), help="the longest docket")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print("| what | SQLite | PostgreSQL |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="amicus-bench-") as folder, _postgres() as server:
        home = Path(folder)
        urls = [f"sqlite:///{folder}/one.db", server.url("one")]
        for size in BATCHES:
            _row(
                f"claimed and settled a second, {size} at a time",
                [f"{_settled(url, home, size):,.0f}" for url in urls],
            )
        for number, claimed in _claims(urls, home, given.depth):
            _row(f"milliseconds to claim 50 of {number:,} waiting", claimed)
        _row(
            f"cases added a second, {given.cases:,} by `triage add`, and its memory",
            [
                _added(url, home, given.cases)
                for url in (f"sqlite:///{folder}/two.db", server.url("two"))
            ],
        )
        if given.queues:
            _others(given.queues, home, server.folder)
        else:
            print("\nThe other queues were not measured: --queues names no Python.")


@contextlib.contextmanager
def _postgres() -> Iterator[Server]:
    from tests.postgres import throw_away_server

    with throw_away_server(durable=True) as server:
        for schema in ("one", "two"):
            server.run(f"CREATE SCHEMA {schema}")
        yield server


def _row(what: str, cells: list[str]) -> None:
    print(f"| {what} | {' | '.join(cells)} |", flush=True)


def _fill(records: Records, first: int, number: int) -> None:
    for start in range(first, first + number, 5_000):
        batch = [
            NewCase(
                f"c-{n * 7_919 % 100_000_007}", json.dumps({"text": TEXT}), str(n), NOW + n % 997
            )
            for n in range(start, min(start + 5_000, first + number))
        ]
        take_in(records, batch, now=NOW)


def _settled(url: str, home: Path, size: int) -> float:
    """Cases a second that are claimed and settled."""
    number = 300 if size == 1 else 10_000
    with open_records(url, home=home) as records:
        _fill(records, size * 1_000_000, number)
        began = time.perf_counter()
        done = 0
        while loans := claim(records, TERMS, limit=size, now=NOW):
            settle(records, [_closing(loan) for loan in loans], now=NOW)
            done += len(loans)
        return done / (time.perf_counter() - began)


def _closing(loan: Loan) -> Settlement:
    case_id = loan.lease.case_id
    return Settlement(
        loan.lease,
        "verdict",
        VerdictRecord(case_id, PAYLOAD),
        Closed("allowed", "none", "machine"),
        verdict=json.dumps(PAYLOAD),
        event={"type": "case.decided", "case_id": case_id},
    )


def _claims(urls: list[str], home: Path, most: int) -> Iterator[tuple[int, list[str]]]:
    """How long a claim takes at each depth; the docket grows from one to the next."""
    there = 0
    for depth in (depth for depth in DEPTHS if depth <= most):
        cells = []
        for url in urls:
            with open_records(url, home=home) as records:
                _fill(records, 900_000_000 + there, depth - there)
                cells.append(_claim_time(records))
        there = depth
        yield depth, cells


def _claim_time(records: Records) -> str:
    taken = []
    for _ in range(30):
        began = time.perf_counter()
        loans = claim(records, TERMS, limit=50, now=NOW)
        taken.append(1000 * (time.perf_counter() - began))
        hand_back(records, [loan.lease for loan in loans])
    quartiles = statistics.quantiles(taken, n=4)
    return f"{quartiles[1]:.1f} ({quartiles[0]:.1f} to {quartiles[2]:.1f})"


def _added(url: str, home: Path, number: int) -> str:
    """How fast the command itself adds a file, from its start to its end, and its peak memory."""
    file = home / "cases.jsonl"
    with file.open("w", encoding="utf-8") as cases:
        for n in range(number):
            case = {
                "id": f"a-{n * 7_919 % 100_000_007}",
                "text": TEXT,
                "account_id": f"u-{n % 997}",
            }
            reports = [{"reason": "hate", "count": n % 5}]
            cases.write(json.dumps(case | {"reports": reports, "reach": n % 4_000}) + "\n")
    command = [sys.executable, "-c", "from commands.triage import app; app()", "add", str(file)]
    environment = os.environ | {"AMICUS_HOME": str(home), "AMICUS_DATABASE_URL": url}
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"{number / seconds:,.0f}, {peak:,.0f} MB"


def _others(python: str, home: Path, socket: Path) -> None:
    print(f"\n| other queues, {JOBS} jobs | added a second | worked a second |\n|---|---|---|")
    places = {"huey": str(home), "persist-queue": str(home / "pq"), "procrastinate": ""}
    for name, place in places.items():
        where = place or f"host={socket} user=postgres dbname=postgres"
        script = str(ROOT / "evals" / "bench_queues.py")
        run = subprocess.run(  # noqa: S603
            [python, script, name, str(JOBS), where], capture_output=True, text=True, check=False
        )
        if run.returncode:
            _row(name, ["failed", run.stderr.strip().splitlines()[-1][:80]])
        else:
            measured = json.loads(run.stdout)
            _row(name, [f"{measured['put']:,.0f}", f"{measured['work']:,.0f}"])


if __name__ == "__main__":
    main()
