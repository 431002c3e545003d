from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.verdict import Verdict
from errors import AmicusError, InputError, ModelError, RecordsError
from evals.golden import GoldenCase, drawn
from evals.run import Pace, Progress, Review, Seen, read_run, run
from evals.run.folder import open_run
from evals.run.manifest import golden_id
from tests.evals.by_ear import golden_case, manifest, review_by_ear, verdict_by_ear


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def outcome_lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "outcomes.jsonl").read_text().splitlines()]


def counting(asked: list[str], fails_on: str = "") -> Review:
    """A reviewer that notes whom it was asked about, and breaks on one of them."""

    def review(case: Case) -> tuple[Verdict, Seen]:
        asked.append(case.id)
        if case.id == fails_on:
            raise ModelError("the provider cannot be reached")
        return review_by_ear(case)

    return review


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.name != ".lock"
    }


def test_a_run_says_how_good_the_verdicts_were(square: list[GoldenCase], tmp_path: Path) -> None:
    metrics = run(square, review_by_ear, tmp_path, manifest(square))
    assert metrics.overall["decided_right_rate"].value == 0.6
    assert metrics.overall["right_section_rate"].value == 1.0
    assert metrics.slices["policy"]["square"]["recall"].n == 1


def test_a_run_keeps_every_verdict_beside_its_answer(finished: Path) -> None:
    lines = outcome_lines(finished)
    assert [line["case_id"] for line in lines] == ["loud", "missed", "quiet", "name", "unclear"]
    assert lines[0]["expected"] == {"decision": "violating", "sections": ["square.1"]}
    assert lines[0]["slices"] == {"policy": "square"}
    assert lines[0]["source"] == "written for this test"
    again = Verdict.model_validate(lines[0]["verdict"])
    assert again == verdict_by_ear(Case(id="loud", text="HEY YOU"))


def test_every_metric_is_written_with_interval_and_cases(finished: Path) -> None:
    written = read(finished / "metrics.json")
    assert all(set(metric) == {"value", "low", "high", "n"} for metric in written.values())
    assert written["recall"]["value"] == 0.5
    assert written["recall"]["n"] == 2


def test_no_data_is_null_in_the_file(tmp_path: Path) -> None:
    quiet = [golden_case("quiet", "good night", "allowed")]
    run(quiet, review_by_ear, tmp_path, manifest(quiet))
    assert read(tmp_path / "metrics.json")["recall"] == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
    }


def test_what_was_reviewed_side_by_side_is_written_in_the_order_of_the_set(
    square: list[GoldenCase], finished: Path, tmp_path: Path
) -> None:
    run(square, review_by_ear, tmp_path / "wide", manifest(square), Pace(workers=4))
    for name in ("outcomes.jsonl", "metrics.json", "slices.json", "details.json"):
        assert (tmp_path / "wide" / name).read_bytes() == (finished / name).read_bytes()


def test_a_finished_run_asks_nothing_and_changes_nothing(
    square: list[GoldenCase], finished: Path
) -> None:
    before, asked = contents(finished), list[str]()
    metrics = run(square, counting(asked), finished, manifest(square))
    assert asked == []
    assert contents(finished) == before
    assert metrics.overall["recall"].value == 0.5


def test_a_run_that_failed_goes_on_and_asks_for_nothing_twice(
    square: list[GoldenCase], finished: Path, tmp_path: Path
) -> None:
    asked: list[str] = []
    with pytest.raises(ModelError, match="cannot be reached"):
        run(square, counting(asked, fails_on="name"), tmp_path / "r", manifest(square))
    with pytest.raises(InputError, match=r"not finished \(3 of 5 cases\)"):
        read_run(tmp_path / "r")
    run(square, counting(asked), tmp_path / "r", manifest(square))
    assert asked == ["loud", "missed", "quiet", "name", "name", "unclear"]
    assert (tmp_path / "r" / "metrics.json").read_bytes() == (
        finished / "metrics.json"
    ).read_bytes()


def test_a_torn_last_line_is_dropped_and_reviewed_anew(
    square: list[GoldenCase], finished: Path
) -> None:
    whole = (finished / "outcomes.jsonl").read_bytes()
    (finished / "outcomes.jsonl").write_bytes(whole[:-40])
    (finished / "metrics.json").unlink()
    asked: list[str] = []
    run(square, counting(asked), finished, manifest(square))
    assert asked == ["unclear"]
    assert (finished / "outcomes.jsonl").read_bytes() == whole


def test_a_run_stops_at_its_budget_and_goes_on_with_a_larger_one(
    square: list[GoldenCase], tmp_path: Path
) -> None:
    with pytest.raises(AmicusError, match=r"budget of \$0\.50 is spent: \$0\.5000 for 2 of 5"):
        run(square, review_by_ear, tmp_path, manifest(square), Pace(budget_usd=0.5))
    asked: list[str] = []
    run(square, counting(asked), tmp_path, manifest(square), Pace(budget_usd=9.0))
    assert asked == ["quiet", "name", "unclear"]


def test_a_run_tells_how_far_it_is_and_what_it_has_cost(
    square: list[GoldenCase], tmp_path: Path
) -> None:
    told: list[Progress] = []
    run(square, review_by_ear, tmp_path, manifest(square), Pace(on_progress=told.append))
    assert told[0] == Progress(1, 5, 0.25)
    assert told[-1] == Progress(5, 5, 1.25)


def test_a_folder_of_another_run_is_refused_with_what_differs(
    square: list[GoldenCase], finished: Path
) -> None:
    with pytest.raises(RecordsError, match=r"another run: model 'ears@1', now 'eyes@2'") as caught:
        run(square, review_by_ear, finished, manifest(square, model="eyes@2"))
    assert "--fresh" in caught.value.hint


def test_a_folder_with_outcomes_and_no_manifest_is_left_alone(
    square: list[GoldenCase], finished: Path
) -> None:
    (finished / "manifest.json").unlink()
    with pytest.raises(RecordsError, match="no manifest"):
        run(square, review_by_ear, finished, manifest(square))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda line: b"{}" + line[1:], "outcomes.jsonl:1"),
        (lambda line: line.replace(b'"violating"', b'"maybe"', 1), "outcomes.jsonl:1"),
        (lambda line: b"\xff" + line, "not UTF-8"),
    ],
)
def test_a_damaged_line_is_named(
    damage: Callable[[bytes], bytes], told: str, finished: Path
) -> None:
    path = finished / "outcomes.jsonl"
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(damage(first) + b"\n" + rest)
    with pytest.raises(RecordsError, match=told):
        read_run(finished)


def test_two_at_work_on_one_run_are_kept_apart(square: list[GoldenCase], tmp_path: Path) -> None:
    with (
        open_run(tmp_path, manifest(square)),
        pytest.raises(RecordsError, match="another amicus is at work"),
    ):
        run(square, review_by_ear, tmp_path, manifest(square))


def test_a_verdict_on_another_case_is_never_counted(
    square: list[GoldenCase], tmp_path: Path
) -> None:
    def mixed_up(case: Case) -> tuple[Verdict, Seen]:
        return verdict_by_ear(case.model_copy(update={"id": "another"})), Seen()

    with pytest.raises(ModelError, match="asked for a verdict on loud, got one on another"):
        run(square, mixed_up, tmp_path, manifest(square))
    assert (tmp_path / "outcomes.jsonl").read_text() == ""


def test_a_run_that_cannot_be_written_is_an_error_with_its_folder(
    square: list[GoldenCase], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(RecordsError, match=r"taken'?: File exists"):
        run(square, review_by_ear, tmp_path / "taken", manifest(square))


def test_the_reviewer_is_shown_the_case_and_never_the_answer(
    square: list[GoldenCase], tmp_path: Path
) -> None:
    shown: list[Case] = []

    def curious(case: Case) -> tuple[Verdict, Seen]:
        shown.append(case)
        return review_by_ear(case)

    run(square, curious, tmp_path, manifest(square))
    assert all(type(case) is Case for case in shown)
    assert "square.1" not in "".join(case.model_dump_json() for case in shown)


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in this folder"):
        read_run(tmp_path)


def test_a_draw_depends_on_the_seed_alone_and_keeps_the_order() -> None:
    cases = [golden_case(f"c-{n:03}", "words", "allowed") for n in range(100)]
    one = [case.case.id for case in drawn(cases, 10, seed=1)]
    assert one == [case.case.id for case in drawn(cases, 10, seed=1)]
    assert one == sorted(one)
    assert one != [case.case.id for case in drawn(cases, 10, seed=2)]
    assert drawn(cases, None) == drawn(cases, 200) == cases


def test_another_answer_or_another_family_is_another_set(square: list[GoldenCase]) -> None:
    other = [golden_case("loud", "HEY YOU", "allowed"), *square[1:]]
    kin = [golden_case("loud", "HEY YOU", "violating", cluster="twins"), *square[1:]]
    assert len({golden_id(square), golden_id(other), golden_id(kin)}) == 3


def test_cases_that_ended_because_the_model_failed_can_be_asked_again(
    square: list[GoldenCase], finished: Path, tmp_path: Path
) -> None:
    def broken(case: Case) -> tuple[Verdict, Seen]:
        verdict, seen = review_by_ear(case)
        if case.id in ("quiet", "unclear"):
            verdict = verdict.model_copy(
                update={"decision": "abstain", "abstain_reason": "model_error"}
            )
        return verdict, seen

    run(square, broken, tmp_path, manifest(square))
    asked: list[str] = []
    run(square, counting(asked), tmp_path, manifest(square), Pace(retry_failed=True))
    assert asked == ["quiet", "unclear"]
    assert (tmp_path / "outcomes.jsonl").read_bytes() == (finished / "outcomes.jsonl").read_bytes()
