from __future__ import annotations

from typing import Any

import pytest

from agent.case import Case
from policies.rulebook import Rulebook
from tests.triage.scenes import EverythingCloses, a_case, abstention_on, verdict_on
from triage.closing import Braked, NothingCloses

CASE = Case.model_validate(a_case())


def test_nothing_closes_without_a_certificate() -> None:
    closing = NothingCloses().may_close(verdict_on(CASE))

    assert (closing.closes, "certificate" in closing.because) == (False, True)


def test_a_policy_under_released_brakes_is_asked(village: Rulebook) -> None:
    assert Braked(EverythingCloses(), village).may_close(verdict_on(CASE)).closes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"needs_human": True, "needs_human_because": ["it looks odd"]}, "it looks odd"),
        ({"ground": {"section": "well.1"}}, "never closes a case under well.1"),
        ({"ground": {"section": "gone.1"}}, "never closes a case under gone.1"),
    ],
)
def test_the_floors_hold_whatever_the_policy_says(
    village: Rulebook, changes: dict[str, Any], said: str
) -> None:
    closing = Braked(EverythingCloses(), village).may_close(verdict_on(CASE, **changes))

    assert not closing.closes
    assert said in closing.because


def test_an_abstention_closes_nothing(village: Rulebook) -> None:
    closing = Braked(EverythingCloses(), village).may_close(abstention_on(CASE, "model_error"))

    assert (closing.closes, closing.because) == (False, "no opinion: model error")


def test_the_kill_switch_is_asked_for_every_verdict(village: Rulebook) -> None:
    stopped = False
    braked = Braked(EverythingCloses(), village, stopped=lambda: stopped)

    assert braked.may_close(verdict_on(CASE)).closes
    stopped = True
    assert braked.may_close(verdict_on(CASE)).because == "the kill switch is on"


def test_in_shadow_mode_what_would_be_closed_is_said_and_not_done(village: Rulebook) -> None:
    closing = Braked(EverythingCloses(), village, shadow=True).may_close(verdict_on(CASE))

    assert (closing.closes, closing.because) == (
        False,
        "shadow mode; would close: the test says so",
    )
