"""The metrics of scores beside scikit-learn, and beside examples worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from agent.verdict import Usage
from evals.intervals import Statistic
from evals.metrics.calibration import (
    brier_score,
    calibration_error,
    expected_calibration_error,
    reliability,
)
from evals.metrics.coverage import aurc, risk_coverage
from evals.metrics.ranking import (
    average_precision,
    average_precision_statistic,
    roc_auc,
    roc_auc_statistic,
)
from evals.metrics.spending import latency
from evals.outcome import Outcome, leaning

scores = st.integers(0, 20).map(lambda n: n / 20)
scored = st.lists(st.tuples(st.booleans(), scores), min_size=1, max_size=80)


def apart(drawn: list[tuple[bool, float]]) -> tuple[list[bool], list[float]]:
    return [label for label, _ in drawn], [score for _, score in drawn]


@given(scored)
def test_average_precision_is_that_of_scikit_learn(drawn: list[tuple[bool, float]]) -> None:
    labels, told = apart(drawn)
    if any(labels):
        wanted = average_precision_score(labels, told)
        assert average_precision(labels, told) == pytest.approx(wanted, abs=1e-9)
    else:
        assert math.isnan(average_precision(labels, told))


@given(scored)
def test_the_area_under_roc_is_that_of_scikit_learn(drawn: list[tuple[bool, float]]) -> None:
    labels, told = apart(drawn)
    if len(set(labels)) == 2:
        assert roc_auc(labels, told) == pytest.approx(roc_auc_score(labels, told), abs=1e-9)
    else:
        assert math.isnan(roc_auc(labels, told))


@given(scored)
def test_the_brier_score_is_that_of_scikit_learn(drawn: list[tuple[bool, float]]) -> None:
    right, told = apart(drawn)
    wanted = brier_score_loss(np.array(right, dtype=int), told, pos_label=1, labels=[0, 1])
    assert brier_score(right, told) == pytest.approx(wanted, abs=1e-9)


@given(scored, st.data())
def test_a_weighted_sample_scores_like_the_sample_written_out(
    drawn: list[tuple[bool, float]], data: st.DataObject
) -> None:
    labels, told = apart(drawn)
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(drawn), max_size=len(drawn)))
    written = [one for one, count in zip(drawn, times, strict=True) for _ in range(count)]
    more_labels, more_told = apart(written)
    weights = np.array(times, dtype=np.float64)
    pairs: list[tuple[Statistic, float]] = [
        (average_precision_statistic(labels, told), average_precision(more_labels, more_told)),
        (roc_auc_statistic(labels, told), roc_auc(more_labels, more_told)),
    ]
    for statistic, wanted in pairs:
        assert statistic(weights) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_calibration_error_as_worked_by_hand() -> None:
    # Two bins of three: confidences .6, .7, .8 with one right (|.7 - 1/3| = .3667), and
    # .9, .9, 1 with all right (|.9333 - 1| = .0667): (3 * .3667 + 3 * .0667) / 6.
    confidence = [0.6, 0.7, 0.8, 0.9, 0.9, 1.0]
    right = [True, False, False, True, True, True]
    told = expected_calibration_error(right, confidence, bins=2)
    assert told == pytest.approx(0.65 / 3, abs=1e-12)


def test_equal_confidences_are_never_parted() -> None:
    bins = reliability([True, False] * 10, [0.9] * 20)
    assert [(one.right, one.n) for one in bins] == [(0.5, 20)]
    assert bins[0].confidence == pytest.approx(0.9)


@given(scored)
def test_the_bins_hold_every_case_once(drawn: list[tuple[bool, float]]) -> None:
    right, told = apart(drawn)
    bins = reliability(right, told)
    assert sum(one.n for one in bins) == len(drawn)
    error = sum(one.n * abs(one.right - one.confidence) for one in bins) / len(drawn)
    assert expected_calibration_error(right, told) == pytest.approx(error, abs=1e-9)


def test_the_area_under_risk_and_coverage_as_worked_by_hand() -> None:
    # Risk 0 of 1, 1 of 2, 1 of 3, 2 of 4: mean of 0, 1/2, 1/3, 1/2.
    wrong, confidence = [False, True, False, True], [0.9, 0.8, 0.7, 0.6]
    assert aurc(wrong, confidence) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_the_order_of_equally_sure_cases_does_not_matter() -> None:
    assert aurc([True, False, False], [0.5] * 3) == aurc([False, False, True], [0.5] * 3)


def test_the_curve_ends_where_the_reviewer_abstains() -> None:
    curve = risk_coverage(
        [
            Outcome("violating", "violating", confidence=0.9),
            Outcome("allowed", "violating", confidence=0.6),
            Outcome("allowed", "abstain", confidence=0.99),
            Outcome("abstain", "allowed", confidence=0.6),
        ]
    )
    assert [(point.coverage, point.risk) for point in curve] == [(0.25, 0.0), (0.75, 2 / 3)]


def test_a_queue_has_the_found_first_and_the_surely_allowed_last() -> None:
    queue = [
        Outcome("violating", "violating", confidence=0.9),
        Outcome("violating", "violating", confidence=0.2),
        Outcome("violating", "abstain", confidence=0.99),
        Outcome("allowed", "allowed", confidence=0.2),
        Outcome("allowed", "allowed", confidence=0.9),
    ]
    assert sorted(queue, key=leaning, reverse=True) == queue


def test_the_time_of_a_review_has_percentiles() -> None:
    outcomes = [Outcome("allowed", "allowed", usage=Usage(seconds=n)) for n in range(1, 101)]
    median = latency(outcomes, 0.5)
    assert (median.value, median.n) == (50.5, 100)
    # The textbook's order statistics for n = 100: the 40th and the 61st value.
    assert (median.low, median.high) == (40.0, 61.0)


def answers(rng: np.random.Generator, n: int, truth: Callable[[float], float]) -> list[Outcome]:
    """Decisions whose chance to be right is `truth` of how sure they are."""
    sure = rng.beta(5, 2, n).tolist()
    return [
        Outcome("allowed" if rng.random() < truth(c) else "violating", "allowed", confidence=c)
        for c in sure
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("truth", "n"),
    [
        pytest.param(lambda c: c, 120, id="well calibrated"),
        pytest.param(lambda c: c - 0.1 * (c > 0.8), 400, id="too sure at the top"),
    ],
)
def test_the_interval_of_a_calibration_error_holds_the_truth_in_small_sets(
    truth: Callable[[float], float], n: int
) -> None:
    rng = np.random.default_rng(2026)
    large = [(c, truth(c)) for c in rng.beta(5, 2, 50_000).tolist()]
    wanted = float(np.mean([abs(c - p) for c, p in large]))
    told = [calibration_error(answers(rng, n, truth)) for _ in range(150)]
    assert 0.90 <= sum(one.low <= wanted <= one.high for one in told) / 150 <= 1.0


def test_families_widen_the_interval_of_a_calibration_error() -> None:
    alone = answers(np.random.default_rng(3), 300, lambda c: 0.8 * c)
    kin = [
        replace(one, cluster=f"{one.expected}-{at % 5}", confidence=round(one.confidence, 1))
        for at, one in enumerate(alone)
    ]
    apart = [replace(one, cluster="") for one in kin]
    one, other = calibration_error(apart), calibration_error(kin)
    assert one.value == other.value
    assert other.high - other.low > one.high - one.low
