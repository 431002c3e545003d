"""What people and pipelines read: Markdown, a page, the gate; coverage, ambiguity, impact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.case import Case
from errors import GateError, InputError, UsageError
from evals.golden import GoldenCase
from evals.wording.ambiguity import ambiguity, ambiguity_in_words, judge_in_rounds
from evals.wording.comparison import Plan, WordingComparison, compare_wordings
from evals.wording.coverage import coverage, coverage_data, hold_coverage, undefined_terms
from evals.wording.export import plain_text, safeguard_text
from evals.wording.gate import Limits, hold, rulings
from evals.wording.impact import impact, impact_in_words
from evals.wording.importing import read_foreign
from evals.wording.judging import Pace, verdicts_of
from evals.wording.markdown import markdown
from evals.wording.page import page
from policies.reading import load_rulebook, rulebook_from_files
from tests.evals.wording.literal import SQUARE, both, case, edited, village

NASTY = "You goose <script>alert(1)</script> [a](https://evil.example) @everyone {{style}}"
NO_GEESE = ('"turnip" or "goose"', '"turnip"')


@pytest.fixture
def told(tmp_path: Path) -> WordingComparison:
    golden = [
        case("goose", NASTY, "square.1", kind="plain"),
        case("bird", "The goose by the pond has five eggs", kind="literal"),
        case("name", "What a turnip you are", "square.1"),
        *(case(f"quiet-{n}", f"Good evening to house {n}") for n in range(40)),
    ]
    with both(village(), edited(*NO_GEESE), tmp_path) as (wordings, sides):
        return compare_wordings(wordings, sides, golden, Plan(draws=100))


def test_the_page_runs_nothing_and_loads_nothing(told: WordingComparison) -> None:
    html = page(told)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "{{style}}" in html
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?https?:""", html)
    assert "default-src 'none'" in html
    assert "<del>&quot;turnip&quot;" in html or "<del>" in html
    assert "square.1: 2 cases now allowed" in html


def test_a_pull_request_shows_no_word_of_a_case_and_no_markup_of_it(
    told: WordingComparison,
) -> None:
    found = rulings(told, Limits(max_broken=0))
    text = markdown(told, found)
    assert "❌ `--max-broken 0`" in text
    assert "alert" not in text
    assert "evil" not in text
    assert "| goose | broken | violating | allowed | square.1 |" in text


def test_the_gate_counts_what_is_broken(told: WordingComparison) -> None:
    found = rulings(told, Limits(max_broken=0, max_flips=2, max_false_removal_rise=0.01))
    assert [one.holds for one in found] == [False, True, True]
    with pytest.raises(GateError, match="1 case broken") as raised:
        hold(found)
    assert raised.value.exit_code == 3
    hold(rulings(told, Limits(max_broken=1)))


def test_a_gate_without_limits_or_answers_is_refused(told: WordingComparison) -> None:
    with pytest.raises(UsageError, match="nothing is required"):
        rulings(told, Limits())
    with pytest.raises(UsageError, match="known"):
        rulings(replace(told, whole=None), Limits(max_broken=0))


def test_coverage_names_what_no_case_exercises(tmp_path: Path) -> None:
    rules = village()
    golden = [
        case("name", "What a turnip you are", "square.1"),
        case("family", "Cousin, you goose", section="square.1"),
        case("drum", "Good night", "square.2"),
    ]
    with both(rules, rules, tmp_path) as (_, sides):
        verdicts = verdicts_of(sides.old, [one.case for one in golden], Pace())
    found = coverage(rules, golden, verdicts)
    data = coverage_data(found)
    by_id = {one.section: one for one in found.sections}
    assert by_id["square.1"].covered
    assert by_id["square.2"].gaps == ("no case comes near it and is allowed", "never looked up")
    assert by_id["market.1"].violating_cases == by_id["market.1"].allowed_cases == 0
    assert data["write_next"][0].startswith("market.1: ")  # type: ignore[index]
    assert found.policies == {"square": 0.5, "market": 0.0}
    assert {"retrieved", "cited", "violating_cases", "allowed_cases"} <= set(
        data["sections"]["square.1"]  # type: ignore[index]
    )
    with pytest.raises(GateError, match="33% of the sections"):
        hold_coverage(found, 0.5)


def test_terms_that_no_rule_explains_are_named() -> None:
    rules = village(square=SQUARE.replace("after ten", "by CB radio, nor as PA"))
    assert undefined_terms(rules) == {"CB": ("square.2",), "PA": ("square.2",)}
    told = SQUARE.replace("after ten", "by PA").replace("peace.", "peace. PA means loudspeakers.")
    assert undefined_terms(village(square=told)) == {}


def test_sentences_on_which_rewordings_split_cases_are_listed(tmp_path: Path) -> None:
    # The literal reader knows "Do not" and not "Don't": every sentence with it leaves room.
    cases = [Case(id="name", text="A turnip"), Case(id="calm", text="Good night")]
    rules = village()
    with both(rules, rules, tmp_path) as (_, sides):
        rounds = judge_in_rounds(cases, sides, rules, Pace(repeats=2))
    found = ambiguity(rounds, rules)
    assert (found.rounds, found.split) == (2, 1)
    (sentence,) = found.sentences
    assert (sentence.section, sentence.cases) == ("square.1", ("name",))
    assert sentence.sentence == 'Do not call anybody "turnip" or "goose".'
    assert "1 of 2 cases" in ambiguity_in_words(found)[0]


def test_past_cases_tell_what_a_day_would_bring(tmp_path: Path) -> None:
    def past() -> Iterator[GoldenCase]:
        for n in range(60):
            text = f"You goose of house {n}" if n % 3 == 0 else f"Good evening to house {n}"
            yield case(f"c-{n}", text)

    cases = [one.case.model_copy(update={"language": "en"}) for one in past()]
    with both(village(), edited(*NO_GEESE), tmp_path) as (wordings, sides):
        found = compare_wordings(wordings, sides, cases, Plan(per_day=6000, draws=100))
    assert found.impact is not None
    gone = found.impact.changes["removals"]
    assert gone.difference.value == pytest.approx(-2000)
    assert gone.old == pytest.approx(2000)
    assert gone.difference.low < -2000 < gone.difference.high < 0
    assert "A day of 6,000 cases: -2,000.0" in " ".join(impact_in_words(found.impact))
    assert impact([], a_day=1) is None


def test_every_shipped_policy_survives_the_trip_through_coded_labels() -> None:
    for policy in load_rulebook(None).policies:
        written = safeguard_text(policy)
        assert any("what follows from a violation" in lost for lost in written.lost)
        read = read_foreign(written.text, policy.id)
        (again,) = rulebook_from_files({"p.md": read.text}).policies
        assert [s.version for s in again.sections] == [s.version for s in policy.sections]
        assert again.purpose == policy.purpose
        assert again.never_auto
        assert set(again.enforcement.values()) == {"escalate"}


def test_plain_guidelines_come_back_with_a_word_on_what_they_do_not_say() -> None:
    policy = load_rulebook(None).policies[0]
    read = read_foreign(plain_text(policy).text, policy.id)
    (again,) = rulebook_from_files({"p.md": read.text}).policies
    assert [s.text for s in again.sections] == [s.text for s in policy.sections]
    assert sum("says no severity" in note for note in read.lost) == len(policy.sections)


CODED = """Noise Policy (#NP)
GOAL: Find noise.

DEFINITIONS
Noise: anything over the wall.

Fine (NP0 – no noise)
NP0.a Music indoors – “I hum while I cook.”

Loud (NP2 – some noise)
Disturbing the neighbours.
NP2.a Drums – “Drums at ten!”
NP2.b Trumpets – “Trumpets at nine!”

LABEL FORMAT
Each item gets one label.
"""


def test_labels_with_letters_are_read_and_what_does_not_fit_is_told() -> None:
    read = read_foreign(CODED, "noise")
    (policy,) = rulebook_from_files({"p.md": read.text}).policies
    (section,) = policy.sections
    assert section.violates == ("Drums at ten!", "Trumpets at nine!")
    assert section.allowed == ("I hum while I cook.",)
    assert section.rule == "Disturbing the neighbours. Drums. Trumpets."
    told = "\n".join(read.lost)
    for words in ("noise.1 was number 2", "anything over the wall", "Each item gets one label"):
        assert words in told


def test_a_text_without_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match="no rule"):
        read_foreign("# A title\n\nSome words.", "noise")
    with pytest.raises(InputError, match="no id"):
        read_foreign(CODED, "Noise!")
