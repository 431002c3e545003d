"""`python -m evals.bench`: how fast a review is on this machine, and how much memory it takes.

Each figure comes from a process of its own, or from enough repetitions to name a median; nothing is
tuned for it. The figures in BENCHMARKS.md were printed by this command.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.case import Case
from agent.graph import judge
from agent.reviewer import Options, Reviewer, open_reviewer
from agent.scripted import ScriptedModel
from agent.verdict import Draft
from evals.golden import read_golden
from policies.reading import load_rulebook
from retrieval.embedder import open_embedder
from retrieval.index import PolicyIndex, open_policy_index, search
from settings import stay_home

ROOT = Path(__file__).resolve().parents[1]
POST = (
    "Send me 0.1 coin today and I will send you two back tomorrow, everybody on my list was paid."
)
COLD_RUNS = 5
WARM_CASES = 100
QUERIES = 200
GRAPH_RUNS = 300


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, as it is told."""

    name: str
    told: str


def main() -> None:
    """Print every figure as a line of a Markdown table, with the machine above it."""
    stay_home()
    print(f"{_machine()}\n\n| what | measured |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        options = Options(home=home, records_url=f"sqlite:///{home / 'records.db'}")
        _show(_index_build(home))
        with open_reviewer(options) as reviewer:
            texts = [golden.case for golden in read_golden(_golden(), reviewer.desk.rulebook)]
            texts = [case for case in texts if case.kind == "content"][:WARM_CASES]
            for figure in (_warm(reviewer, texts), _retrieval(home, texts), _graph(reviewer)):
                _show(figure)
        _show(_cold(home))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _show([Figure("peak memory of all of the above", f"{peak:.0f} MB")])


def _golden() -> Path:
    return ROOT / "evals/sets/golden.jsonl"


def _machine() -> str:
    return (
        f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()}, {time.strftime('%Y-%m-%d', time.gmtime())}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _show(figures: Sequence[Figure]) -> None:
    for figure in figures:
        print(f"| {figure.name} | {figure.told} |", flush=True)


def _index_build(home: Path) -> list[Figure]:
    rulebook = load_rulebook(None)
    embedder = open_embedder()
    built = _timed(lambda: open_policy_index(rulebook, embedder, home))
    opened = _timed(lambda: open_policy_index(rulebook, embedder, home))
    count = len(rulebook.sections)
    return [
        Figure(f"index build, {count} sections", f"{built:.2f} s (opened again: {opened:.2f} s)")
    ]


def _warm(reviewer: Reviewer, cases: Sequence[Case]) -> list[Figure]:
    reviewer.review(cases[0])
    times = [_timed(lambda case=case: reviewer.review(case)) for case in cases]  # type: ignore[misc]
    return [
        Figure(
            f"warm reviews, one thread of reviews, n = {len(cases)}",
            f"{len(times) / sum(times):.1f} per second; {_percentiles(times)}",
        )
    ]


def _retrieval(home: Path, cases: Sequence[Case]) -> list[Figure]:
    index: PolicyIndex = open_policy_index(load_rulebook(None), open_embedder(), home)
    texts = [case.text for case in cases]
    times = [
        _timed(lambda n=n: search(index, texts[n % len(texts)]))  # type: ignore[misc]
        for n in range(QUERIES)
    ]
    return [Figure(f"search of the rulebook, n = {QUERIES}", _percentiles(times))]


def _graph(reviewer: Reviewer) -> list[Figure]:
    """The graph with nothing to do: no retrieval, no tools, a model that answers at once."""
    draft = Draft(decision="allowed", confidence=0.9, rationale="fine", counterargument="none")
    desk = replace(
        reviewer.desk,
        sections=lambda _: (),
        precedents=lambda _: (),
        signs=lambda _: (),
        language=lambda _: "en",
    )
    case = Case(id="bench", text=POST)
    times = [
        _timed(lambda: judge(case, replace(desk, model=ScriptedModel((), draft))))
        for _ in range(GRAPH_RUNS)
    ]
    return [Figure(f"the graph without model and tools, n = {GRAPH_RUNS}", _percentiles(times))]


def _cold(home: Path) -> list[Figure]:
    """The whole command in a process of its own, the index already built."""
    environment = os.environ | {"AMICUS_HOME": str(home)}
    command = [sys.executable, "-c", "from cli import app; app()", "review", "--json", POST]
    times = []
    for _ in range(COLD_RUNS):
        started = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, check=True, cwd=ROOT)  # noqa: S603
        times.append(time.perf_counter() - started)
        json.loads(done.stdout)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    told = f"median {statistics.median(times):.2f} s (from {min(times):.2f} to {max(times):.2f})"
    return [
        Figure(f"cold `amicus review`, n = {COLD_RUNS}", told),
        Figure("peak memory of one cold review", f"{children:.0f} MB"),
    ]


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _percentiles(times: Sequence[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"p50 {statistics.median(ordered) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms"


if __name__ == "__main__":
    main()
