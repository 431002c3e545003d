"""A run is killed at random instants until it is done: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.golden import GoldenCase
from evals.run import run
from tests.evals.by_ear import golden_case, manifest, review_by_ear

ROOT = Path(__file__).resolve().parents[3]
CASES = 60
SECONDS_PER_REVIEW = 0.02
WORKERS = 3
MOST_STARTS = 60


def many() -> list[GoldenCase]:
    return [
        golden_case(f"c-{n}", "HEY" if n % 3 else "hey", "violating" if n % 2 else "allowed")
        for n in range(CASES)
    ]


def work(where: str) -> None:
    """What the process does that is killed: each review is noted before it is begun."""
    from agent.case import Case
    from agent.verdict import Verdict
    from evals.run import Pace, Seen

    folder = Path(where)
    notes = (folder.parent / "asked.txt").open("a")

    def slowly(case: Case) -> tuple[Verdict, Seen]:
        notes.write(case.id + "\n")
        notes.flush()
        time.sleep(SECONDS_PER_REVIEW)
        return review_by_ear(case)

    run(many(), slowly, folder, manifest(many()), Pace(workers=WORKERS))


def kept(folder: Path) -> list[str]:
    path = folder / "outcomes.jsonl"
    whole = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line)["case_id"] for line in whole if line.endswith(b"\n")]


@pytest.mark.slow
def test_killed_again_and_again_a_run_ends_with_the_same_figures(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    undisturbed = tmp_path / "undisturbed"
    run(many(), review_by_ear, undisturbed, manifest(many()))
    rng = random.Random(11)
    code = "import sys; from tests.evals.run.test_killed import work; work(sys.argv[1])"

    kills, asked_before = 0, 0
    for _ in range(MOST_STARTS):
        done = set(kept(folder))
        worker = subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT)
        notes = tmp_path / "asked.txt"
        while worker.poll() is None:
            asked = len(notes.read_text().splitlines()) if notes.exists() else 0
            if asked >= asked_before + 14:
                time.sleep(rng.random() * SECONDS_PER_REVIEW * 2)
                worker.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.002)
        worker.wait()
        told = notes.read_text().splitlines()
        assert not done & set(told[asked_before:]), "a finished case was asked for again"
        asked_before = len(told)
        if (folder / "metrics.json").exists():
            break

    assert kills >= 3
    for name in ("outcomes.jsonl", "metrics.json", "slices.json", "details.json"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
    assert sorted(kept(folder)) == sorted(one.case.id for one in many())
    assert asked_before <= CASES + kills * WORKERS
