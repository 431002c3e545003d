"""A sample of the golden set through the real graph: sound verdicts, and figures as in the README.

`make eval` makes the figures from the whole set; a sample is enough to see that they still hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.case import Case
from agent.reviewer import Options
from agent.verdict import Verdict
from agent.verify import recheck
from evals.golden import GoldenCase, drawn, read_golden
from evals.metrics import METRICS, Metrics
from evals.run import manifest_for, run, watched
from evals.scratch import scratch_reviewer
from policies.reading import load_rulebook

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT / "evals" / "sets"

SAMPLE = 240
CHANCE = 0.05
"""How far a figure of the whole set may lie outside of the interval of the sample."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def golden() -> Sequence[GoldenCase]:
    return read_golden(SETS / "golden.jsonl", load_rulebook(None))


@pytest.fixture(scope="module")
def metrics(golden: Sequence[GoldenCase], tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    golden = drawn(golden, SAMPLE, seed=1)
    out = tmp_path_factory.mktemp("golden")
    options = Options(home=out, records_url="", threads=1)
    with scratch_reviewer(options, accounts=SETS / "accounts.jsonl") as reviewer:
        made_of = manifest_for(golden, reviewer, options={})
        found = run(golden, watched(reviewer), out, made_of)
    _check_grounds(golden, out / "outcomes.jsonl")
    return found


def _check_grounds(golden: Sequence[GoldenCase], outcomes: Path) -> None:
    """Every ground of every verdict can be shown again, from the file alone."""
    rulebook = load_rulebook(None)
    lines = [json.loads(line) for line in outcomes.read_text("utf-8").splitlines()]
    for one, line in zip(golden, lines, strict=True):
        verdict = Verdict.model_validate(line["verdict"])
        if one.case.kind == "content":
            sources = {"text": one.case.text} | dict(enumerate_links(one.case))
            assert not recheck(verdict.violations, rulebook=rulebook, sources=sources)
        if verdict.decision == "abstain":
            assert verdict.needs_human
            assert not verdict.violations
        if verdict.decision == "violating":
            assert verdict.violations


def enumerate_links(case: Case) -> Iterator[tuple[str, str]]:
    for number, link in enumerate(case.links, start=1):
        yield f"link {number}", link


@pytest.mark.timeout(900)
def test_the_readme_tells_what_this_reviewer_reaches(
    metrics: Metrics, golden: Sequence[GoldenCase]
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    told = dict(re.findall(r"^\| ([^|]+) \| (1?\.\d+)[^|]*\| \d+ \|$", readme, re.MULTILINE))
    made = {METRICS[name].label: estimate for name, estimate in metrics.overall.items()}

    assert f"| {len(golden)} |" in readme, "the golden set has grown: run make eval"
    assert len(told) >= 8
    for label, value in told.items():
        low, high = made[label].low - CHANCE, made[label].high + CHANCE
        assert low <= float(value) <= high, f"{label}: run make eval"


@pytest.mark.timeout(900)
def test_few_violations_are_called_allowed(metrics: Metrics) -> None:
    missed = metrics.overall["missed_violation_rate"]

    assert missed.n >= 60
    assert missed.value <= 0.15, "a shipped model may not let so much through"


@pytest.mark.timeout(900)
def test_every_policy_has_golden_cases_on_both_sides(golden: Sequence[GoldenCase]) -> None:
    sides = {
        (one.slices["policy"], one.expected.decision)
        for one in golden
        if one.expected.decision != "abstain"
    }

    for policy in load_rulebook(None).policies:
        assert (policy.id, "violating") in sides
        assert (policy.id, "allowed") in sides
