from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verdict import Decision
from evals.metrics import METRICS, Estimate, Outcome, f1_score, measure, precision, recall, share
from evals.metrics.decisions import DECISIONS as RATES
from evals.table import shown_estimate, table

DECISIONS: tuple[Decision, ...] = ("violating", "allowed", "abstain")
outcomes = st.lists(
    st.builds(Outcome, expected=st.sampled_from(DECISIONS), decided=st.sampled_from(DECISIONS))
)


def crossed(**counts: int) -> list[Outcome]:
    """Outcomes by name: `violating_allowed=2` is two violations that were let through."""
    named: dict[str, Decision] = {decision: decision for decision in DECISIONS}
    return [
        Outcome(named[expected], named[decided])
        for pair, count in counts.items()
        for expected, _, decided in [pair.partition("_")]
        for _ in range(count)
    ]


EVERYTHING = crossed(
    violating_violating=6,
    violating_allowed=2,
    violating_abstain=2,
    allowed_allowed=12,
    allowed_violating=3,
    allowed_abstain=1,
    abstain_abstain=2,
    abstain_violating=1,
    abstain_allowed=1,
)


@pytest.mark.parametrize(
    ("name", "hits", "n"),
    [
        ("decided_right_rate", 20, 30),
        ("wrong_removal_rate", 3, 16),
        ("missed_violation_rate", 2, 10),
        ("abstention_rate", 5, 30),
        ("precision", 6, 10),
        ("recall", 6, 10),
        ("false_positive_rate", 4, 20),
    ],
)
def test_a_rate_counts_what_its_name_says(name: str, hits: int, n: int) -> None:
    assert METRICS[name](EVERYTHING) == share(hits, n)


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    p, r = precision(EVERYTHING).value, recall(EVERYTHING).value
    assert f1_score(EVERYTHING).value == pytest.approx(2 * p * r / (p + r))


def test_the_right_section_is_asked_of_the_surest_ground_only() -> None:
    found = [
        Outcome("violating", "violating", sections=("a.1", "a.2"), cited=("a.2",)),
        Outcome("violating", "violating", sections=("a.1",), cited=("b.1", "a.1")),
        Outcome("violating", "abstain", sections=("a.1",)),
        Outcome("allowed", "violating", cited=("a.1",)),
    ]
    assert METRICS["right_section_rate"](found) == share(1, 2)


@pytest.mark.parametrize("name", METRICS)
def test_no_data_is_not_a_number_rather_than_zero(name: str) -> None:
    nothing = METRICS[name]([])
    assert nothing.n == 0
    assert all(math.isnan(x) for x in (nothing.value, nothing.low, nothing.high))


def test_the_interval_is_that_of_the_textbook() -> None:
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3
    for hits, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)]:
        estimate = share(hits, n)
        assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)
    assert share(0, 20).low == 0.0
    assert round(share(0, 20).high, 4) == 0.1611
    assert share(29, 29).high == 1.0


@given(outcomes)
def test_every_value_lies_in_its_interval(drawn: list[Outcome]) -> None:
    for metric in RATES:
        estimate = metric(drawn)
        if estimate.n:
            assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0


@given(outcomes)
def test_the_order_of_the_cases_does_not_matter(drawn: list[Outcome]) -> None:
    assert [repr(m(drawn)) for m in RATES] == [repr(m(drawn[::-1])) for m in RATES]


def test_slices_are_measured_on_their_own() -> None:
    drawn = [
        Outcome("violating", "violating", slices={"policy": "a", "language": "en"}),
        Outcome("violating", "allowed", slices={"policy": "b"}),
    ]
    metrics = measure(drawn)
    assert metrics.overall["recall"] == share(1, 2)
    assert metrics.slices["policy"]["a"]["recall"] == share(1, 1)
    assert metrics.slices["policy"]["b"]["recall"] == share(0, 1)
    assert list(metrics.slices["language"]) == ["en"]


def test_the_table_shows_value_interval_and_cases() -> None:
    drawn = [
        Outcome("violating", "violating", slices={"policy": "hate"}),
        Outcome("allowed", "violating", slices={"policy": "spam"}),
    ]
    shown = table(measure(drawn))
    assert "| decided right | .50 [.09, .91] | 2 |\n" in shown
    assert "| hate | 1.00 [.21, 1.00] 1 | – | .00 [.00, .79] 1 | .00 [.00, .79] 1 |\n" in shown
    assert shown.count("\n\n") == 1


def test_the_table_says_nothing_of_slices_where_there_are_none() -> None:
    assert "\n\n" not in table(measure([Outcome("allowed", "allowed")]))


def test_no_data_is_a_dash() -> None:
    assert shown_estimate(Estimate(math.nan, math.nan, math.nan, 0)) == "–"
