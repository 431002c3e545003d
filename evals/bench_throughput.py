"""Measure how many language-model calls threads get done: `python -m evals.bench_throughput`.

Needs a checkout: the simulated provider is `tests.wire.language_models`, in a process of its own.
Two questions: how much of what N threads could get done at a given latency does get done, and how
much of a hidden rate limit that changes in mid-run is used, at what price in refusals.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.request import urlopen

from evals.bench_clients import PATIENT, TRANSPORTS, Ask, Client

LATENCY = 0.2
SIGMA = 0.5
WARM_UP = 1.0
"""Seconds in which connections are opened, and that are not counted."""
SCHEDULE = ((0.0, 50.0), (10.0, 25.0), (20.0, 80.0))
"""The hidden limit: from which second on, how many requests a second."""
BURST = 10.0
CASES = 1_200


@dataclass(frozen=True)
class Kept:
    """How much of what was possible a client got done."""

    share: float
    cpu_ms: float
    """Processor time of this process for one answer."""


@dataclass(frozen=True)
class Limited:
    """How a client fared under the hidden limit."""

    share: float
    refused: float
    """Refusals for every case."""
    lost: int


@contextlib.contextmanager
def provider(*options: str) -> Iterator[str]:
    """Run the simulated provider in a process of its own; yields its address."""
    command = [sys.executable, "-m", "tests.wire.language_models", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


def stats(url: str) -> Mapping[str, float]:
    """Return what the simulated provider has counted."""
    with urlopen(f"{url}/stats") as answer:  # noqa: S310 (an address of this machine)
        counted: Mapping[str, float] = json.load(answer)
        return counted


def kept(client: Client, url: str, threads: int, seconds: float) -> Kept:
    """Return the share of the ideal that `threads` get done, where nothing limits them.

    The ideal is threads over latency: every thread waits for an answer all the time.
    """
    ask = client(url, threads)
    numbers = itertools.count()
    finished: list[float] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            ask(f"case {next(numbers)} ")
            finished.append(time.perf_counter())

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    time.sleep(WARM_UP)
    before, cpu, start = stats(url), time.process_time(), time.perf_counter()
    time.sleep(seconds)
    cpu, end, after = time.process_time() - cpu, time.perf_counter(), stats(url)
    over.set()
    for worker in workers:
        worker.join()
    done = sum(start <= at < end for at in finished)
    through = max(1.0, after["let_through"] - before["let_through"])
    latency = (after["thought"] - before["thought"]) / through
    return Kept(done * latency / threads / (end - start), 1000 * cpu / max(1, done))


def limited(client: Client, url: str, threads: int, cases: int) -> Limited:
    """Return how `cases` cases fare under the hidden limit, each asked once."""
    ask = client(url, threads)
    left = iter(range(cases))
    answered: list[float] = []
    start = time.perf_counter()

    def work() -> None:
        answered.extend(
            time.perf_counter() - start for number in left if _succeeds(ask, f"case {number} ")
        )

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    share = ideal_seconds(len(answered)) / max(answered, default=float("inf"))
    return Limited(share, stats(url)["rejected"] / cases, cases - len(answered))


def _succeeds(ask: Ask, case: str) -> bool:
    try:
        ask(case)
    except Exception:  # noqa: BLE001 (whatever the peers raise: the case is lost)
        return False
    return True


def ideal_seconds(cases: int) -> float:
    """Return the least time in which the hidden limit lets so many cases through."""
    left = cases - BURST
    ends = [at for at, _ in SCHEDULE[1:]] + [float("inf")]
    for (at, rate), end in zip(SCHEDULE, ends, strict=True):
        if left <= (end - at) * rate:
            return at + max(left, 0) / rate + LATENCY
        left -= (end - at) * rate
    return float("nan")


def report_transports(sizes: Sequence[int], seconds: float, repeat: int, only: str) -> None:
    """Print the share of the ideal for every client, size and kind of latency.

    The clients take turns, so that what else the machine does falls on all of them alike.
    """
    clients = {name: client for name, client in TRANSPORTS.items() if only in name}
    kinds = {"constant": 0.0, "log-normal": SIGMA}
    runs: defaultdict[tuple[str, str, int], list[Kept]] = defaultdict(list)
    for _, kind, size, name in itertools.product(range(repeat), kinds, sizes, clients):
        runs[name, kind, size].append(_once(clients[name], size, kinds[kind], seconds))
    print(f"\nShare of the ideal at a latency of {LATENCY} s; processor time of an answer")
    print("| client | latency | " + " | ".join(f"{size} in flight" for size in sizes) + " |")
    print("|---|---|" + "---|" * len(sizes))
    for name, kind in itertools.product(clients, kinds):
        cells = " | ".join(_spread(runs[name, kind, size]) for size in sizes)
        print(f"| {name} | {kind} | {cells} |")


def _once(client: Client, size: int, sigma: float, seconds: float) -> Kept:
    with provider("--latency", str(LATENCY), "--sigma", str(sigma)) as url:
        return kept(client, url, size, seconds)


def _spread(runs: Sequence[Kept]) -> str:
    shares = sorted(run.share for run in runs)
    cpu = sorted(run.cpu_ms for run in runs)[len(runs) // 2]
    middle = shares[len(shares) // 2]
    return f"{middle:.2f} ({shares[0]:.2f} to {shares[-1]:.2f}), {cpu:.1f} ms"


def report_limits(sizes: Sequence[int], only: str) -> None:
    """Print how every client fares under the hidden limit."""
    print(f"\n{CASES} cases under a hidden limit: {SCHEDULE}, at most {BURST:.0f} at once")
    print("| client | in flight | latency | a 429 tells | share | 429s a case | lost |")
    print("|---|---|---|---|---|---|---|")
    rates = ",".join(f"{at:g}:{rate:g}" for at, rate in SCHEDULE)
    kinds = [("constant", 0.0), ("log-normal", SIGMA)]
    tells = ["nothing", "milliseconds", "seconds"]
    for name, client in PATIENT.items():
        if only not in name:
            continue
        for size, (kind, sigma), told in itertools.product(sizes, kinds, tells):
            options = ["--latency", str(LATENCY), "--sigma", str(sigma)]
            options += ["--rates", rates, "--burst", str(BURST), "--tells", told]
            with provider(*options) as url:
                run = limited(client, url, size, CASES)
            cells = f"{size} | {kind} | {told} | {run.share:.2f} | {run.refused:.3f} | {run.lost}"
            print(f"| {name} | {cells} |", flush=True)


def main() -> None:
    """Measure, and print Markdown tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=["transports", "limits"])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--seconds", type=float, default=4.0, help="measured time of one run")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a client's name")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    if chosen.part == "transports":
        report_transports(chosen.in_flight, chosen.seconds, chosen.repeat, chosen.only)
    else:
        report_limits(chosen.in_flight, chosen.only)


if __name__ == "__main__":
    main()
