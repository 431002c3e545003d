"""The commands for wordings, on the example repository, with the embedded model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "policy-pipeline"

Amicus = Callable[..., Result]


@pytest.fixture
def amicus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Amicus:
    monkeypatch.setenv("AMICUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AMICUS_MODEL", raising=False)
    shutil.copytree(EXAMPLE / "policies", tmp_path / "policies")
    shutil.copytree(EXAMPLE / "policies", tmp_path / "draft")
    shutil.copy(EXAMPLE / "golden.jsonl", tmp_path / "golden.jsonl")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["policy", *map(str, words)])


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def failed(done: Result, code: int, told: str) -> None:
    assert done.exit_code == code, done.output
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert told in errors[0]
    assert "hint: " in done.stderr


@pytest.mark.slow
def test_a_draft_is_compared_reported_and_gated(amicus: Amicus, tmp_path: Path) -> None:
    both = ("--old", "policies", "--new", "draft", "--golden", "golden.jsonl")
    same = amicus("compare", *both, "--json")
    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["notices"][0]["kind"] == "same_text"
    assert amicus("gate", *both, "--max-flips", "0").exit_code == 0

    text = (tmp_path / "draft/market.md").read_text("utf-8")
    (tmp_path / "draft/market.md").write_text(text[: text.index("## market.2")], "utf-8")
    done = amicus("compare", *both, "--json", "--out", "report.html")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [edit["section"] for edit in told["edits"]] == ["market.2"]
    assert {"deleted", "not_retired"} == {notice["kind"] for notice in told["notices"]}
    assert told["scope"]["touched"] > 0
    assert set(told["flips"][0]) >= {"case_id", "kind", "old", "new", "section"}
    assert "market.2" in (tmp_path / "report.html").read_text("utf-8")

    failed(amicus("gate", *both, "--max-flips", "0", "--out", "report.md"), 3, "--max-flips 0")
    assert "❌ `--max-flips 0`" in (tmp_path / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_the_docket_says_what_a_draft_would_do_to_it(amicus: Amicus, tmp_path: Path) -> None:
    lines = (EXAMPLE / "golden.jsonl").read_text("utf-8").splitlines()
    past = [{"id": row["id"], "text": row["text"]} for row in map(json.loads, lines)]
    (tmp_path / "past.jsonl").write_text("\n".join(map(json.dumps, past)), "utf-8")
    added = CliRunner().invoke(app, ["triage", "add", "past.jsonl"])
    assert added.exit_code == 0, added.output
    text = (tmp_path / "draft/market.md").read_text("utf-8")
    (tmp_path / "draft/market.md").write_text(text[: text.index("## market.2")], "utf-8")
    both = ("--old", "policies", "--new", "draft")
    done = amicus("compare", *both, "--docket", "2020-01-01", "--per-day", "800", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["scope"]["cases"] == len(past)
    assert told["metrics"] == {}
    assert told["impact"]["cases_a_day"] == 800
    failed(amicus("compare", *both, "--docket", "2999-01-01"), 1, "no case has come")


@pytest.mark.slow
def test_the_example_is_covered_from_both_sides(amicus: Amicus) -> None:
    done = amicus("coverage", "--golden", "golden.jsonl", "--policies", "policies", "--json")
    assert done.exit_code == 0, done.output
    sections = json.loads(done.stdout)["sections"]
    assert set(sections) == {"market.1", "market.2"}
    assert sections["market.1"]["violating_cases"] == sections["market.1"]["allowed_cases"] == 4


def test_what_cannot_be_compared_says_why(amicus: Amicus, tmp_path: Path) -> None:
    failed(amicus("compare", "--new", "draft"), 2, "needs cases")
    failed(
        amicus("compare", "--old", "policies", "--new", "nowhere", "--golden", "x"), 1, "nowhere"
    )
    rewrite(tmp_path / "draft/market.md", "neighbours (medium)", "neighbours")
    done = amicus("compare", "--old", "policies", "--new", "draft", "--golden", "golden.jsonl")
    failed(done, 1, "draft/market.md:12")


def test_a_suggestion_without_a_language_model_explains_itself(amicus: Amicus) -> None:
    done = amicus("suggest", "market.1", "--aim", "spare gardeners", "--golden", "golden.jsonl")
    failed(done, 2, "cannot write any")


def test_a_policy_goes_out_and_comes_back(amicus: Amicus, tmp_path: Path) -> None:
    out = amicus("export", "market", "--policies", "policies", "--out", "coded.md")
    assert out.exit_code == 0, out.output
    assert "left out: what follows from a violation" in out.stderr
    back = amicus("import", "coded.md", "--id", "market", "--out", "back.md")
    assert back.exit_code == 0, back.output
    assert "every case goes to a person" in back.stderr
    rewritten = (tmp_path / "back.md").read_text("utf-8")
    assert "Paying before seeing (high)" in rewritten
    failed(amicus("export", "nothing", "--policies", "policies"), 1, "no policy 'nothing'")
