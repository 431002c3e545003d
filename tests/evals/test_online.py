from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from errors import InputError
from evals.online.decided import DecidedCase, read_decided
from evals.online.drift import drift, score_index, stability_index
from evals.online.measures import by_day, measures
from evals.online.told import online, online_data, render_online
from records.docket.reading import DocketCase
from triage.export import json_lines

DAY = 86_400.0
START = 1_790_000_000.0


def verdict(decision: str = "violating", confidence: float = 0.9, section: str = "hate.1") -> Any:
    grounds = [{"section": section, "confidence": confidence}] if decision == "violating" else []
    return {
        "decision": decision,
        "confidence": confidence,
        "violations": grounds,
        "usage": {"cost_usd": 0.01},
    }


def line(number: int, by: str = "machine", **more: Any) -> dict[str, Any]:
    return {
        "case_id": f"c-{number}",
        "state": "decided",
        "decided_by": by,
        "decision": "violating",
        "action": "remove",
        "decided_at": START + number * DAY,
        "verdict": verdict(),
        "something": "that a later version says",
    } | more


def decided(*lines: dict[str, Any]) -> Sequence[DecidedCase]:
    return [DecidedCase.model_validate(one) for one in lines]


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "export.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_audited_mistakes_have_an_exact_interval() -> None:
    said = ["allowed"] * 2 + ["violating"] * 48
    audited = [line(n, audit={"decision": decision}) for n, decision in enumerate(said)]
    told = measures(decided(*audited, line(99)))
    exact = stats.binomtest(2, 50).proportion_ci(method="exact")
    error = told.audit_error
    assert (error.value, error.n) == (0.04, 50)
    assert (error.low, error.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_a_closure_that_was_overturned_before_its_audit_counts_as_wrong() -> None:
    fell = line(
        1,
        "person",
        overturned=True,
        first_decided_by="machine",
        audit={"decision": None, "wrong": True},
    )
    held = line(2, audit={"decision": "allowed", "wrong": False})
    error = measures(decided(fell, held, line(3, "person"))).audit_error
    assert (error.value, error.n) == (0.5, 2)


def test_people_agree_with_an_opinion_or_they_do_not() -> None:
    told = measures(
        decided(
            line(1, "person", agrees=True),
            line(2, "person", agrees=False),
            line(3, "person", decision="allowed"),
            line(4, "person", verdict=verdict("abstain")),
            line(5, "machine"),
        )
    )
    assert (told.agreement.value, told.agreement.n) == (1 / 3, 3)
    assert told.closed_by_machine.value == 1 / 5


def test_an_overturned_decision_counts_against_whoever_made_it() -> None:
    undone = line(1, "person", overturned=True, first_decided_by="machine")
    told = measures(decided(undone, line(2), line(3, "person")))
    assert (told.overturned_machine.value, told.overturned_machine.n) == (0.5, 2)
    assert (told.overturned_person.value, told.overturned_person.n) == (0.0, 1)
    assert told.overturned.value == 1 / 3


def test_where_nobody_says_whose_decision_was_overturned_only_the_whole_is_told() -> None:
    told = measures(decided(line(1, "person", overturned=True), line(2)))
    assert told.overturned.value == 0.5
    assert told.overturned_machine.n == told.overturned_person.n == 0


def test_what_the_docket_exports_can_be_read(tmp_path: Path) -> None:
    closed = DocketCase(
        case_id="c-1",
        state="decided",
        waits_for="person",
        reserved_for="",
        policy="hate",
        due=0.0,
        added_at=START,
        tries=1,
        held_by="",
        held_until=None,
        reason="",
        own_call="remove:hate.1",
        decision="violating",
        action="remove",
        sections="hate.1",
        decided_by="person",
        decided_at=START + 60,
        record=7,
        agrees=True,
        overturned=False,
        cost=0.0,
        content="{}",
        verdict=json.dumps(verdict()),
    )
    path = tmp_path / "docket.jsonl"
    path.write_text("".join(f"{one}\n" for one in json_lines([closed])))
    (one,) = read_decided(path)
    assert (one.was_agreed, one.day) == (True, date(2026, 9, 21))
    assert one.verdict is not None
    assert one.verdict.topic == "hate"


def test_time_saved_rests_on_how_long_people_take_and_is_unknown_without() -> None:
    people = [line(n, "person", person_seconds=seconds) for n, seconds in enumerate((60, 120, 900))]
    told = measures(decided(*people, *(line(n) for n in range(10, 40))))
    assert told.hours_saved == pytest.approx(30 * 120 / 3600)
    assert math.isnan(measures(decided(line(1))).hours_saved)
    assert told.cost_usd == pytest.approx(0.33)


def test_every_day_is_measured_on_its_own() -> None:
    days = by_day(decided(line(0), line(0, "person"), line(1), line(2, decided_at=None)))
    assert [one.cases for one in days.values()] == [2, 1]
    assert min(days) == date(2026, 9, 21)


def test_a_time_with_its_zone_falls_on_its_day_in_utc() -> None:
    (one,) = decided(line(1, decided_at="2026-11-02T01:00:00+02:00"))
    assert one.day == date(2026, 11, 1)


def stream(first: int, day: int, *, confidence: float | None = None, topics: int = 1) -> Any:
    """Eighty decisions of a day; the confidence runs from 0 to .45 unless it is given."""
    return [
        line(
            first + n,
            decided_at=START + day * DAY,
            verdict=verdict(
                confidence=n % 10 / 20 if confidence is None else confidence,
                section=("hate.1", "spam.1")[n % topics],
            ),
        )
        for n in range(80)
    ]


def test_new_topics_and_surer_scores_are_drift() -> None:
    cases = decided(*stream(0, 0), *stream(100, 9, confidence=0.9, topics=2))
    told = drift(cases, date(2026, 9, 25))
    assert told.scores.told == told.topics.told == "strong drift"


def test_more_of_the_same_is_no_drift() -> None:
    told = drift(decided(*stream(0, 0, topics=2), *stream(100, 9, topics=2)), date(2026, 9, 25))
    assert told.scores.told == told.topics.told == "no drift seen"
    assert told.scores.psi < 0.1


def test_the_stability_index_as_worked_by_hand() -> None:
    # .75 against .25, each with half a case added to 75 and 25 of 100: p = 75.5/101, q = 25.5/101.
    p, q = 75.5 / 101, 25.5 / 101
    wanted = (p - q) * math.log(p / q) + (q - p) * math.log(q / p)
    assert stability_index({"a": 75, "b": 25}, {"a": 25, "b": 75}) == pytest.approx(wanted)
    assert math.isnan(stability_index({}, {"a": 1}))


def test_a_score_that_is_always_the_same_does_not_drift() -> None:
    assert score_index([0.5] * 30, [0.5] * 30) == pytest.approx(0.0)


def test_what_still_waits_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, {"case_id": "w", "state": "waiting"}, line(1))
    assert [one.case_id for one in read_decided(path)] == ["c-1"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([{"case_id": "w", "state": "waiting"}], "no decided case"),
        ([line(1), line(1)], ":2: the case 'c-1' already stands on line 1"),
        ([line(1, decision="maybe")], ":1: decision='maybe'"),
        ([line(1, decided_at="2026-11-02T01:00:00")], "decided_at"),
        ([line(1, verdict={"decision": "allowed"})], "verdict.confidence' is missing"),
    ],
)
def test_a_bad_export_is_named(lines: list[Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        read_decided(written(tmp_path, *lines))


def test_a_day_that_leaves_nothing_before_it_is_refused() -> None:
    with pytest.raises(InputError, match="decided from 2026-09-22 to 2026-09-24"):
        online(decided(line(1), line(3)), date(2026, 9, 22))


def test_the_report_is_plain_json_and_readable(capsys: pytest.CaptureFixture[str]) -> None:
    from agent.view import terminal

    told = online(decided(*(line(n, "person" if n % 3 else "machine") for n in range(12))))
    data = online_data(told)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    terminal().print(render_online(told))
    shown = capsys.readouterr().out
    assert "people agree with the opinion" in shown
    assert "2026-09-21" in shown
    assert "cannot be told" in shown or "no drift seen" in shown


def test_without_times_there_are_no_days_and_no_drift() -> None:
    told = online(decided(line(1, decided_at=None)))
    assert told.drift is None
    assert online_data(told)["days"] == {}
