"""How much of what many threads could get done does a crew get done: `python -m triage.bench`.

Ten thousand cases, sixty-four reviewers, and a model that takes 200 ms for a case and nothing else:
what is missing to the ideal is what the docket itself costs, on SQLite and on PostgreSQL with fsync
on. With `--whole N`, N other cases go through `amicus triage run` against a simulated provider that
takes as long for a call: then the search, the tools and the graph count as well.

Needs a checkout: PostgreSQL and the provider are those of the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from agent.case import Case
from agent.reviewer import Opinion
from evals.bench_throughput import provider, stats
from policies.reading import load_rulebook
from records.store import Records, open_records
from triage.closing import NothingCloses
from triage.crew import Orders, Post, work
from triage.intake import Reading, add_cases
from triage.priority import read_priority
from triage.reading_lines import Lines
from triage.ruling import Bench

LATENCY = 0.2
WORKERS = 64
_TEXT = "some words that somebody has posted " * 6


def main() -> None:
    """Print the share of the ideal, by database."""
    from tests.postgres import throw_away_server

    parser = argparse.ArgumentParser(prog="python -m triage.bench", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--whole", type=int, default=0, metavar="N")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, {WORKERS} workers, {LATENCY} s\n")
    with (
        tempfile.TemporaryDirectory(prefix="amicus-bench-") as folder,
        throw_away_server(durable=True) as server,
    ):
        home = Path(folder)
        for name, url in (("SQLite", f"sqlite:///{folder}/one.db"), ("PostgreSQL", server.url())):
            share, rate = crewed(url, home, given.cases)
            print(f"{name}: {share:.3f} of the ideal, {rate:,.0f} cases a second", flush=True)
    if given.whole:
        share, rate = reviewed(given.whole)
        print(f"`triage run` on SQLite: {share:.3f} of the ideal, {rate:,.1f} cases a second")


def crewed(url: str, home: Path, number: int) -> tuple[float, float]:
    """Return the share of the ideal and the cases a second, with a reviewer that only waits."""
    from tests.triage.scenes import opinion_on

    def opinion(case: Case) -> Opinion:
        time.sleep(LATENCY)
        return opinion_on(case)

    with open_records(url, home=home) as records:
        priority = read_priority(None, load_rulebook(None))
        _fill(records, Reading(priority, time.time, max_text_chars=1_000), home, number)
        post = Post(records, opinion, Bench(NothingCloses(), priority), Orders("bench", WORKERS))
        began = time.perf_counter()
        tally = work(post, threading.Event())
        seconds = time.perf_counter() - began
    assert tally.done == number, tally  # noqa: S101 - a figure of anything else is none
    return number * LATENCY / WORKERS / seconds, number / seconds


def _fill(records: Records, reading: Reading, home: Path, number: int) -> None:
    file = _cases(home / "cases.jsonl", number)
    with file.open("rb") as opened:
        add_cases(records, Lines(opened, str(file)), reading)


def _cases(file: Path, number: int) -> Path:
    file.write_text("".join(_lines(number)), encoding="utf-8")
    return file


def _lines(number: int) -> Iterator[str]:
    for n in range(number):
        yield json.dumps({"id": f"c-{n}", "text": f"{_TEXT}{n}"}) + "\n"


def reviewed(number: int) -> tuple[float, float]:
    """Return the same for the whole command, against a simulated provider, its start included."""
    amicus = [sys.executable, "-c", "from cli import app; app()", "triage"]
    with (
        tempfile.TemporaryDirectory(prefix="amicus-bench-") as folder,
        provider("--latency", str(LATENCY)) as url,
    ):
        file = _cases(Path(folder) / "cases.jsonl", number)
        environment = os.environ | {
            "AMICUS_HOME": folder,
            "OPENAI_API_KEY": "sk-bench",
            "AMICUS_OPENAI_BASE_URL": f"{url}/v1",
        }
        runs = ["run", "--every-copy", "--model", "openai:bench", "--workers", str(WORKERS)]
        for words in (["add", str(file)], runs):
            began = time.perf_counter()
            subprocess.run(  # noqa: S603
                [*amicus, *words], env=environment, check=True, capture_output=True
            )
        seconds = time.perf_counter() - began
        return stats(url)["thought"] / WORKERS / seconds, number / seconds


if __name__ == "__main__":
    main()
