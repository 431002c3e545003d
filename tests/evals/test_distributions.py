from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from evals.distributions import (
    beta_cdf,
    beta_quantile,
    binomial_cdf,
    chi_square_tail,
    kolmogorov_tail,
    normal_quantile,
    student_quantile,
)

shares = st.floats(0.001, 0.999)


@given(shares, st.floats(0.5, 500), st.floats(0.5, 500))
def test_the_incomplete_beta_function_is_that_of_scipy(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), abs=1e-9)


@given(shares, st.floats(0.5, 300), st.floats(0.5, 300))
def test_its_quantile_is_that_of_scipy(p: float, a: float, b: float) -> None:
    assert beta_quantile(p, a, b) == pytest.approx(float(stats.beta.ppf(p, a, b)), abs=1e-9)


@given(st.floats(0.51, 0.9999), st.integers(1, 400))
def test_students_quantile_is_that_of_scipy(p: float, freedom: int) -> None:
    told = float(stats.t.ppf(p, freedom))
    assert student_quantile(p, freedom) == pytest.approx(told, rel=1e-9)


@given(st.floats(0.0, 200), st.integers(1, 60))
def test_the_chi_square_tail_is_that_of_scipy(x: float, freedom: int) -> None:
    assert chi_square_tail(x, freedom) == pytest.approx(float(stats.chi2.sf(x, freedom)), abs=1e-9)


@given(st.floats(0.0, 5))
def test_kolmogorovs_tail_is_that_of_scipy(x: float) -> None:
    assert kolmogorov_tail(x) == pytest.approx(float(special.kolmogorov(x)), abs=1e-9)


@given(st.integers(0, 300), st.integers(1, 300), shares)
def test_the_binomial_distribution_is_that_of_scipy(k: int, n: int, p: float) -> None:
    assert binomial_cdf(k, n, p) == pytest.approx(float(stats.binom.cdf(k, n, p)), abs=1e-9)


@given(shares)
def test_the_normal_quantile_is_that_of_scipy(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(float(stats.norm.ppf(p)), abs=1e-9)
