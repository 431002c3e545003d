"""The commands of `amicus eval`: what they print, what they write, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app
from evals.golden import GoldenCase
from evals.run import run
from tests.evals.by_ear import golden_case, manifest, records_of, review_by_ear

Amicus = Callable[..., Result]

GOLDEN = [
    {"id": "scam", "text": "Send me 0.1 coin today and I will send you two back, guaranteed",
     "expected": {"decision": "violating", "sections": ["fraud.1"]}},
    {"id": "club", "text": "Our club meets on Tuesday, bring your boots",
     "expected": {"decision": "allowed"}, "slices": {"policy": "none"}},
    {"id": "swap", "text": "The women of our choir sing on Sunday",
     "expected": {"decision": "allowed"}},
]  # fmt: skip


@pytest.fixture
def amicus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Amicus:
    monkeypatch.setenv("AMICUS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str | Path) -> Result:
        return CliRunner().invoke(app, ["eval", *map(str, words)])

    return invoke


def golden_file(folder: Path, *cases: Any) -> Path:
    path = folder / "golden.jsonl"
    told = [one if isinstance(one, str) else json.dumps({"source": "ours"} | one) for one in cases]
    path.write_text("\n".join(told) + "\n", encoding="utf-8")
    return path


def failed(done: Result, code: int, *told: str) -> None:
    assert done.exit_code == code, done.output
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("hint: ")], done.stderr
    for words in told:
        assert words in errors[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_from_file_to_figures_and_again_without_a_change(
    amicus: Amicus, tmp_path: Path
) -> None:
    golden, out = golden_file(tmp_path, *GOLDEN), tmp_path / "out"
    first = amicus("run", "--golden", golden, "--out", out, "--workers", 2)
    assert first.exit_code == 0, first.output
    assert "| decided right |" in first.stdout
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json*")}
    again = amicus("run", "--golden", golden, "--out", out, "--json")
    assert set(json.loads(again.stdout)) == {"overall", "slices"}
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.json*")} == before
    record = json.loads((out / "outcomes.jsonl").read_text().splitlines()[0])
    assert record["seen"]["grounding"]["citations"] >= 0
    assert record["seen"]["lookups"]["calls"] >= 1
    assert not (tmp_path / "home" / "amicus.db").exists(), "an evaluation leaves no trace"


def line(**changed: Any) -> dict[str, Any]:
    return GOLDEN[0] | changed


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        (["{broken"], ["golden.jsonl:1", "not JSON"]),
        ([], ["no case in this file"]),
        ([line(expected={"decision": "violating", "sections": ["fraud.99"]})], ["'fraud.99'"]),
        ([line(expected={"decision": "violating"})], ["names the sections"]),
        ([line(), line()], [":2", "'scam'", "already used on line 1"]),
        ([line(expected={"decision": "forbidden"})], ["expected.decision='forbidden'"]),
        ([line(expectation="?")], ["unknown field 'expectation'"]),
    ],
)
def test_a_bad_golden_file_is_told_in_one_line(
    cases: list[Any], told: list[str], amicus: Amicus, tmp_path: Path
) -> None:
    path = golden_file(tmp_path, *cases) if cases else tmp_path / "empty.jsonl"
    path.touch()
    failed(amicus("run", "--golden", path, "--out", tmp_path / "out"), 1, *told)
    assert not (tmp_path / "out").exists()


def test_a_set_in_which_nobody_is_named_has_no_swaps(amicus: Amicus, tmp_path: Path) -> None:
    path = golden_file(tmp_path, line(text="Hello"))
    done = amicus("run", "--golden", path, "--out", tmp_path / "out", "--swaps")
    failed(done, 1, "no case names a group")


def test_a_report_is_shown_written_and_told_as_json(
    amicus: Amicus, finished: Path, tmp_path: Path
) -> None:
    shown = amicus("report", finished)
    assert "found violations on the right section" in shown.stdout
    assert "no data: " in shown.stdout
    page = amicus("report", finished, "--out", tmp_path / "report.html")
    assert (page.exit_code, page.stdout) == (0, "")
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    told = json.loads(amicus("report", finished, "--json").stdout)
    assert set(told) == {"manifest", "overall", "slices", "details", "fairness"}
    assert told["details"]["confusion"]["violating"]["allowed"] == 1
    assert told["details"]["usage"]["cost_usd"] == 1.25


def test_a_page_that_cannot_be_written_is_an_error(
    amicus: Amicus, finished: Path, tmp_path: Path
) -> None:
    failed(amicus("report", finished, "--out", tmp_path / "nowhere" / "r.html"), 1, "r.html")


@pytest.mark.parametrize("command", ["report", "gate"])
def test_a_folder_without_a_finished_run_is_told(
    command: str, amicus: Amicus, finished: Path, tmp_path: Path
) -> None:
    more = ["--min", "recall=.5"] if command == "gate" else []
    failed(amicus(command, tmp_path, *more), 1, "in this folder")
    (finished / "metrics.json").unlink()
    failed(amicus(command, finished, *more), 1, "finished")


def test_figures_that_were_tampered_with_are_refused(amicus: Amicus, finished: Path) -> None:
    (finished / "metrics.json").write_text('{"recall": 1}')
    failed(amicus("gate", finished, "--min", "recall=.5"), 1, "holds no figures")


def test_a_gate_passes_or_exits_with_3(amicus: Amicus, finished: Path) -> None:
    passed = amicus("gate", finished, "--max", "abstention_rate=.9")
    assert (passed.exit_code, passed.stderr) == (0, "")
    assert passed.stdout.startswith("holds   --max abstention_rate=0.9: 0.200")
    broken = amicus("gate", finished, "--min", "recall=.9", "--max", "abstention_rate=.9", "--json")
    failed(broken, 3, "--min recall=0.9: 0.500")
    assert [one["holds"] for one in json.loads(broken.stdout)] == [False, True]
    failed(amicus("gate", finished, "--min", "auprc:hate=.9"), 2, "no metric 'auprc' of slices")
    failed(amicus("gate", finished), 2, "nothing is required")


def test_two_runs_are_compared_in_words_and_as_json(
    amicus: Amicus, finished: Path, square: list[GoldenCase], tmp_path: Path
) -> None:
    quiet = [
        golden_case(one.case.id, one.case.text, one.expected.decision, **one.slices)
        for one in square
    ]
    deaf = records_of(quiet)[2].verdict

    def review(case: Any) -> Any:
        verdict, seen = review_by_ear(case)
        if case.id == "name":
            verdict = deaf.model_copy(update={"case_id": "name"})
        return verdict, seen

    run(square, review, tmp_path / "after", manifest(square, model="ears@2"))
    shown = amicus("compare", finished, tmp_path / "after")
    assert "after against finished, 5 cases:" in shown.stdout
    assert "1 fixed, 0 broken, 0 neither." in shown.stdout
    assert "fixed: name violating → allowed" in shown.stdout
    told = json.loads(amicus("compare", finished, tmp_path / "after", "--json").stdout)
    assert told["real"] == "undecided"
    assert told["metrics"]["decided_right_rate"]["difference"] == pytest.approx(0.2)
    written = amicus("compare", finished, finished, "--json", "--out", tmp_path / "c.json")
    assert written.stdout == ""
    assert json.loads((tmp_path / "c.json").read_text())["flips"] == []


def test_decisions_in_use_are_measured_from_an_export(amicus: Amicus, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    verdict = {"decision": "violating", "confidence": 0.9}
    told = [
        {"case_id": f"c-{n}", "state": "decided", "decided_by": "person", "decision": "violating",
         "decided_at": f"2026-11-{1 + n:02}T10:00:00Z", "verdict": verdict}
        for n in range(20)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in told))
    shown = amicus("online", "--export", path)
    assert "people agree with the opinion" in shown.stdout
    data = json.loads(amicus("online", "--export", path, "--since", "2026-11-10", "--json").stdout)
    assert data["overall"]["agreement"]["value"] == 1.0
    assert data["drift"]["since"] == "2026-11-10"
    failed(amicus("online", "--export", path, "--since", "2027-01-01"), 1, "--since 2027-01-01")
    failed(amicus("online", "--export", tmp_path / "none.jsonl"), 1, "none.jsonl")
