"""The rulebook's index: the right section is found, and what in it is nearest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from policies.rulebook import Rulebook
from retrieval.embedder import Embedder
from retrieval.index import PolicyIndex, closest, open_policy_index, search, sentences
from tests.retrieval.library import indexes, library_rules


@pytest.mark.parametrize(
    ("post", "section"),
    [
        ("somebody is blasting songs next to my desk", "house.1"),
        ("can I bring a sandwich and a cola?", "house.2"),
        ("he ripped out three leaves of the encyclopaedia", "house.3"),
        ("razor blade", "house.3"),
    ],
)
def test_the_section_that_bears_on_a_post_comes_first(
    index: PolicyIndex, post: str, section: str
) -> None:
    hits = search(index, post)

    assert hits[0].section.id == section
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_hit_carries_the_section_itself(index: PolicyIndex, rulebook: Rulebook) -> None:
    (hit,) = search(index, "sandwich", limit=1)

    assert hit.section is rulebook.section("house.2")


def test_words_in_common_are_told_apart_from_meaning(index: PolicyIndex) -> None:
    by_id = {hit.section.id: hit for hit in search(index, "curry")}

    assert by_id["house.2"].bm25 > 0
    assert by_id["house.1"].bm25 == 0
    assert by_id["house.2"].score > by_id["house.2"].dense


@pytest.mark.parametrize("blank", ["", " \n\t ", "\u2003"])
def test_a_blank_question_finds_nothing(index: PolicyIndex, blank: str) -> None:
    assert search(index, blank) == []


@pytest.mark.parametrize(
    "odd", ["🐀", "\x00\xff\x1b[31m", "half \ud83d character", "a" * 20_000, "the of and"]
)
def test_odd_questions_do_no_harm(index: PolicyIndex, odd: str) -> None:
    hits = search(index, odd)

    assert {hit.section.id for hit in hits} == {"house.1", "house.2", "house.3"}


def test_what_stands_at_the_end_of_a_long_text_is_found(index: PolicyIndex) -> None:
    padding = "The weather was fine and the train was on time. " * 100

    assert search(index, padding + "Then he tore pages out of the book.")[0].section.id == "house.3"


def test_one_sentence_in_a_page_is_found_as_if_it_stood_alone(index: PolicyIndex) -> None:
    story = "The ferry left at nine. The wind was warm. We counted the buoys on the way. "
    torn = "He ripped out three leaves of the encyclopaedia. "
    alone = search(index, torn)[0]

    hit = search(index, story * 6 + torn + story * 6)[0]

    assert hit.section.id == alone.section.id
    assert hit.dense > search(index, story)[0].dense


def test_the_same_question_has_the_same_answer_from_many_threads(index: PolicyIndex) -> None:
    questions = ["loud music", "a cup of coffee", "torn pages", "🐀", "razor"] * 8

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda question: search(index, question), questions))

    assert at_once == [search(index, question) for question in questions]


def test_another_program_gets_the_same_scores(
    index: PolicyIndex, rulebook: Rulebook, embedder: Embedder, tmp_path: Path
) -> None:
    elsewhere = open_policy_index(rulebook, embedder, tmp_path)

    assert search(elsewhere, "noisy phone call") == search(index, "noisy phone call")


def test_two_rulebooks_lie_side_by_side_and_never_mix(embedder: Embedder, tmp_path: Path) -> None:
    strict = open_policy_index(library_rules(), embedder, tmp_path)
    lax = open_policy_index(library_rules("Trombones are welcome here."), embedder, tmp_path)

    assert strict.name != lax.name
    assert len(indexes(tmp_path)) == 2
    assert "Trombones" in search(lax, "trombone")[0].section.rule
    assert all("Trombones" not in hit.section.rule for hit in search(strict, "trombone"))
    assert closest(strict, "Trombones are welcome here.", ["house.1"])[0].rule < 0.9
    assert closest(lax, "Trombones are welcome here.", ["house.1"])[0].rule > 0.99


def test_closest_says_which_example_and_which_sentence(index: PolicyIndex) -> None:
    (food,) = closest(index, "Water in a closed bottle is allowed.", ["house.2"])

    assert food.section_id == "house.2"
    assert food.rule == pytest.approx(1, abs=1e-5)
    assert food.rule_sentence == "Water in a closed bottle is allowed."
    assert food.allowed_example == "My water bottle stays in my bag."
    assert food.allowed > food.violates > -1
    assert food.violates_example == "She unpacked a curry between the shelves."


def test_closest_keeps_the_order_asked_for_and_leaves_out_unknown_sections(
    index: PolicyIndex,
) -> None:
    found = closest(index, "loud", ["house.3", "nowhere.9", "house.1"])

    assert [similarity.section_id for similarity in found] == ["house.3", "house.1"]


def test_a_section_without_examples_of_a_kind_says_so(index: PolicyIndex) -> None:
    (damage,) = closest(index, "My water bottle stays in my bag.", ["house.3"])

    assert (damage.allowed, damage.allowed_example) == (0.0, "")


def test_closest_reads_a_long_text_to_its_end(index: PolicyIndex) -> None:
    padding = "The weather was fine and the train was on time. " * 100

    (without,) = closest(index, padding, ["house.1"])
    (noise,) = closest(index, padding + "He turned his speaker up until it shook.", ["house.1"])

    assert noise.violates > without.violates + 0.15


def test_a_sentence_stands_word_for_word_in_its_rule() -> None:
    rule = 'Never write "Die!" to people, e.g. in chats.  Satire (of 1984) is fine. So is "No."'

    parts = sentences(rule)

    assert parts == [
        'Never write "Die!" to people, e.g. in chats.',
        "Satire (of 1984) is fine.",
        'So is "No."',
    ]
    assert all(part in rule for part in parts)
