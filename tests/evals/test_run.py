from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.verdict import Decision, Provenance, Usage, Verdict, Violation
from errors import ModelError, RecordsError
from evals.golden import Expected, GoldenCase
from evals.run import run

GOLDEN = [
    GoldenCase(
        Case(id="loud", text="HEY YOU"),
        Expected(decision="violating", sections=("square.1",)),
        {"policy": "square"},
        "written for this test",
    ),
    GoldenCase(
        Case(id="quiet", text="good night"), Expected(decision="allowed"), {}, "written, too"
    ),
]


def verdict(case: Case) -> Verdict:
    """Shouting is what stands in capitals."""
    loud = case.text.isupper()
    grounds = [("square.2", 0.2), ("square.1", 0.9)] if loud else []
    decision: Decision = "violating" if loud else "allowed"
    return Verdict(
        case_id=case.id,
        decision=decision,
        action="remove" if loud else "none",
        severity="high" if loud else None,
        violations=tuple(
            Violation(
                section=section,
                severity="high",
                confidence=confidence,
                policy_quote="Do not shout",
                content_quote=case.text,
                content_span=(0, len(case.text)),
                why="it shouts",
            )
            for section, confidence in grounds
        ),
        abstain_reason=None,
        confidence=0.9,
        rationale="",
        counterargument="",
        needs_human=False,
        needs_human_because=(),
        evidence=(),
        sections_considered=("square.1",),
        precedents=(),
        provenance=Provenance(rulebook="sha256:r", model="ears@1", prompts="", tools={"ear": "2"}),
        usage=Usage(model_calls=1, seconds=0.5),
    )


def by_ear(cases: Sequence[Case]) -> Iterator[Verdict]:
    yield from map(verdict, cases)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_run_says_how_good_the_verdicts_were(tmp_path: Path) -> None:
    metrics = run(GOLDEN, by_ear, tmp_path / "run")
    assert metrics.overall["decided_right_rate"].value == 1.0
    assert metrics.overall["right_section_rate"].value == 1.0
    assert metrics.slices["policy"]["square"]["recall"].n == 1


def test_a_run_keeps_every_verdict_beside_its_answer(tmp_path: Path) -> None:
    run(GOLDEN, by_ear, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "outcomes.jsonl").read_text().splitlines()]
    assert [line["case_id"] for line in lines] == ["loud", "quiet"]
    assert lines[0]["expected"] == {"decision": "violating", "sections": ["square.1"]}
    assert Verdict.model_validate(lines[0]["verdict"]) == verdict(GOLDEN[0].case)


def test_every_metric_is_written_with_interval_and_cases(tmp_path: Path) -> None:
    run(GOLDEN[:1], by_ear, tmp_path)
    written = read(tmp_path / "metrics.json")
    assert all(set(metric) == {"value", "low", "high", "n"} for metric in written.values())
    assert written["recall"] == {"value": 1.0, "low": pytest.approx(0.2065, abs=1e-4)} | {
        "high": 1.0,
        "n": 1,
    }
    assert written["wrong_removal_rate"] == {"value": None, "low": None, "high": None, "n": 0}
    assert read(tmp_path / "slices.json")["policy"]["square"]["recall"]["n"] == 1


def test_the_manifest_says_what_was_run_on_what(tmp_path: Path) -> None:
    run(GOLDEN, by_ear, tmp_path, about={"seed": 7})
    manifest = read(tmp_path / "manifest.json")
    assert manifest["cases"] == 2
    assert manifest["model"] == ["ears@1"]
    assert manifest["rulebook"] == ["sha256:r"]
    assert manifest["tools"] == ["ear@2"]
    assert manifest["usage"]["model_calls"] == 2
    assert manifest["seed"] == 7


def test_another_answer_makes_another_golden_set(tmp_path: Path) -> None:
    run(GOLDEN, by_ear, tmp_path / "one")
    run(GOLDEN[:1], by_ear, tmp_path / "other")
    run(GOLDEN, by_ear, tmp_path / "again")
    one, other, again = (
        read(tmp_path / name / "manifest.json")["golden"] for name in ("one", "other", "again")
    )
    assert one == again
    assert one != other


def test_a_reviewer_is_never_shown_the_answer(tmp_path: Path) -> None:
    shown: list[Case] = []

    def curious(cases: Sequence[Case]) -> Iterator[Verdict]:
        shown.extend(cases)
        return by_ear(cases)

    run(GOLDEN, curious, tmp_path)
    assert all(type(case) is Case for case in shown)
    assert "square.1" not in "".join(case.model_dump_json() for case in shown)


def one_short(cases: Sequence[Case]) -> Iterable[Verdict]:
    return list(by_ear(cases))[:-1]


def swapped(cases: Sequence[Case]) -> Iterable[Verdict]:
    return list(by_ear(cases))[::-1]


def test_a_case_without_a_verdict_is_named_and_never_counted(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no verdict on quiet: 1 of 2 came back"):
        run(GOLDEN, one_short, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_verdicts_in_another_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not one a case, in order"):
        run(GOLDEN, swapped, tmp_path)


def test_a_run_leaves_its_own_files_and_no_others(tmp_path: Path) -> None:
    run(GOLDEN, by_ear, tmp_path)
    run(GOLDEN, by_ear, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"manifest.json", "outcomes.jsonl", "metrics.json", "slices.json"}


def test_a_run_that_cannot_be_written_is_an_error_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(RecordsError, match=r"cannot write the run to .*taken: File exists"):
        run(GOLDEN, by_ear, tmp_path / "taken")


def test_a_run_that_stops_half_way_has_no_manifest(tmp_path: Path) -> None:
    run(GOLDEN, by_ear, tmp_path)
    (tmp_path / "slices.json").unlink()
    (tmp_path / "slices.json").mkdir()
    with pytest.raises(RecordsError, match="Is a directory"):
        run(GOLDEN, by_ear, tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    assert not list(tmp_path.glob(".*"))
