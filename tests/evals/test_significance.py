from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from evals.significance import (
    chi_square,
    difference_interval,
    fisher,
    holm,
    kolmogorov_smirnov,
    mcnemar,
)

flips = st.integers(0, 900)
small = st.integers(0, 60)


@given(flips, flips)
def test_mcnemars_test_is_the_exact_binomial_of_scipy(old: int, new: int) -> None:
    told = stats.binomtest(old, old + new).pvalue if old + new else 1.0
    assert mcnemar(old, new) == pytest.approx(told, abs=1e-9)


@given(small, small, small, small)
def test_fishers_test_is_that_of_scipy(a: int, b: int, c: int, d: int) -> None:
    told = stats.fisher_exact([[a, b], [c, d]]).pvalue
    assert fisher(a, a + b, c, c + d) == pytest.approx(told, abs=1e-9)


@given(st.lists(small, min_size=2, max_size=6), st.lists(small, min_size=2, max_size=6))
def test_pearsons_test_is_that_of_scipy(one: list[int], other: list[int]) -> None:
    size = min(len(one), len(other))
    kept = [k for k in range(size) if one[k] + other[k]]
    table = np.array([[one[k] for k in kept], [other[k] for k in kept]])
    told = chi_square(
        {str(k): one[k] for k in range(size)}, {str(k): other[k] for k in range(size)}
    )
    if len(kept) < 2 or not table.sum(axis=1).all():
        assert math.isnan(told.p)
        return
    wanted = stats.chi2_contingency(table, correction=False)
    assert (told.statistic, told.p) == pytest.approx((wanted.statistic, wanted.pvalue), abs=1e-9)


values = st.lists(st.integers(0, 12).map(lambda n: n / 12), min_size=1, max_size=50)


@given(values, values)
def test_the_two_sample_test_is_that_of_scipy(one: list[float], other: list[float]) -> None:
    told = kolmogorov_smirnov(one, other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # about its p, which is not used here
        distance = float(stats.ks_2samp(one, other, method="asymp").statistic)
    assert told.statistic == pytest.approx(distance, abs=1e-9)
    scale = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    assert told.p == pytest.approx(float(special.kolmogorov(scale * distance)), abs=1e-9)


def test_holm_corrects_as_in_the_textbook() -> None:
    # Holm (1979), with p of .01, .02, .03 and .04: times 4, 3, 2, 1, and never falling.
    told = holm({"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.02})
    assert told == pytest.approx({"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.06})


def test_what_has_no_p_does_not_count_among_the_tests() -> None:
    told = holm({"a": 0.02, "nothing": math.nan})
    assert told["a"] == 0.02
    assert math.isnan(told["nothing"])


@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        # Newcombe (1998), "Interval estimation for the difference between independent
        # proportions", table II, method 10
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_that_of_the_textbook(
    counts: tuple[int, int, int, int], interval: tuple[float, float]
) -> None:
    a, m, b, n = counts
    assert difference_interval(a / m, m, b / n, n) == pytest.approx(interval, abs=5e-5)
