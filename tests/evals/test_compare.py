from __future__ import annotations

import json

import pytest

from agent.case import Case
from agent.verdict import Verdict
from errors import InputError
from evals.compare import Comparison, compare, comparison_data, flips, paired
from evals.golden import GoldenCase
from evals.outcome import Outcome
from evals.run import Recorded, Seen
from evals.run.recorded import recorded
from tests.evals.by_ear import golden_case, records_of, verdict_by_ear


def deaf(case: Case) -> Verdict:
    """A reviewer that hears nothing."""
    verdict = verdict_by_ear(case.model_copy(update={"text": "quiet"}))
    return verdict.model_copy(update={"rationale": "Nothing was heard."})


def reviewed_by_the_deaf(golden: list[GoldenCase]) -> list[Recorded]:
    return [recorded(one, deaf(one.case), Seen()) for one in golden]


def many(shouts: int, quiet: int, *, clustered: bool = False) -> list[GoldenCase]:
    """Shouts that one of the two reviewers hears, and quiet cases on which both agree."""
    made = [
        golden_case(f"s-{n}", "HEY", "violating", cluster="all" if clustered else "")
        for n in range(shouts)
    ]
    return made + [golden_case(f"q-{n}", "hey", "allowed") for n in range(quiet)]


def compared(golden: list[GoldenCase]) -> Comparison:
    return compare(reviewed_by_the_deaf(golden), records_of(golden), draws=200)


def test_every_flip_is_told_with_both_rationales_the_broken_first(
    square: list[GoldenCase],
) -> None:
    told = comparison_data(compared(square))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    kinds = [(f["case_id"], f["kind"], f["effect"]) for f in told["flips"]]  # type: ignore[attr-defined]
    assert kinds == [
        ("name", "became_violating", "broken"),
        ("loud", "became_violating", "fixed"),
        ("unclear", "began_to_abstain", "fixed"),
    ]
    first = told["flips"][0]  # type: ignore[index]
    assert first["old_rationale"] == "Nothing was heard."
    assert first["new_rationale"] == "All of it is in capitals."
    assert first["section"] == "square.1"


def test_the_same_decision_on_another_section_is_a_flip() -> None:
    (case,) = many(1, 0)
    before, now = records_of([case])[0], records_of([case])[0]
    grounds = now.verdict.violations[:1]
    verdict = now.verdict.model_copy(update={"violations": grounds})
    now = now.model_copy(update={"verdict": verdict})
    (flip,) = flips(paired([now], [before])[0])
    assert (flip.kind, flip.effect, flip.section) == ("other_section", "fixed", "square.1")


def test_eight_flips_one_way_are_more_than_chance_and_five_are_not() -> None:
    # McNemar by hand: 2 / 2^8 = .0078 and 2 / 2^5 = .0625.
    eight, five = compared(many(8, 12)), compared(many(5, 15))
    assert eight.metrics["decided_right_rate"].p == pytest.approx(2 / 2**8)
    assert five.metrics["decided_right_rate"].p == pytest.approx(2 / 2**5)
    assert (eight.real, five.real) == (True, "undecided")


def test_flips_within_one_family_are_one_piece_of_evidence() -> None:
    told = compared(many(8, 12, clustered=True))
    assert told.metrics["decided_right_rate"].p > 0.05
    assert told.real == "undecided"


def test_the_same_run_twice_is_no_change(square: list[GoldenCase]) -> None:
    told = compare(records_of(square), records_of(square), draws=50)
    assert told.flips == []
    assert told.real is False
    for name, change in told.metrics.items():
        if change.difference.n:
            assert change.difference.value == change.difference.low == 0.0, name
            assert change.p == 1.0, name


def test_every_metric_is_compared_and_no_data_is_null() -> None:
    told = comparison_data(compared(many(0, 4)))["metrics"]
    assert told["recall"]["difference"] is None  # type: ignore[index]
    assert told["recall"]["p"] is None  # type: ignore[index]
    assert told["abstention_rate"]["difference"] == 0.0  # type: ignore[index]


def test_the_interval_is_that_of_the_paired_difference() -> None:
    change = compared(many(10, 10)).metrics["decided_right_rate"]
    assert (change.old, change.new, change.difference.value) == (0.5, 1.0, 0.5)
    assert 0.2 < change.difference.low < 0.5 < change.difference.high < 0.8


def test_policies_are_corrected_for_their_number() -> None:
    golden = [
        golden_case(f"{policy}-{n}", "HEY", "violating", policy=policy)
        for policy in ("a", "b", "c")
        for n in range(6)
    ]
    told = compared(golden).policies
    assert told["a"].p == pytest.approx(2 / 2**6)
    assert told["a"].p_holm == pytest.approx(3 * 2 / 2**6)
    assert (told["a"].old_right, told["a"].new_right, told["a"].n) == (0, 6, 6)


def test_the_smallest_change_as_worked_by_hand() -> None:
    # 10 of 100 flip, all one way: the variance of the steps is .1 - .01 = .09, the standard error
    # .03, times 2.8016 is .0840; to show .1 so, 100 * (.0840 / .1)^2 = 70.6 cases are enough.
    told = compared(many(10, 90)).sensitivity
    assert told.smallest_change == pytest.approx(0.0840, abs=1e-4)
    assert told.cases_for_observed == 71


def test_a_case_whose_answer_was_corrected_in_between_is_left_out() -> None:
    before = many(1, 1)
    now = [golden_case("s-0", "HEY", "allowed"), before[1]]
    told = compare(records_of(before), records_of(now), draws=20)
    assert (told.cases, told.unpaired) == (1, 2)


def test_runs_without_a_common_case_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="no case in common"):
        compare(records_of(many(1, 0)), records_of(many(0, 1)))


def test_an_outcome_without_a_policy_counts_in_no_policy() -> None:
    from evals.compare.change import policy_changes

    assert policy_changes([Outcome("allowed", "allowed")], [Outcome("allowed", "allowed")]) == {}
