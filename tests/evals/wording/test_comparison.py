"""Two wordings over the same cases: what moves, why, what it costs, and what is never mixed."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from evals.golden import GoldenCase
from evals.wording.comparison import Plan, WordingComparison, compare_wordings, comparison_data
from evals.wording.judging import Pace
from evals.wording.told import in_words
from policies.rulebook import Rulebook
from tests.evals.wording.literal import (
    MARKET,
    SQUARE,
    LiteralModel,
    Weather,
    both,
    case,
    edited,
    village,
)

NO_GEESE = ('"turnip" or "goose"', '"turnip"')

GOLDEN = [
    case("name", "What a turnip you are", "square.1", kind="plain"),
    case("goose", "You goose", "square.1", kind="plain"),
    case("bird", "The goose by the pond has five eggs", kind="literal"),
    case("family", "Cousin, you goose", kind="banter"),
    case("drum", "The drum, the drum!", "square.2"),
    case("sale", "A bargain, today only", "market.1"),
    *(case(f"quiet-{n}", f"Good evening to house {n}") for n in range(60)),
]


def compared(
    new: Rulebook, folder: Path, plan: Plan | None = None, **more: Any
) -> WordingComparison:
    golden: list[GoldenCase] = more.pop("golden", GOLDEN)
    with both(village(), new, folder, **more) as (wordings, sides):
        return compare_wordings(wordings, sides, golden, plan or Plan(draws=100))


def test_an_edit_is_told_by_what_it_does_to_each_case(tmp_path: Path) -> None:
    told = compared(edited(*NO_GEESE), tmp_path)
    flips = [(f.item.case.id, f.kind, f.effect, f.section) for f in told.flips]
    assert flips == [
        ("goose", "became_allowed", "broken", "square.1"),
        ("bird", "became_allowed", "fixed", "square.1"),
    ]
    data = json.loads(json.dumps(comparison_data(told), allow_nan=False))
    first = data["flips"][0]
    assert (first["old"], first["new"]) == ("violating", "allowed")
    assert first["old_verdict"]["grounds"][0]["policy_quote"].startswith("Do not call anybody")
    assert first["old_verdict"]["grounds"][0]["content_quote"] == "goose"
    assert data["real"] == "undecided"
    assert set(data["metrics"]["wrong_removal_rate"]) >= {
        "old",
        "new",
        "difference",
        "interval",
        "p",
    }


def test_the_words_come_first_and_say_which_way(tmp_path: Path) -> None:
    told = " ".join(in_words(compared(edited(*NO_GEESE), tmp_path)))
    assert "square.1: 2 cases now allowed (1 wrongly, 1 rightly)." in told
    assert "Wrong removals: 1 fewer" in told
    assert "could be chance" in told


def test_only_cases_that_the_edit_can_touch_are_judged_and_a_sample_of_the_rest(
    tmp_path: Path,
) -> None:
    part = compared(edited(*NO_GEESE), tmp_path)
    whole = compared(edited(*NO_GEESE), tmp_path, Plan(judge_all=True, draws=100))
    assert part.scope.touched == 4
    assert part.scope.left == len(GOLDEN) - part.scope.touched - part.scope.sampled > 0
    assert part.scope.sample_held
    assert [f.item.case.id for f in part.flips] == [f.item.case.id for f in whole.flips]
    for name, change in whole.metrics.items():
        assert part.metrics[name].difference.value == pytest.approx(
            change.difference.value, nan_ok=True
        ), name


def test_one_edit_costs_a_third_of_two_full_runs(tmp_path: Path) -> None:
    many = [case(f"quiet-{n}", f"Good evening to house {n}") for n in range(240)]
    many += [case(f"goose-{n}", f"You goose of house {n}", "square.1") for n in range(60)]
    part = compared(edited(*NO_GEESE), tmp_path, golden=many)
    assert len(part.flips) == 60
    assert part.scope.reviews <= 0.35 * 2 * len(many)


def test_where_the_sample_moves_everything_is_judged(tmp_path: Path) -> None:
    class Restless(LiteralModel):
        """Reads the rulebook behind the back of the search."""

        def decide(self, brief: Any) -> Any:
            brief_of_another = "quiet" in brief.case.id and not brief.sections
            self.moods = iter([not (brief_of_another and next(turns))])
            return super().decide(brief)

    turns = itertools.cycle([False, True])
    told = compared(edited(*NO_GEESE), tmp_path, model=Restless())
    assert not told.scope.sample_held
    assert told.scope.left == 0
    assert len(told.judged) == len(GOLDEN)
    assert "should not touch" in " ".join(in_words(told))


def test_two_rulebooks_at_once_never_mix(tmp_path: Path) -> None:
    def marked(mark: str) -> Rulebook:
        return village(
            square=SQUARE.replace("Do not", f"Do not {mark}"),
            market=MARKET.replace("Do not", f"Do not {mark}"),
        )

    golden = [case(f"c-{n}", "A turnip, a drum, a bargain", "square.1") for n in range(40)]
    with both(marked("heretofore"), marked("henceforth"), tmp_path) as (wordings, sides):
        plan = Plan(Pace(workers=8), draws=100)
        told = compare_wordings(wordings, sides, golden, plan)
    for one in told.judged:
        quotes = [[g.policy_quote for g in verdict.violations] for verdict in (one.old, one.new)]
        assert all("heretofore" in quote for quote in quotes[0])
        assert all("henceforth" in quote for quote in quotes[1])
        assert one.old.provenance.rulebook == wordings.old.rulebook.id
        assert one.new.provenance.rulebook == wordings.new.rulebook.id


def test_tools_are_asked_once_for_both(tmp_path: Path) -> None:
    weather = Weather()
    told = compared(edited(*NO_GEESE), tmp_path, weather=weather)
    assert weather.asked == len(told.judged)
    for one in told.judged:
        assert one.old.evidence == one.new.evidence


def test_the_same_text_is_said_to_be_the_same_and_judges_nothing(tmp_path: Path) -> None:
    told = compared(village(), tmp_path)
    assert (told.real, told.scope.reviews, list(told.flips)) == (False, 0, [])
    assert "the same text" in in_words(told)[0]
    reflowed = compared(village(square=SQUARE.replace(" or ", "\nor ")), tmp_path)
    assert "form alone" in in_words(reflowed)[0]
    assert reflowed.real is False


def test_another_severity_and_another_action_are_changes(tmp_path: Path) -> None:
    milder = compared(edited("names (high)", "names (low)"), tmp_path)
    assert {f.kind for f in milder.flips} == {"other_severity"}
    table = compared(edited("high: remove", "high: suspend"), tmp_path)
    assert {f.kind for f in table.flips} == {"other_action"}
    assert {f.new.action for f in table.flips} == {"suspend"}


def test_many_flips_to_one_side_are_real_and_few_are_not(tmp_path: Path) -> None:
    many = [case(f"goose-{n}", f"You goose of house {n}", "square.1") for n in range(12)]
    assert compared(edited(*NO_GEESE), tmp_path, golden=many).real is True
    assert compared(edited(*NO_GEESE), tmp_path, golden=many[:4]).real == "undecided"
    twins = [
        case(f"goose-{n}", f"You goose of house {n}", "square.1", cluster="twins")
        for n in range(12)
    ]
    assert compared(edited(*NO_GEESE), tmp_path, golden=twins).real == "undecided"


def test_flips_of_a_model_that_draws_lots_are_held_against_its_own_noise(tmp_path: Path) -> None:
    draw = random.Random(7)
    moods = iter(lambda: draw.random() < 0.7, None)
    many = [case(f"goose-{n}", f"You goose of house {n}", "square.1") for n in range(60)]
    told = compared(
        edited("It is allowed where", "It is always allowed where"),
        tmp_path,
        Plan(Pace(repeats=2), draws=100),
        golden=many,
        model=LiteralModel(moods=moods),
    )
    assert told.noise is not None
    assert told.noise.kind == "second_run"
    assert told.noise.flips > 0
    assert told.real is not True


def test_a_model_that_repeats_itself_is_held_against_harmless_rewordings(tmp_path: Path) -> None:
    # It reads "Do not" and not "Don't", so what any rewording does to it is no news.
    told = compared(edited(*NO_GEESE), tmp_path, Plan(Pace(repeats=2), draws=100))
    assert told.noise is not None
    assert (told.noise.kind, told.noise.flips, told.noise.tries) == ("rewording", 3, 4)
    assert told.real is False
    assert "no more than noise" in " ".join(in_words(told))


def test_past_cases_without_answers_can_be_compared_too(tmp_path: Path) -> None:
    past = [one.case for one in GOLDEN]
    with both(village(), edited(*NO_GEESE), tmp_path) as (wordings, sides):
        told = compare_wordings(wordings, sides, past, Plan())
    assert {f.effect for f in told.flips} == {"unknown"}
    assert told.whole is None
    assert comparison_data(told)["metrics"] == {}


def test_a_section_that_is_gone_or_renumbered_is_told(tmp_path: Path) -> None:
    head, rest = SQUARE.split("## square.2")
    gone = compared(village(square=head), tmp_path)
    kinds = [(notice.kind, notice.section) for notice in gone.edited.notices]
    assert kinds == [("deleted", "square.2"), ("not_retired", "square.2")]
    assert [f.item.case.id for f in gone.flips] == ["drum"]
    moved = compared(village(square=head + "## square.3" + rest), tmp_path)
    assert [(n.kind, n.section) for n in moved.edited.notices] == [("renumbered", "square.2")]
    rule = 'Do not call anybody "turnip" or "goose". It is allowed where "cousin" is said.'
    other = compared(edited(rule, "Selling needs a permit, shown on every stall."), tmp_path)
    assert [n.kind for n in other.edited.notices] == []
    anew = SQUARE.replace(head[head.index("## square.1") :], MARKET[MARKET.index("## ") :])
    other = compared(village(square=anew.replace("market.1", "square.1")), tmp_path)
    assert [(n.kind, n.section) for n in other.edited.notices] == [("other_meaning", "square.1")]


def test_a_comparison_that_may_stop_stops_when_it_is_clear(tmp_path: Path) -> None:
    many = [case(f"goose-{n}", f"You goose of house {n}", "square.1") for n in range(120)]
    told = compared(
        edited(*NO_GEESE), tmp_path, Plan(stop_early=True, draws=100), golden=[*GOLDEN, *many]
    )
    assert told.early is not None
    assert told.early.stopped
    assert told.early.judged < told.early.of == 124
    assert told.real is True
    assert "Stopped early" in " ".join(in_words(told))
    assert told.metrics["decided_right_rate"].difference.n == len(GOLDEN) + len(many)
    calm = compared(edited("after ten", "after eleven"), tmp_path, Plan(stop_early=True, draws=100))
    assert calm.early is not None
    assert not calm.early.stopped
    assert calm.real is not True
