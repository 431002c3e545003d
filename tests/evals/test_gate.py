from __future__ import annotations

import math

import pytest

from errors import GateError, UsageError
from evals.estimate import NO_DATA, Estimate
from evals.gate import Requirement, Side, hold, requirement, rule, ruling_data
from evals.metrics import METRICS, Metrics, Outcome, measure

GOOD = Estimate(0.95, 0.91, 0.98, 200)


def metrics(estimate: Estimate = GOOD) -> Metrics:
    everywhere = dict.fromkeys(METRICS, estimate)
    return Metrics(everywhere, {"policy": {"hate": everywhere}, "language": {"de": everywhere}})


@pytest.mark.parametrize(
    ("side", "text", "wanted"),
    [
        ("min", "recall=.9", Requirement("min", "recall", 0.9)),
        ("min", "recall:hate=.9", Requirement("min", "recall", 0.9, "policy", "hate")),
        ("max", "recall:hate.1=1e-2", Requirement("max", "recall", 0.01, "section", "hate.1")),
        ("min", "recall:language/de=1", Requirement("min", "recall", 1.0, "language", "de")),
    ],
)
def test_a_requirement_is_read_and_told_as_it_was_written(
    side: Side, text: str, wanted: Requirement
) -> None:
    assert requirement(side, text) == wanted
    assert requirement(side, str(wanted).split(" ", 1)[1]) == wanted


@pytest.mark.parametrize("text", ["recall", "=.9", "recall=", "recall=most", "recall=nan", ""])
def test_what_is_no_requirement_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="not a requirement") as caught:
        requirement("min", text)
    assert "recall:hate=.9" in caught.value.hint


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no metric 'recal'") as caught:
        requirement("min", "recal=.9")
    assert "recall" in caught.value.hint
    with pytest.raises(UsageError, match="of slices"):
        requirement("min", "auprc:hate=.9")


def test_the_lower_bound_has_to_reach_a_minimum_not_the_value() -> None:
    assert rule(metrics(), requirement("min", "recall=.91")).holds
    refused = rule(metrics(), requirement("min", "recall=.92"))
    assert not refused.holds
    assert refused.told == "0.950 [0.910, 0.980], n = 200: the lower bound does not"


def test_the_upper_bound_has_to_stay_under_a_maximum() -> None:
    low = metrics(Estimate(0.02, 0.01, 0.04, 200))
    assert rule(low, requirement("max", "false_positive_rate:hate=.04")).holds
    assert not rule(low, requirement("max", "false_positive_rate:hate=.03")).holds


def test_a_gate_without_data_never_opens() -> None:
    nothing = rule(metrics(NO_DATA), requirement("max", "missed_violation_rate=1"))
    assert not nothing.holds
    assert nothing.told == "no case says anything about it"
    assert ruling_data(nothing)["value"] is None


def test_a_slice_that_the_run_does_not_have_never_opens_a_gate() -> None:
    ruling = rule(metrics(), requirement("max", "recall:spam=1"))
    assert not ruling.holds
    assert "no cases of policy 'spam' (it has 'hate')" in ruling.told


def test_one_lucky_case_opens_no_gate() -> None:
    lucky = measure([Outcome("violating", "violating")])
    assert lucky.overall["recall"].value == 1.0
    assert not rule(lucky, requirement("min", "recall=.9")).holds


def test_a_gate_that_does_not_hold_exits_with_3_and_says_which() -> None:
    rulings = [rule(metrics(), requirement("min", text)) for text in ("recall=.9", "precision=.99")]
    hold(rulings[:1])
    with pytest.raises(GateError, match=r"--min precision=0.99: 0.950") as caught:
        hold(rulings)
    assert caught.value.exit_code == 3


def test_a_bound_that_is_no_number_does_not_pass() -> None:
    assert math.isnan(NO_DATA.low)
    with pytest.raises(GateError, match="and 1 more"):
        hold([rule(metrics(NO_DATA), requirement("min", t)) for t in ("recall=0", "precision=0")])
