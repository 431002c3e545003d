"""Figures that must hold: levels at every look, power, coverage of intervals, families."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from evals.metrics.measure import SLICED
from evals.outcome import Outcome
from evals.significance import mcnemar
from evals.wording.comparison import Plan
from evals.wording.figures import Paired, changes, sight, whole_shift
from evals.wording.sequential import LEVEL, SequentialTest, e_value

SIMULATIONS = 2000


def coins(p: float, n: int, *, seed: int, ties: float = 0.0) -> list[list[int]]:
    """Simulated families: 1 and -1 are coins, 0 is a tie."""
    rng = np.random.default_rng(seed)
    heads = rng.random((SIMULATIONS, n)) < p
    tied = rng.random((SIMULATIONS, n)) < ties
    return np.where(tied, 0, np.where(heads, 1, -1)).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("ties", [0.0, 0.8])
def test_looking_at_every_coin_never_costs_more_than_the_level(ties: float) -> None:
    stopped = ended = 0
    for steps in coins(0.5, 200, seed=1, ties=ties):
        test = SequentialTest()
        stopped += any(test.add(step) and test.p <= LEVEL for step in steps)
        ended += test.at_the_end()
    assert stopped / SIMULATIONS <= LEVEL
    assert ended / SIMULATIONS <= LEVEL


@pytest.mark.parametrize(("p", "n"), [(0.8, 25), (0.7, 50), (0.65, 100)])
def test_looking_early_keeps_most_of_the_power(p: float, n: int) -> None:
    found = plain = saved = 0
    for steps in coins(p, n, seed=2):
        test = SequentialTest()
        early = test.add_all(steps)
        better = steps.count(1)
        found += early or test.at_the_end()
        plain += mcnemar(n - better, better) <= LEVEL
        saved += early
    assert found / plain >= 0.85
    assert saved > 0


def test_the_e_value_is_a_fair_bet() -> None:
    expected = sum(math.comb(60, k) / 2**60 * e_value(k, 60 - k) for k in range(61))
    assert expected == pytest.approx(1.0)


def test_mcnemar_is_the_exact_binomial_test_of_scipy() -> None:
    for old, new in ((0, 5), (3, 11), (20, 31), (200, 260)):
        assert mcnemar(old, new) == pytest.approx(binomtest(old, old + new).pvalue)


def outcome(*, expected: str, decided: str, family: str = "") -> Outcome:
    return Outcome(expected, decided, cluster=family)  # type: ignore[arg-type]


def made(rng: np.random.Generator, n: int, rise: float) -> Paired:
    """Allowed cases of which 10 % are removed; the new wording removes `rise` more."""
    draw = rng.random(n)
    old = [outcome(expected="allowed", decided="violating" if d < 0.1 else "allowed") for d in draw]
    new = [
        outcome(expected="allowed", decided="violating" if d < 0.1 + rise else "allowed")
        for d in draw
    ]
    return Paired(tuple(old), tuple(new), np.ones(n), tuple(f"#{k}" for k in range(n)))


def test_intervals_of_a_rise_hold_what_they_state() -> None:
    rng = np.random.default_rng(4)
    only = {"wrong_removal_rate": SLICED["wrong_removal_rate"]}
    held = 0
    for _ in range(150):
        change = changes(made(rng, 200, 0.08), draws=200, metrics=only)["wrong_removal_rate"]
        held += change.difference.low <= 0.08 <= change.difference.high
    assert 0.90 <= held / 150 <= 0.98


def test_a_family_is_one_coin() -> None:
    pairs = made(np.random.default_rng(5), 100, 0.2)
    alone = whole_shift(pairs)
    together = whole_shift(Paired(pairs.old, pairs.new, pairs.weights, ("one",) * 100))
    assert alone.p_removed < 0.001
    assert together.p_removed == 1.0
    assert together.more_removed == alone.more_removed


def test_a_larger_set_sees_smaller_changes() -> None:
    rng = np.random.default_rng(6)
    small, large = sight(made(rng, 100, 0.05)), sight(made(rng, 1000, 0.05))
    assert large.smallest_change < small.smallest_change
    assert small.cases_needed is not None
    assert small.cases_needed > 100
    assert Plan().draws >= 1000
