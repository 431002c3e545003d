"""The pairs that the reader learns from: one content under wordings that disagree."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from agent.embedded.reading import rule_text
from policies.reading import load_rulebook
from training.reader.deck import Deck, Pair
from training.reader.form_pairs import form_pairs
from training.reader.forms import answer, places
from training.reader.house_pairs import house_pairs
from training.reader.own_pairs import own_pairs
from training.reader.pairs import ON, WITHOUT_PUBLIC, pairs
from training.reader.public_pairs import group_pairs, public_pairs
from training.reader.rule_pairs import rule_pairs
from training.reader.sections import inverted, without_exceptions
from training.reader.texts import (
    STANCES,
    Labelled,
    couples,
    houses,
    is_kept,
    ordinary_remarks,
    rulebook_texts,
    shown_texts,
    table,
    topics,
)
from training.reader.topic_pairs import STRANGERS, topic_pairs
from training.reader.topics_check import faults

LABELLED = [
    Labelled(
        "a", "Those people ruin this town, throw them out 🐖", {"hate": True}, frozenset({"mus"})
    ),
    Labelled("b", "My neighbours are kind and their soup is hot", {"hate": False}),
    Labelled("c", "Call me on 020 7946 0100", {"pii": True}, spans={"PHONE_NUMBER": ((11, 24),)}),
    Labelled("d", "Nothing personal stands in here", {"pii": False}),
]


@pytest.fixture(scope="module")
def deck() -> Deck:
    rulebook = load_rulebook(None)
    shown = [*shown_texts(), *rulebook_texts(rulebook)]
    return Deck(shown, LABELLED, rulebook, random.Random(5))


def test_every_text_is_seen_under_rules_with_both_answers(deck: Deck) -> None:
    answers: dict[str, set[bool]] = {}
    for pair in islice(pairs(deck, WITHOUT_PUBLIC), 30_000):
        answers.setdefault(pair.case.lower(), set()).add(pair.violates)
    both = [text for text, seen in answers.items() if len(seen) == 2]
    assert len(both) > 0.7 * len(answers)


def test_about_half_of_the_pairs_break_their_rule(deck: Deck) -> None:
    drawn = list(islice(pairs(deck), 5000))
    assert 0.4 < sum(pair.violates for pair in drawn) / len(drawn) < 0.6


def test_the_same_seed_draws_the_same_pairs(deck: Deck) -> None:
    def drawn() -> list[Pair]:
        again = Deck(deck.shown, deck.labelled, deck.rulebook, random.Random(1))
        return list(islice(pairs(again), 200))

    assert drawn() == drawn()


def test_no_slot_of_a_wording_is_left_unfilled(deck: Deck) -> None:
    assert not [p.rule for p in islice(pairs(deck), 6_000) if "{" in p.rule or "}" in p.rule]


def test_suspending_a_rule_turns_the_answer_and_confirming_it_does_not(deck: Deck) -> None:
    suspended, confirmed = (set(deck.wordings[kind]["after"]) for kind in ("suspended", "in_force"))
    ends: dict[bool, set[bool]] = {True: set(), False: set()}
    for pair in islice(pairs(deck), 6_000):
        if ":ban_suspended" in pair.kind or ":ban_in_force" in pair.kind:
            after = [s for s in suspended | confirmed if pair.rule.endswith(s)]
            assert after
            ends[max(after, key=len) in suspended].add(pair.violates)
    assert ends == {True: {False}, False: {True}}


def test_a_quotation_breaks_a_rule_only_where_the_rule_says_so(deck: Deck) -> None:
    forbidden = tuple(deck.wordings["quote"]["forbidden"])
    allowed = tuple(deck.wordings["quote"]["allowed"])
    drawn = [p for p in islice(own_stream(deck), 12_000) if p.kind.endswith(":quote")]
    assert {p.violates for p in drawn if p.rule.endswith(forbidden) and "banned" in p.kind} == {
        True
    }
    assert {p.violates for p in drawn if p.rule.endswith(allowed)} == {False}


def own_stream(deck: Deck) -> Iterator[Pair]:
    while True:
        yield from own_pairs(deck)


def test_marked_words_lie_within_their_case(deck: Deck) -> None:
    for pair in islice(pairs(deck), 5000):
        for start, end in pair.spans or ():
            assert 0 <= start < end <= len(pair.case)


def test_hateful_texts_are_judged_by_the_group_that_a_rule_names(deck: Deck) -> None:
    drawn = [pair for _ in range(400) for pair in group_pairs(deck) if pair.kind == "group"]
    assert {pair.violates for pair in drawn if "Muslims" in pair.rule} == {True}
    assert {pair.violates for pair in drawn if "women" in pair.rule} == {False}


def test_a_public_label_is_not_broken_by_a_rule_that_allows_it(deck: Deck) -> None:
    drawn = [pair for _ in range(300) for pair in public_pairs(deck)]
    lenient = [pair for pair in drawn if pair.kind.startswith("lenient:")]
    assert lenient
    assert not any(pair.violates for pair in lenient)


@pytest.mark.parametrize(
    ("form", "text", "has"),
    [
        ("link", "see https://a.example/x", True),
        ("emoji", "so good 🎉", True),
        ("emoji", "so good :)", False),
        ("shouting", "STOP that", True),
        ("long", "word " * 21, True),
        ("money", "only $20", True),
    ],
)
def test_the_form_of_a_text_answers_a_rule_about_it(form: str, text: str, *, has: bool) -> None:
    assert answer(form, text)[0] is has


def test_a_banned_word_is_found_in_any_case_and_with_endings() -> None:
    assert places("goat", "Goats! My goat.") == ((0, 5), (10, 14))


def test_form_pairs_come_with_opposite_answers(deck: Deck) -> None:
    drawn = [pair for _ in range(200) for pair in form_pairs(deck)]
    assert {pair.violates for pair in drawn} == {True, False}


def test_an_inverted_section_allows_what_the_section_forbids() -> None:
    section = load_rulebook(None).section("hate.1")
    assert section is not None
    assert "Do not describe" in rule_text(section)
    assert inverted(section).startswith("You may describe")
    assert "Quoting" not in without_exceptions(section)


def test_every_conduct_has_texts_phrases_and_a_section_that_exists() -> None:
    rulebook = load_rulebook(None)
    for conduct in table("conducts.toml")["conduct"]:
        assert conduct["do"]
        assert conduct["thing"]
        assert len(conduct["does"]) >= 3
        assert ("allow" in conduct) == ("fine" in conduct), conduct["id"]
        assert "section" not in conduct or rulebook.section(conduct["section"]) is not None


def test_every_stance_can_be_allowed_and_forbidden_in_words() -> None:
    wordings = table("wordings.toml")
    assert all(wordings[stance][side] for stance in STANCES for side in ("allowed", "forbidden"))


def test_the_tables_of_topics_are_sound() -> None:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for topic in topics():
        by_file.setdefault(topic["id"].split(".")[0], []).append(topic)
    assert len(by_file) >= 6
    assert not [fault for found in by_file.values() for fault in faults(found)]
    assert set(by_file) <= set(STRANGERS)


def test_a_fault_in_a_table_of_topics_is_named() -> None:
    half = {"id": "x.a", "also": ["x.b"], "strict": ["a", "b"], "lenient": ["a", "c"], "does": []}
    told = " ".join(faults([half]))
    assert "fewer than 2 of does" in told
    assert "also names x.b" in told
    assert "strict and lenient at once" in told


def test_a_topic_is_answered_by_its_own_rules(deck: Deck) -> None:
    strict = {post: set(t["strict"]) for t in deck.topics for post in t["does"]}
    lenient = {post: set(t["lenient"]) for t in deck.topics for post in t["does"]}
    drawn = [pair for _ in range(3000) for pair in topic_pairs(deck)]
    assert {p.violates for p in drawn if p.rule in strict.get(p.case, ())} == {True}
    assert {p.violates for p in drawn if p.rule in lenient.get(p.case, ())} == {False}


def test_kept_topics_are_not_learnt_from(deck: Deck) -> None:
    kept = {post for t in topics() if is_kept(t["id"]) for post in (*t["does"], *t["near"])}
    assert kept
    assert not kept & {pair.case for pair in islice(pairs(deck), 10_000)}


def test_a_topic_of_a_section_is_read_under_it_as_it_is_and_turned_round(deck: Deck) -> None:
    of_section = {
        post: rule_text(section)
        for topic in deck.topics
        if (section := deck.rulebook.section(topic.get("section", ""))) is not None
        for post in topic["does"]
    }
    drawn = [p for _ in range(6000) for p in topic_pairs(deck) if p.kind == "topic:section"]
    assert drawn
    for pair in drawn:
        own = of_section[pair.case]
        if pair.violates:
            assert pair.rule.startswith(own.partition(".")[0])
        else:
            assert pair.rule != own


def test_every_section_that_a_topic_names_exists(deck: Deck) -> None:
    named = {topic["section"] for topic in topics() if "section" in topic}
    assert named
    assert all(deck.rulebook.section(name) is not None for name in named)


def test_a_couple_is_read_by_itself_and_with_its_subject(deck: Deck) -> None:
    drawn = [pair for _ in range(3000) for pair in rule_pairs(deck)]
    strict = {couple.strict: couple for couple in deck.couples}
    lenient = {couple.lenient: couple for couple in deck.couples}
    kinds = {pair.kind for pair in drawn}
    assert kinds == {"couple:itself", "couple:subject", "couple:stranger"}
    for pair in drawn:
        if pair.kind == "couple:itself":
            assert pair.rule == pair.case
        if pair.rule in lenient:
            assert not pair.violates
        if pair.rule in strict:
            own = pair.case in (pair.rule, strict[pair.rule].subject)
            assert pair.violates == own


def test_carrying_on_is_mostly_about_rules(deck: Deck) -> None:
    drawn = list(islice(pairs(deck, ON), 5000))
    new = sum(pair.kind.startswith(("couple:", "house:")) for pair in drawn)
    assert 0.5 < new / len(drawn) < 0.8


def test_couples_are_whole_and_said_once() -> None:
    rules = [rule for each in couples() for rule in (each.strict, each.lenient)]
    assert len(rules) == len(set(rules))
    assert len({each.id for each in couples()}) == len(couples())
    assert {each.form for each in couples()} == set("abcdefghijklmn")
    assert all(each.subject.strip() for each in couples())


def test_a_kept_couple_is_not_drawn(deck: Deck) -> None:
    kept = {each.strict for each in couples() if is_kept(each.id)}
    assert kept
    assert not kept & {pair.rule for _ in range(3000) for pair in rule_pairs(deck)}


def house_stream(deck: Deck) -> Iterator[Pair]:
    while True:
        yield from house_pairs(deck)


def test_a_remark_breaks_the_rules_of_its_house_and_keeps_those_of_others(deck: Deck) -> None:
    does = {remark.text: house for house in deck.houses for remark in house.does}
    owners = {rule: house for house in deck.houses for rule in house.strict}
    allowed = {rule for house in deck.houses for rule in house.lenient}
    seen = 0
    for pair in islice(house_stream(deck), 20_000):
        house = does.get(pair.case)
        if house is None or house.placed:
            continue
        if pair.rule in owners:
            seen += 1
            assert pair.violates is (owners[pair.rule] is house)
            assert owners[pair.rule] is house or house.apart(owners[pair.rule])
        elif pair.rule in allowed:
            assert not pair.violates
    assert seen > 1_000


def test_what_is_off_topic_is_told_by_the_place(deck: Deck) -> None:
    placed = {r.text: r.place for h in deck.houses if h.placed for r in (*h.does, *h.near)}
    drawn = [p for p in islice(house_stream(deck), 40_000) if p.case in placed]
    under = [p for p in drawn if placed[p.case] in p.rule]
    assert {p.violates for p in under} == {True, False}
    assert not any(p.violates for p in drawn if placed[p.case] not in p.rule)


def test_houses_are_whole() -> None:
    kinds = {house.kind for house in houses()}
    assert len(kinds) > 20
    for house in houses():
        assert house.overlaps <= kinds - {house.kind}
        assert min(len(house.strict), len(house.does), len(house.near)) >= 5
        assert not set(house.strict) & set(house.lenient)
    lines = [r.text for h in houses() for r in (*h.does, *h.near)] + ordinary_remarks()
    assert len(set(lines)) == len(lines)


def test_a_kept_rule_of_a_house_is_not_drawn(deck: Deck) -> None:
    kept = {rule for house in houses() for rule in house.part(kept=True).strict}
    drawn = {pair.rule for pair in islice(house_stream(deck), 10_000)}
    assert kept
    assert not kept & drawn
