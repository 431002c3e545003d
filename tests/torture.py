"""Kill workers and intakes at random instants, and see that nothing is lost, stuck or done twice.

    python -m tests.torture --kills 1000 --database sqlite:////tmp/torture.db

Workers and intakes are forked, run the real code on real records, and are ended by SIGKILL. The
reviewer is scripted and pays for each answer: it asks a till first, as a language model does. When
all kills are done, one crew is let alone to finish, and then everything is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.case import Case
from agent.reviewer import Opinion
from agent.verdict import Verdict
from policies.reading import rulebook_from_files
from records.docket.reading import read_docket
from records.exchanges import KeptExchange, find_exchange, keep_exchange_in
from records.ledger import entries_of, verify
from records.outbox import collect
from records.store import Records, open_records
from tests.triage.scenes import GARDEN, WELL, a_case, opinion_on
from triage.closing import Closing
from triage.crew import Orders, Post, work
from triage.intake import Reading, add_cases
from triage.priority import read_priority
from triage.reading_lines import Lines
from triage.ruling import Bench

LEASE_SECONDS = 1.0
WORKERS = 3
FROZEN = 0.05
"""With so many kills somebody else is frozen, for longer than its leases last."""
RULEBOOK = rulebook_from_files({"garden.md": GARDEN, "well.md": WELL})


@dataclass(frozen=True)
class Torture:
    """What is tortured, and how much."""

    database: str
    home: Path
    cases: int
    kills: int
    seed: int
    pause: float
    """Mean seconds between two kills."""

    @property
    def file(self) -> Path:
        """The cases; each stands in it twice, as an intake that was cut off sends it again."""
        return self.home / "cases.jsonl"

    @property
    def asked(self) -> Path:
        """A line for each time that the reviewer was paid, and for each answer that was kept."""
        return self.home / "asked"


class MostCloses:
    """Closes all but every fourth case, which a person has to decide."""

    def may_close(self, verdict: Verdict) -> Closing:
        """Go by the number of the case."""
        closes = int(verdict.case_id.removeprefix("c-")) % 4 > 0
        return Closing(closes=closes, because="its number says so")


def torture(plan: Torture) -> dict[str, int]:
    """Kill, let the rest finish, and return what was found; everything but `cases` should be 0."""
    _write_cases(plan)
    open_records(plan.database, home=plan.home, busy_seconds=60).close()
    draw = random.Random(plan.seed)
    kinds: list[Callable[[Torture], None]] = [*[_worker] * WORKERS, _intake]
    alive = {_fork(kind, plan): kind for kind in kinds}
    frozen: dict[int, float] = {}
    for _ in range(plan.kills):
        time.sleep(draw.expovariate(1 / plan.pause))
        _thaw(frozen, time.monotonic())
        late = draw.choice(sorted(alive))
        if draw.random() < FROZEN and late not in frozen and len(frozen) < len(alive) - 1:
            os.kill(late, signal.SIGSTOP)
            frozen[late] = time.monotonic() + 1.5 * LEASE_SECONDS
        victim = draw.choice(sorted(alive.keys() - frozen.keys()))
        kind = alive.pop(victim)
        _kill(victim)
        alive[_fork(kind, plan)] = kind
    _thaw(frozen, float("inf"))
    for victim in alive:
        _kill(victim)
    _wait_for(_fork(_intake, plan))
    _wait_for(_fork(_last_crew, plan))
    return _findings(plan)


def _thaw(frozen: dict[int, float], now: float) -> None:
    """Let those go on whose leases have ended meanwhile: they come late with what they did."""
    for pid in [pid for pid, until in frozen.items() if until <= now]:
        os.kill(pid, signal.SIGCONT)
        del frozen[pid]


def _write_cases(plan: Torture) -> None:
    told = [json.dumps(a_case(number)) for number in range(plan.cases)]
    plan.home.mkdir(parents=True, exist_ok=True)
    plan.file.write_text("".join(f"{line}\n" for line in told + told), encoding="utf-8")
    plan.asked.write_text("", encoding="utf-8")


def _fork(kind: Callable[[Torture], None], plan: Torture) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        kind(plan)
        status = 0
    finally:
        os._exit(status)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"process {pid} failed by itself, see above")


def _wait_for(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"process {pid} failed, see above")


def _open(plan: Torture) -> Records:
    return open_records(plan.database, home=plan.home, busy_seconds=60)


def _intake(plan: Torture) -> None:
    """Add the file from its start, as somebody does whose intake was cut off."""
    reading = Reading(read_priority(None, RULEBOOK), time.time, 1_000)
    with _open(plan) as records, plan.file.open("rb") as file:
        add_cases(records, Lines(file, plan.file.name), reading, batch=200)


def _worker(plan: Torture) -> None:
    _crew(plan, forever=True)


def _last_crew(plan: Torture) -> None:
    _crew(plan, forever=False)


def _crew(plan: Torture, *, forever: bool) -> None:
    with _open(plan) as records:
        orders = Orders(
            f"crew-{os.getpid()}-{time.monotonic_ns()}",
            workers=4,
            lease_seconds=LEASE_SECONDS,
            most_tries=1_000,  # each kill costs a try, and no case shall die of it
            forever=forever,
        )
        bench = Bench(MostCloses(), read_priority(None, RULEBOOK))
        work(Post(records, _reviewer(plan, records), bench, orders), threading.Event())


def _reviewer(plan: Torture, records: Records) -> Callable[[Case], Opinion]:
    """A reviewer that is paid for each answer, and keeps what it has paid for."""
    log = os.open(plan.asked, os.O_APPEND | os.O_WRONLY)

    def opinion(case: Case) -> Opinion:
        if find_exchange(records, case.id, since=0.0) is None:
            os.write(log, f"asked {case.id}\n".encode())
            time.sleep(random.expovariate(500))
            kept = KeptExchange(case.id, "scripted", "torture", case.id, {}, {}, time.time())
            with records.writing() as connection:
                keep_exchange_in(connection, kept)
            os.write(log, f"kept {case.id}\n".encode())
        return opinion_on(case)

    return opinion


def _findings(plan: Torture) -> dict[str, int]:
    wanted = {f"c-{number}" for number in range(plan.cases)}
    with _open(plan) as records:
        cases = {case.case_id: case for case in read_docket(records)}
        closed = {case_id for case_id in cases if int(case_id[2:]) % 4}
        letters = collect(records, limit=10 * plan.cases, now=1e12, busy_until=1e12)
        told = Counter(letter.case_id for letter in letters)
        reviews = {case_id: entries_of(records, case_id, "verdict") for case_id in cases}
        broken = len(verify(records).faults)
    state = Counter(case.state for case in cases.values())
    return {
        "cases": len(cases),
        "lost": len(wanted - cases.keys()),
        "stuck": state["leased"]
        + sum(c.waits_for == "machine" for c in cases.values() if c.state == "waiting"),
        "dead": state["dead"],
        "decided, but for a person": sum(
            cases[c].state == "decided" for c in cases.keys() - closed
        ),
        "not decided": sum(cases[c].state != "decided" for c in closed),
        "decided twice": sum(len(entries) > 1 for entries in reviews.values()),
        "without a ledger record": sum(
            cases[c].record not in {entry.seq for entry in reviews[c]} for c in closed
        ),
        "without one outbox entry": sum(told[c] != 1 for c in closed),
        "told without a decision": len(told.keys() - closed),
        "ledger faults": broken,
        "paid answers asked again": _asked_again(plan),
    }


def _asked_again(plan: Torture) -> int:
    """How many questions were asked although their answer had been kept."""
    kept: set[str] = set()
    again = 0
    for line in plan.asked.read_text(encoding="utf-8").splitlines():
        what, case_id = line.split()
        if what == "kept":
            kept.add(case_id)
        else:
            again += case_id in kept
    return again


def main() -> None:
    """Torture what the command line names; exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument(
        "--database", default="", help="an empty one; SQLite in a new folder by default"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.1, help="mean seconds between two kills")
    parser.add_argument("--postgres", action="store_true", help="start a PostgreSQL for it")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.postgres:
            from tests.postgres import throw_away_server

            given.database = stack.enter_context(throw_away_server()).url()
        _run(given)


def _run(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="amicus-torture-") as folder:
        database = given.database or f"sqlite:///{folder}/home/amicus.db"
        plan = Torture(
            database, Path(folder) / "home", given.cases, given.kills, given.seed, given.pause
        )
        began = time.monotonic()
        found = torture(plan)
    found_bad = sum(number for what, number in found.items() if what != "cases")
    told = {"kills": given.kills, **found, "seconds": round(time.monotonic() - began)}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(1 if found_bad else 0)


if __name__ == "__main__":
    main()
