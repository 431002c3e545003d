"""A cascade stops early only where golden cases show that little is lost by it."""

from __future__ import annotations

import random

import pytest

from agent.cascade import NEVER
from agent.verdict import Decision
from errors import InputError
from evals.cascading import Lines, Pair, cascade_report, choose_lines, pairs_of
from evals.outcome import Outcome


def outcome(number: int, expected: Decision, decided: Decision, confidence: float) -> Outcome:
    return Outcome(expected, decided, confidence=confidence, case_id=f"c-{number}")


def judged(number: int, *, sure: float, right: float, draw: random.Random) -> Pair:
    """A case that the second model gets right, and the first in a share of `right`."""
    expected: Decision = draw.choice(["violating", "allowed"])
    other: Decision = "allowed" if expected == "violating" else "violating"
    said = expected if draw.random() < right else other
    return Pair(outcome(number, expected, said, sure), outcome(number, expected, expected, 0.9))


def mixed(cases: int, *, seed: int = 0) -> list[Pair]:
    """Half of the cases the first model is sure of and right; the others it guesses."""
    draw = random.Random(seed)
    sure = [judged(n, sure=0.9 + n / cases / 20, right=1.0, draw=draw) for n in range(cases // 2)]
    return sure + [
        judged(n, sure=0.4 + n / cases / 20, right=0.6, draw=draw) for n in range(cases // 2, cases)
    ]


def test_the_sure_half_is_saved_and_nothing_is_lost() -> None:
    report = cascade_report(mixed(600), max_lost=0.04)

    assert 0.42 < report.lines.violating <= 0.91
    assert 0.42 < report.lines.allowed <= 0.91
    assert 0.45 < report.saved.value < 0.7
    assert report.wrong.high <= 0.04
    assert report.saved.n == 600


def test_too_few_cases_save_nothing() -> None:
    assert choose_lines(mixed(40), max_lost=0.02) == Lines()


def test_a_first_model_that_is_surely_wrong_is_never_enough() -> None:
    draw = random.Random(0)
    pairs = [judged(n, sure=0.99, right=0.3, draw=draw) for n in range(400)]

    assert choose_lines(pairs, max_lost=0.05) == Lines(NEVER, NEVER)


def test_the_bound_on_what_is_lost_holds_on_other_cases() -> None:
    broken = 0
    for seed in range(40):
        pairs = mixed(400, seed=seed)
        lines = choose_lines(pairs, max_lost=0.05)
        others = mixed(4_000, seed=1_000 + seed)
        lost = sum(pair.lost for pair in others if lines.settle(pair)) / len(others)
        broken += lost > 0.05

    assert broken <= 4


def test_what_a_person_has_to_see_goes_on_unless_it_is_a_violation() -> None:
    allowed = outcome(1, "allowed", "allowed", 0.99)
    violating = outcome(2, "violating", "violating", 0.99)
    lines = Lines(violating=0.5, allowed=0.5)

    assert not lines.settle(Pair(allowed, allowed, needs_human=True))
    assert lines.settle(Pair(violating, violating, needs_human=True))
    assert not lines.settle(Pair(outcome(3, "allowed", "abstain", 1.0), allowed))


def test_runs_over_different_cases_are_refused() -> None:
    one, other = outcome(1, "allowed", "allowed", 0.5), outcome(2, "allowed", "allowed", 0.5)

    with pytest.raises(InputError, match="different cases"):
        pairs_of([one], [other])
