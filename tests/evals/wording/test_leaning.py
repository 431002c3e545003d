"""Whether an edit is read as another rule: how far the cases lean otherwise under it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent.reviewer import Reviewer
from evals.wording.comparison import (
    Plan,
    WordingComparison,
    compare_wordings,
    comparison_data,
    reads_otherwise,
)
from evals.wording.leaning import ALIKE, OTHER, Leanings
from evals.wording.planting import shipped_edits, tuning_edits, with_edit
from evals.wording.side_by_side import Sides
from evals.wording.told import in_words
from policies.reading import load_rulebook
from policies.rulebook import Rulebook
from tests.evals.wording.literal import SQUARE, LiteralModel, both, case, edited, village

GEESE = [case(f"goose-{n}", f"You goose of house {n}", "square.1") for n in range(14)]
NO_GEESE = ('"turnip" or "goose"', '"turnip"')
A_WORD_MORE = ("It is allowed where", "It is then allowed where")


@dataclass
class Leaning(LiteralModel):
    """Says how far it leans by the words in quotes, and a little by how long a rule is."""

    rulebook: Rulebook | None = None

    def leaning(self, section_id: str, text: str) -> float:
        assert self.rulebook is not None
        section = self.rulebook.section(section_id)
        assert section is not None
        forbidding = " ".join(s for s in section.rule.split(".") if "allowed" not in s)
        said = [word for word in text.lower().split() if f'"{word}"' in forbidding]
        return 2.0 * bool(said) + 0.01 * len(section.rule.split())


def compared(
    new: Rulebook, folder: Path, *, decides: bool = False, most: int = len(GEESE)
) -> WordingComparison:
    """Compare with a model that leans, and that decides or always abstains."""

    def inclined(reviewer: Reviewer) -> Reviewer:
        moods = None if decides else iter(lambda: False, None)
        model = Leaning(moods=moods, rulebook=reviewer.desk.rulebook)
        reviewer.desk = replace(reviewer.desk, model=model)
        return reviewer

    with both(village(), new, folder) as (wordings, sides):
        own = Sides(inclined(sides.old), inclined(sides.new), sides.another, repeats_itself=True)
        return compare_wordings(wordings, own, GEESE[:most], Plan(draws=100))


def test_an_edit_that_turns_no_verdict_is_seen_by_how_the_cases_lean(tmp_path: Path) -> None:
    told = compared(edited(*NO_GEESE), tmp_path)

    assert not told.flips
    assert reads_otherwise(told)
    assert "reads another rule: 14 cases lean 2.02 otherwise" in " ".join(in_words(told))
    assert comparison_data(told)["leanings"] == {
        "cases": 14,
        "moved": pytest.approx(2.02),
        "words_alone": True,
    }


def test_an_edit_that_moves_no_case_is_none(tmp_path: Path) -> None:
    told = compared(edited(*A_WORD_MORE), tmp_path)

    assert told.lean is not None
    assert told.lean.is_alike
    assert reads_otherwise(told) is False
    assert "reads another rule" not in " ".join(in_words(told))


def test_flips_that_are_few_are_noise_where_the_cases_lean_as_before(tmp_path: Path) -> None:
    # The literal model knows "allowed", and leans on words in quotes alone: here they disagree.
    some = edited("It is allowed where", 'It is "goose" allowed where')
    told = compared(some, tmp_path, decides=True, most=5)

    assert len(told.flips) == 5
    assert told.lean is not None
    assert told.lean.is_alike
    assert told.real is False
    assert "it looks like noise: 5 cases lean 0.01 otherwise" in " ".join(in_words(told))


def test_another_severity_is_never_taken_for_the_same_words(tmp_path: Path) -> None:
    told = compared(village(square=SQUARE.replace("names (high)", "names (low)")), tmp_path)

    assert told.lean is not None
    assert told.lean.moved < ALIKE
    assert not told.lean.is_alike


def test_a_model_that_cannot_say_how_far_it_leans_tells_nothing(tmp_path: Path) -> None:
    with both(village(), edited(*NO_GEESE), tmp_path) as (wordings, sides):
        told = compare_wordings(wordings, sides, GEESE, Plan(draws=100))

    assert told.lean is None
    assert comparison_data(told)["leanings"] is None


@pytest.mark.parametrize(
    ("moved", "is_other", "is_alike"),
    [(OTHER, True, False), (OTHER - 0.01, False, False), (ALIKE - 0.01, False, True)],
)
def test_between_the_lines_nothing_is_said(
    moved: float,
    is_other: bool,  # noqa: FBT001 - a table
    is_alike: bool,  # noqa: FBT001 - a table
) -> None:
    lean = Leanings(20, moved, words_alone=True)

    assert (lean.is_other, lean.is_alike) == (is_other, is_alike)


def test_the_edits_to_tune_by_are_others_than_those_to_measure_with() -> None:
    rulebook = load_rulebook(None)
    tuning, measured = tuning_edits(), shipped_edits()

    assert len(tuning) >= 40
    assert not {one.swap for one in tuning if one.swap} & {one.swap for one in measured}
    texts = {with_edit(rulebook, one).id for one in tuning}
    assert len(texts) == len(tuning)
    assert not texts & {with_edit(rulebook, one).id for one in measured}
