from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.estimate import Estimate
from evals.intervals import (
    Weights,
    bootstrap,
    clopper_pearson,
    clustered_share,
    effective_cases,
    quantile_interval,
    share,
    wilson,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_wilsons_interval_is_that_of_scipy(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    told = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((told.low, told.high), abs=1e-9)


@given(counts)
def test_the_exact_interval_is_that_of_scipy(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    told = stats.binomtest(hits, n).proportion_ci(method="exact")
    assert clopper_pearson(hits, n) == pytest.approx((told.low, told.high), abs=1e-9)


def test_cases_without_families_count_one_by_one() -> None:
    hits = [1, 0, 1, 1, 0]
    assert clustered_share(hits, [1] * 5, list("abcde")) == share(3, 5)


def test_families_widen_an_interval_as_worked_by_hand() -> None:
    # Four families of two that agree: p = 1/2, the sums of residuals are ±1, so the variance is
    # 4 * 4/3 / 64 = 1/12, against 1/32 for eight single cases: 8 * (1/32) / (1/12) = 3 cases;
    # Student's t with 3 degrees of freedom makes it 3 * (1.959964 / 3.182446)^2 = 1.1379.
    counted = [(h, 1, f) for f, h in zip("aabbccdd", [1, 1, 1, 1, 0, 0, 0, 0], strict=True)]
    assert effective_cases(counted) == pytest.approx(1.1379, abs=1e-4)


def test_a_family_that_is_all_alike_counts_once() -> None:
    counted = [(1, 1, family) for family in "aaabbb"]
    assert effective_cases(counted) == 2.0


def test_no_data_has_no_interval() -> None:
    for nothing in (share(0, 0), clustered_share([0], [0], ["a"]), quantile_interval([], 0.5)):
        assert nothing.n == 0
        assert math.isnan(nothing.value)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).normal(size=40)
    clusters = [str(n) for n in range(40)]

    def mean(weights: Weights) -> float:
        return float(weights @ values / weights.sum())

    assert bootstrap(mean, clusters, n=40) == bootstrap(mean, clusters, n=40)
    assert bootstrap(mean, clusters, n=40) != bootstrap(mean, clusters, n=40, seed=8)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_that_of_numpy_and_lies_in_its_interval(
    values: list[float], p: float
) -> None:
    told = quantile_interval(values, p)
    assert told.value == pytest.approx(float(np.quantile(values, p)))
    assert told.low <= told.value <= told.high


def coverage(draw: Callable[[np.random.Generator], Estimate], truth: float, times: int) -> float:
    rng = np.random.default_rng(2026)
    told = [draw(rng) for _ in range(times)]
    return sum(one.low <= truth <= one.high for one in told) / len(told)


def family_sample(rng: np.random.Generator) -> Estimate:
    """Thirty families of four that share their luck; 30 % of all cases are hits."""
    luck = rng.beta(0.9, 2.1, 30).repeat(4)
    hits = (rng.random(120) < luck).astype(int).tolist()
    return clustered_share(hits, [1] * 120, [str(n // 4) for n in range(120)])


def naive_sample(rng: np.random.Generator) -> Estimate:
    luck = rng.beta(0.9, 2.1, 30).repeat(4)
    return share(int((rng.random(120) < luck).sum()), 120)


def bootstrapped_sample(rng: np.random.Generator) -> Estimate:
    values = rng.exponential(size=60)

    def mean(weights: Weights) -> float:
        return float(weights @ values / weights.sum())

    return bootstrap(mean, [str(n) for n in range(60)], n=60, draws=200)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "truth", "times"),
    [
        pytest.param(lambda r: share(int(r.binomial(25, 0.1)), 25), 0.1, 2000, id="rare"),
        pytest.param(lambda r: share(int(r.binomial(80, 0.5)), 80), 0.5, 2000, id="even"),
        pytest.param(family_sample, 0.3, 1500, id="families"),
        pytest.param(bootstrapped_sample, 1.0, 250, id="bootstrap"),
        pytest.param(
            lambda r: quantile_interval(r.exponential(size=70).tolist(), 0.5),
            math.log(2),
            1000,
            id="median",
        ),
    ],
)
def test_intervals_hold_what_they_promise(
    draw: Callable[[np.random.Generator], Estimate], truth: float, times: int
) -> None:
    assert 0.90 <= coverage(draw, truth, times) <= 0.98


@pytest.mark.slow
def test_without_families_the_interval_would_promise_too_much() -> None:
    assert coverage(naive_sample, 0.3, 1500) < 0.88
