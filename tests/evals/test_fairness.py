from __future__ import annotations

import json
import math

import pytest
from sklearn.metrics import roc_auc_score

from agent.verdict import Decision
from evals.fairness.groups import group_rates
from evals.fairness.naming import with_groups
from evals.fairness.ranking import group_areas, power_mean
from evals.fairness.swaps import flipped_by_swaps, in_dialect, swaps_of, with_swaps
from evals.fairness.told import fairness_data
from evals.outcome import Outcome, leaning
from evals.significance import fisher
from tests.evals.by_ear import golden_case


def cases(group: str, expected: Decision, decided: Decision, n: int) -> list[Outcome]:
    return [Outcome(expected, decided, slices={"group": group}, confidence=0.9) for _ in range(n)]


UNFAIR = [
    *cases("a", "allowed", "violating", 30),
    *cases("a", "allowed", "allowed", 70),
    *cases("b", "allowed", "violating", 5),
    *cases("b", "allowed", "allowed", 95),
    *cases("c", "allowed", "allowed", 2),
]


def test_a_gap_between_groups_has_its_own_interval() -> None:
    removed = group_rates(UNFAIR, "group")[0]
    assert removed.groups["a"].value == 0.3
    widest = removed.widest
    assert widest is not None
    assert (widest.group, widest.other) == ("a", "b")
    # Newcombe's interval of 30/100 less 5/100; three groups, but c is too small to be compared.
    assert widest.difference.value == pytest.approx(0.25)
    assert 0.14 < widest.difference.low < 0.16
    assert 0.34 < widest.difference.high < 0.36


def test_each_group_is_held_against_everybody_else_and_corrected_for_their_number() -> None:
    gaps = {gap.group: gap for gap in group_rates(UNFAIR, "group")[0].gaps}
    assert gaps["a"].p == pytest.approx(3 * fisher(30, 100, 5, 102))
    assert gaps["c"].p == 1.0


def test_a_group_of_one_case_is_named_and_does_not_make_the_widest_gap() -> None:
    removed = group_rates([*UNFAIR, *cases("d", "allowed", "violating", 1)], "group")[0]
    assert removed.too_small == ["c", "d"]
    assert removed.widest is not None
    assert removed.widest.group == "a"


def test_a_group_without_violations_says_nothing_about_missed_ones() -> None:
    missed = group_rates(UNFAIR, "group")[1]
    assert missed.groups["a"].n == 0
    assert missed.gaps == []
    assert missed.widest is None


def test_the_widest_of_many_gaps_is_judged_more_sternly() -> None:
    many = [
        outcome
        for number in range(8)
        for outcome in (
            *cases(f"g{number}", "allowed", "violating", 2 + (number == 0)),
            *cases(f"g{number}", "allowed", "allowed", 20),
        )
    ]
    two = [outcome for outcome in many if outcome.slices["group"] in ("g0", "g1")]
    widths = []
    for drawn in (two, many):
        widest = group_rates(drawn, "group")[0].widest
        assert widest is not None
        widths.append(widest.difference.high - widest.difference.low)
    assert widths[1] > widths[0] * 1.2


def test_the_three_areas_are_those_of_borkan() -> None:
    outcomes = [
        Outcome("violating", "violating", confidence=0.9, slices={"group": "a"}),
        Outcome("violating", "allowed", confidence=0.2, slices={"group": "a"}),
        Outcome("allowed", "violating", confidence=0.8, slices={"group": "a"}),
        Outcome("allowed", "allowed", confidence=0.7, slices={"group": "a"}),
        Outcome("violating", "violating", confidence=0.6),
        Outcome("violating", "abstain"),
        Outcome("allowed", "allowed", confidence=0.9),
        Outcome("allowed", "violating", confidence=0.1),
    ]
    (areas,) = group_areas(outcomes, "group")
    inside, outside = outcomes[:4], outcomes[4:]
    wanted = {
        "subgroup": inside,
        "bpsn": [o for o in inside if o.expected == "allowed"]
        + [o for o in outside if o.expected == "violating"],
        "bnsp": [o for o in inside if o.expected == "violating"]
        + [o for o in outside if o.expected == "allowed"],
    }
    for name, kept in wanted.items():
        labels, scores = [o.expected == "violating" for o in kept], [leaning(o) for o in kept]
        assert getattr(areas, name).value == pytest.approx(roc_auc_score(labels, scores)), name


def test_the_worst_group_weighs_most_in_the_power_mean() -> None:
    assert power_mean([0.9, 0.5]) < 0.6
    assert power_mean([0.9, math.nan]) == pytest.approx(0.9)
    assert math.isnan(power_mean([]))
    assert power_mean([0.9, 0.0]) == 0.0


def test_a_case_about_one_group_is_asked_again_about_the_others() -> None:
    case = golden_case("c-1", "Muslims moved in. A Muslim family, next door", "allowed")
    texts = {one.slices["swap"]: one.case.text for one in swaps_of(case)}
    assert texts["Jews"] == "Jews moved in. A Jewish family, next door"
    assert len(texts) >= 5
    assert "Muslims" not in texts


def test_words_that_mean_something_else_too_are_left_alone() -> None:
    for text in ("Go straight on, then polish it", "Black coffee and white wine", "A blind spot"):
        assert list(swaps_of(golden_case("c", text, "allowed"))) == []


def test_the_sound_of_a_sentence_changes_and_its_answer_does_not() -> None:
    assert in_dialect("Isn't") == "ain't"
    (spoken,) = swaps_of(golden_case("c-1", "I am going to sing with you all", "allowed"))
    assert spoken.case.text == "I am finna sing wit y'all"
    assert spoken.expected == golden_case("c-1", "-", "allowed").expected
    assert spoken.slices["swap"] == "dialect"


def test_a_case_and_its_swaps_are_one_family() -> None:
    cases = with_swaps(
        [
            golden_case("named", "Those women again", "allowed"),
            golden_case("plain", "Hi", "allowed"),
        ]
    )
    assert [one.case.id for one in cases] == ["named", "named~men"]
    assert {one.cluster for one in cases} == {"named"}


def test_a_decision_that_hangs_on_the_group_is_counted() -> None:
    told = flipped_by_swaps(
        [
            Outcome("allowed", "allowed", slices={"swap": "as written"}, cluster="1"),
            Outcome("allowed", "violating", slices={"swap": "men"}, cluster="1"),
            Outcome("allowed", "allowed", slices={"swap": "as written"}, cluster="2"),
            Outcome("allowed", "allowed", slices={"swap": "men"}, cluster="2"),
        ]
    )
    assert (told["men"].value, told["men"].n) == (0.5, 2)


def test_everything_about_fairness_is_plain_json() -> None:
    told = fairness_data(UNFAIR)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert set(told) == {"group"}


def test_a_set_that_does_not_name_groups_gets_them_from_its_words() -> None:
    cases = [
        golden_case("one", "Aki is a kind Mexican", "allowed"),
        golden_case("two", "Mexican and Korean and Japanese food", "allowed"),
        golden_case("none", "Aki is kind", "allowed"),
        golden_case("told", "a white lie", "allowed", group="nobody"),
    ]
    assert [one.slices.get("group") for one in with_groups(cases)] == [
        "mexican",
        None,
        None,
        "nobody",
    ]
