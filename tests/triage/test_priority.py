from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from errors import InputError
from policies.reading import load_rulebook
from policies.rulebook import Rulebook
from tests.triage.scenes import NOW, a_case, abstention_on, verdict_on
from triage.priority import Priority, read_priority

SHIPPED = Path(__file__).parents[2] / "triage" / "priority.toml"


@pytest.fixture(scope="module")
def shipped() -> Priority:
    """The shipped page, under the shipped rules."""
    return read_priority(None, load_rulebook(None))


def case(**fields: Any) -> Case:
    return Case.model_validate(a_case(**fields))


def reported(reason: str, count: int = 1, **fields: Any) -> Case:
    return case(reports=[{"reason": reason, "count": count}], **fields)


def minutes(priority: Priority, arriving: Case) -> float:
    return (priority.on_arrival(arriving, now=NOW).due - NOW) / 60


def test_a_child_in_danger_and_a_threat_to_life_are_minutes_away(shipped: Priority) -> None:
    assert minutes(shipped, reported("child safety")) <= 10
    assert minutes(shipped, reported("suicide")) <= 10
    assert minutes(shipped, reported("Threat")) <= 15
    assert minutes(shipped, reported("spam")) > 24 * 60


def test_more_reports_and_more_reach_make_a_case_more_pressing(shipped: Priority) -> None:
    least = minutes(shipped, reported("hate"))
    assert minutes(shipped, reported("hate", 20)) < least
    assert minutes(shipped, reported("hate", reach=100_000)) < least
    assert minutes(shipped, case()) > minutes(shipped, reported("unknown"))


def test_the_order_of_two_cases_never_changes_by_waiting_and_the_old_one_wins(
    shipped: Priority,
) -> None:
    spam = shipped.on_arrival(reported("spam"), now=NOW)
    hate_soon = shipped.on_arrival(reported("hate"), now=NOW + 3_600)
    hate_late = shipped.on_arrival(reported("hate"), now=NOW + 3 * 86_400)

    assert hate_soon.due < spam.due < hate_late.due


def test_of_several_reasons_the_most_pressing_counts(shipped: Priority) -> None:
    both = case(reports=[{"reason": "spam", "count": 90}, {"reason": "minor", "count": 1}])
    assert shipped.on_arrival(both, now=NOW).policy == "childsafety"


def test_people_get_doubt_and_severity_first(priority: Priority) -> None:
    arriving = case()

    def due(**changes: Any) -> float:
        return priority.for_person(arriving, verdict_on(arriving, **changes), arrived=NOW).due

    sure, unsure = due(confidence=0.99), due(confidence=0.6)
    left_to_people = due(confidence=0.99, needs_human=True, needs_human_because=["a rule"])
    severe = due(confidence=0.6, severity="critical", ground={"severity": "critical"})
    unknown = priority.for_person(arriving, abstention_on(arriving, "unstable"), arrived=NOW).due
    assert left_to_people < unsure < sure
    assert severe < unsure
    assert unknown < unsure


def test_a_policy_left_to_people_has_its_own_deadline(priority: Priority) -> None:
    arriving = case()
    under_the_well = {"section": "well.1", "severity": "critical"}
    verdict = verdict_on(arriving, severity="critical", ground=under_the_well, needs_human=True)

    urgency = priority.for_person(arriving, verdict, arrived=NOW)

    assert urgency.policy == "well"
    assert urgency.due - NOW == pytest.approx(60 * 30 / 3)


def test_another_page_is_another_order(tmp_path: Path, village: Rulebook) -> None:
    page = tmp_path / "mine.toml"
    told = SHIPPED.read_text(encoding="utf-8").replace("default = 1440", "default = 10")
    page.write_text(told.replace("[reasons]", '[reasons]\nplants = "garden"'), encoding="utf-8")

    mine = read_priority(page, village)

    assert mine.on_arrival(reported("plants"), now=NOW).policy == "garden"
    assert minutes(mine, reported("plants")) <= 10


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("high = 1.0", "high = 0", r"severity\.high: .*greater than 0.*, not 0"),
        ("high = 1.0", "hihg = 1.0", r"severity\.high: .*required"),
        ("default = 1440", "defalt = 1440", "deadlines does not say default"),
        ("[doubt]", "[doubt", "is no TOML"),
        ("spam = 2880", "spam = -5", r"deadlines\.spam"),
    ],
)
def test_a_slip_on_the_page_is_named(
    tmp_path: Path, village: Rulebook, old: str, new: str, said: str
) -> None:
    page = tmp_path / "mine.toml"
    page.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InputError, match=said):
        read_priority(page, village)


def test_a_page_that_is_not_there_is_named(tmp_path: Path, village: Rulebook) -> None:
    with pytest.raises(InputError, match=r"none\.toml"):
        read_priority(tmp_path / "none.toml", village)
