"""All metrics together: beside scikit-learn, by policy, and with families."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from agent.verdict import Decision, Usage
from evals.metrics import METRICS, Outcome, measure
from evals.metrics.decisions import DECISIONS, confusion, severity_confusion
from evals.metrics.metric import Metric
from evals.outcome import Grounding, Lookups

SIDES: tuple[Decision, ...] = ("violating", "allowed", "abstain")
sides = st.sampled_from(SIDES)
outcomes = st.lists(st.builds(Outcome, expected=sides, decided=sides), min_size=1, max_size=60)
SAME = {
    "precision": precision_score,
    "recall": recall_score,
    "f1_score": f1_score,
    "decided_right_rate": None,
}


@given(outcomes)
def test_precision_recall_and_f1_are_those_of_scikit_learn(drawn: list[Outcome]) -> None:
    expected = [o.expected == "violating" for o in drawn]
    called = [o.decided == "violating" for o in drawn]
    for name, score in SAME.items():
        if score is None:
            wanted = accuracy_score([o.expected for o in drawn], [o.decided for o in drawn])
        else:
            wanted = score(expected, called, zero_division=math.nan)
        told = METRICS[name](drawn).value
        assert told == pytest.approx(float(wanted), abs=1e-9, nan_ok=True), name


@given(outcomes)
def test_an_unweighted_sample_gives_the_value_of_the_metric(drawn: list[Outcome]) -> None:
    import numpy as np

    for metric in DECISIONS:
        told = metric.statistic(drawn)(np.ones(len(drawn)))
        assert told == pytest.approx(metric(drawn).value, abs=1e-12, nan_ok=True), metric.name


def test_a_mean_over_policies_counts_small_policies_like_large_ones() -> None:
    drawn = [
        *(Outcome("violating", "violating", slices={"policy": "large"}) for _ in range(8)),
        Outcome("violating", "allowed", slices={"policy": "small"}),
        Outcome("allowed", "allowed", slices={"policy": "harmless"}),
        Outcome("violating", "allowed"),
    ]
    told = measure(drawn).overall
    assert told["recall"].value == 0.8
    assert told["macro_recall"].value == 0.5
    assert told["macro_missed_violation_rate"].value == 0.5


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_without_cases_no_metric_has_a_figure(metric: Metric) -> None:
    nothing = metric([])
    assert nothing.n == 0
    assert all(math.isnan(x) for x in (nothing.value, nothing.low, nothing.high))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_with_one_case_that_says_nothing_there_is_no_figure_or_a_wide_one(metric: Metric) -> None:
    one = metric([Outcome("abstain", "abstain")])
    assert one.n <= 1
    assert math.isnan(one.value) or one.low <= one.value <= one.high


def test_families_widen_what_is_told_and_leave_the_value() -> None:
    alone = [Outcome("allowed", "violating" if n < 12 else "allowed") for n in range(48)]
    kin = [Outcome(o.expected, o.decided, cluster=f"family-{n // 6}") for n, o in enumerate(alone)]
    for name in ("wrong_removal_rate", "decided_right_rate"):
        one, other = METRICS[name](alone), METRICS[name](kin)
        assert one.value == other.value
        assert other.high - other.low > 1.5 * (one.high - one.low)


def test_what_was_seen_of_a_review_is_counted_where_it_was_seen() -> None:
    drawn = [
        Outcome(
            "violating",
            "violating",
            grounding=Grounding(citations=3, refused=2, misquoted=1, names_unasked_tool=True),
            lookups=Lookups(calls=4, failed=1, unneeded=2, needed=2, missed=1),
            usage=Usage(model_calls=2, input_tokens=100, cost_usd=0.5, seconds=1.0),
        ),
        Outcome("allowed", "allowed", grounding=Grounding(), usage=Usage(cost_usd=0.1)),
        Outcome("allowed", "abstain"),
    ]
    told = {name: (e.value, e.n) for name, e in measure(drawn).overall.items()}
    assert told["refused_citation_rate"] == (2 / 3, 3)
    assert told["misquote_rate"] == (1 / 3, 3)
    assert told["invented_evidence_rate"] == (0.5, 2)
    assert told["needed_lookup_rate"] == (0.5, 2)
    assert told["unneeded_lookup_rate"] == (0.5, 4)
    assert told["failed_lookup_rate"] == (0.25, 4)
    assert told["cost_usd"] == (0.3, 2)
    assert told["seconds_p50"] == (0.5, 2)


def test_confusions_have_every_side() -> None:
    drawn = [
        Outcome("violating", "violating", expected_severity="high", severity="low"),
        Outcome("violating", "abstain", expected_severity="high"),
    ]
    assert confusion(drawn)["violating"] == {"violating": 1, "allowed": 0, "abstain": 1}
    assert severity_confusion(drawn) == {"high": {"low": 1}}
    assert measure(drawn).overall["right_severity_rate"].value == 0.0


def test_precision_says_nothing_where_nothing_could_be_called_wrongly() -> None:
    only_violations = [Outcome("violating", "violating", slices={"policy": "hate"})] * 3
    told = measure([*only_violations, Outcome("allowed", "violating")])
    assert told.overall["precision"].value == 0.75
    assert told.slices["policy"]["hate"]["precision"].n == 0
    assert told.slices["policy"]["hate"]["recall"].value == 1.0
    assert told.overall["macro_precision"].n == 0
    assert told.overall["macro_recall"].value == 1.0
