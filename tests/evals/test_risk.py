from __future__ import annotations

import math

import numpy as np
import pytest

from evals.intervals import clopper_pearson
from evals.risk.bounds import cases_needed, divergence, least_cases, luck, most_likely_at_worst
from evals.risk.claims import Budget, Verdicts, claims_of
from evals.risk.lines import GRID, STARTS, Judged, lowest_line, trials
from evals.risk.plain_model import features, fit, logits
from evals.risk.splits_plot import Panel, splits_plot
from evals.risk.usual import NOTHING, isotonic, platt, tuned
from evals.risk.watch import Watch, expected_audits, least_audits, stopped_at


def alike(n: int, wrong: int, *, confidence: float = 0.99) -> list[Judged]:
    return [Judged(confidence, wrong=number < wrong) for number in range(n)]


def test_a_claim_without_a_mistake_takes_as_many_cases_as_the_bound_says() -> None:
    n = least_cases(0.05, 0.05)

    assert luck(0, n, 0.05) <= 0.05 < luck(0, n - 1, 0.05)
    assert most_likely_at_worst(0, n, risk=0.05) <= 0.05


def test_the_cases_that_are_asked_for_would_do() -> None:
    n = cases_needed(0.02, 0.05, 0.01)

    assert n is not None
    assert luck(math.ceil(0.02 * n), n, 0.05) <= 0.01
    assert cases_needed(0.06, 0.05, 0.01) is None


def test_divergence_is_nothing_between_equal_rates_and_grows() -> None:
    assert divergence(0.05, 0.05) == 0
    assert divergence(0.3, 0.05) > divergence(0.1, 0.05) > 0


def test_with_too_few_cases_no_line_is_shown() -> None:
    assert lowest_line(alike(100, 0), limit=0.02, risk=0.05) is None
    assert lowest_line([], limit=0.02, risk=0.05) is None


def test_a_faultless_sure_model_may_close_and_the_bound_is_said() -> None:
    line = lowest_line(alike(400, 0), limit=0.02, risk=0.05)

    assert line is not None
    assert (line.n, line.mistakes) == (400, 0)
    assert line.bound <= 0.02


def test_a_line_goes_no_lower_than_mistakes_allow() -> None:
    unsure = [Judged(0.6, wrong=number % 2 == 0) for number in range(400)]

    line = lowest_line(alike(400, 0) + unsure, limit=0.05, risk=0.05)

    assert line is not None
    assert line.confidence > 0.6
    assert line.n == 400


def test_a_start_that_fails_costs_its_own_share_of_the_risk_only() -> None:
    bad_top = alike(40, 40, confidence=0.999)
    good = alike(4_000, 0, confidence=0.9)

    tried = trials(bad_top + good, limit=0.05, risk=0.05)

    passed = [trial for trial in tried if trial.passed]
    assert passed
    assert max(trial.risk for trial in tried) < 0.05
    assert sum(line in STARTS for line in GRID) == 4


@pytest.mark.parametrize("seed", [1, 2])
def test_lines_are_wrong_no_more_often_than_was_allowed(seed: int) -> None:
    """Whatever the rate does with the confidence: here it is worst where the model is surest."""
    rng = np.random.default_rng(seed)
    rounds, wrongly = 150, 0
    for _ in range(rounds):
        confidence = rng.choice([0.99, 0.9, 0.7], size=600, p=[0.2, 0.4, 0.4])
        rate = np.select([confidence == 0.99, confidence == 0.9], [0.12, 0.11], 0.12)
        judged = [
            Judged(float(c), wrong=bool(w))
            for c, w in zip(confidence, rng.random(600) < rate, strict=True)
        ]
        wrongly += lowest_line(judged, limit=0.1, risk=0.1) is not None
    assert clopper_pearson(wrongly, rounds)[0] <= 0.1


def test_policies_with_cases_enough_get_a_claim_of_their_own_and_the_rest_share_one() -> None:
    budget = Budget(max_missed=0.05, max_wrong_removal=0.05, confidence=0.95)
    found = [
        Verdicts("spam", "violating", alike(900, 0)),
        Verdicts("hate", "violating", alike(150, 0)),
        Verdicts("fraud", "violating", alike(30, 0)),
        Verdicts("violence", "violating", alike(30, 2)),
        Verdicts("hate", "allowed", alike(20, 0)),
    ]

    claims = {(claim.policies, claim.direction): claim for claim in claims_of(found, budget)}

    assert claims[(("spam",), "violating")].line is not None
    assert claims[(("hate",), "violating")].line is not None
    assert claims[(("fraud", "violence"), "violating")].line is None
    assert claims[(("hate",), "allowed")].more is not None
    assert all(claim.risk == pytest.approx(0.05 / 4) for claim in claims.values())


def test_which_claims_are_made_does_not_depend_on_the_mistakes() -> None:
    budget = Budget(max_missed=0.05, max_wrong_removal=0.02, confidence=0.95)

    def groups(wrong: int) -> list[tuple[tuple[str, ...], str]]:
        found = [
            Verdicts("spam", "violating", alike(900, wrong)),
            Verdicts("hate", "allowed", alike(150, wrong)),
            Verdicts("hate", "violating", alike(50, min(50, wrong))),
        ]
        return [(claim.policies, claim.direction) for claim in claims_of(found, budget)]

    assert groups(0) == groups(90)


def test_claims_together_are_one_for_each_direction() -> None:
    budget = Budget(max_missed=0.05, max_wrong_removal=0.02, confidence=0.95)
    found = [Verdicts(name, "allowed", alike(900, 0)) for name in ("a", "b")]

    (claim,) = claims_of(found, budget, by_policy=False)

    assert claim.policies == ("a", "b")
    assert claim.line is not None
    assert claims_of([], budget) == []


def test_a_hopeless_rate_asks_for_no_more_cases() -> None:
    budget = Budget(max_missed=0.05, max_wrong_removal=0.02, confidence=0.95)

    (claim,) = claims_of([Verdicts("a", "allowed", alike(500, 100))], budget)

    assert (claim.line, claim.more, claim.mistakes) == (None, None, 100)


def test_a_change_is_noticed_about_as_soon_as_theory_says() -> None:
    rng = np.random.default_rng(3)
    stops = [stopped_at(rng.random(2_000) < 0.25, limit=0.05, alarm=0.05) for _ in range(200)]
    found = [stop for stop in stops if stop is not None]

    assert len(found) == 200
    least, most = (f(0.25, limit=0.05, alarm=0.05) for f in (least_audits, expected_audits))
    assert 0.9 * least <= np.mean(found) <= 1.2 * most


def test_a_claim_that_holds_is_seldom_stopped_however_often_one_looks() -> None:
    rng = np.random.default_rng(4)
    stopped = sum(
        stopped_at(rng.random(300) < 0.05, limit=0.05, alarm=0.2) is not None for _ in range(200)
    )

    assert clopper_pearson(stopped, 200)[0] <= 0.2


def test_evidence_can_be_followed_case_by_case() -> None:
    watch = Watch(0.05, 0.05)
    assert watch.evidence == 1.0

    for _ in range(3):
        watch = watch.after(wrong=True)

    assert watch.broken
    assert not watch.after(wrong=False).evidence > watch.evidence
    assert math.isinf(expected_audits(0.05, limit=0.05, alarm=0.05))
    assert math.isinf(least_audits(0.01, limit=0.05, alarm=0.05))


def test_the_usual_ways_find_a_line_where_there_is_one() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 3, 4_000)
    wrong = rng.random(4_000) < 1 / (1 + np.exp(scores))

    for way in (platt, isotonic):
        assert way(scores, wrong, 0.05) == pytest.approx(np.log(19), abs=0.8)
    line = tuned(scores, wrong, 0.05)
    assert wrong[scores >= line].mean() == pytest.approx(0.05, abs=0.005)
    assert tuned(scores, np.ones(4_000, dtype=bool), 0.05) == NOTHING


def test_the_plain_model_learns_a_word_and_the_plot_names_every_way() -> None:
    texts = [features(f"{word} number {n}") for n in range(30) for word in ("rose", "nettle")]
    truths = [n % 2 == 1 for n in range(60)]
    weights = fit(texts, truths, seed=0)
    low, high = logits(weights, [features("a rose"), features("a nettle")])
    assert low < high

    drawn = splits_plot([Panel("Roses & nettles", 0.05, {"ours": [(0.2, 0.01)], "<b>": []})])
    assert "Roses &amp; nettles" in drawn
    assert "&lt;b&gt;" in drawn
