"""Entries: how meaning and words make one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.embedder import Embedder
from retrieval.entries import (
    WORDS,
    Entry,
    EntryIndex,
    Part,
    by_meaning,
    by_words,
    open_entries,
    rank,
)


@pytest.fixture
def animals(embedder: Embedder, tmp_path: Path) -> EntryIndex:
    texts = {
        "cat": "A purring pet that chases mice.",
        "dog": "A barking pet that guards the house.",
        "zzyzx": "Zzyzx 4417 QX.",
    }
    return open_entries(tmp_path, "animals", [entry(*pair) for pair in texts.items()], embedder)


def test_the_score_is_meaning_and_a_share_of_words(animals: EntryIndex) -> None:
    hits = rank(animals, "which pet is barking", limit=3)

    best = max(hit.bm25 for hit in hits)
    assert best > 0
    assert [hit.score for hit in hits] == [hit.dense + WORDS * hit.bm25 / best for hit in hits]


def test_a_rare_name_is_found_by_its_letters(animals: EntryIndex) -> None:
    assert animals.entries[rank(animals, "who is zzyzx?", limit=1)[0].position].id == "zzyzx"


def test_entries_without_a_word_in_common_have_no_rank_by_words(animals: EntryIndex) -> None:
    assert by_words(animals, "barking") == {1: pytest.approx(by_words(animals, "barking")[1])}
    assert by_words(animals, "helicopter") == {}


def test_by_meaning_needs_no_word_in_common(animals: EntryIndex) -> None:
    assert by_meaning(animals, "kitten", limit=1)[0][0] == "cat"


def test_an_entry_counts_by_the_best_part_of_each_kind(embedder: Embedder, tmp_path: Path) -> None:
    parts = (Part("rule", "No dogs."), Part("example", "A poodle."), Part("example", "A spade."))
    index = open_entries(tmp_path, "rules", [Entry("one", "x", parts)], embedder)
    poodle, *_ = rank(index, "A poodle.", limit=1)
    query, rule, example, other = embedder.embed(["A poodle.", "No dogs.", "A poodle.", "A spade."])
    center = rule + example + other
    center /= (center @ center) ** 0.5

    expected = ((query @ rule + query @ example) / 2 + query @ center) / 2

    assert poodle.dense == pytest.approx(float(expected), abs=1e-5)


def test_an_entry_without_parts_is_found_by_words(embedder: Embedder, tmp_path: Path) -> None:
    entries = [entry("cat", "purring"), Entry("bare", "barking", (Part("text", "  "),))]
    index = open_entries(tmp_path, "animals", entries, embedder)

    hits = rank(index, "barking", limit=2)

    assert [(index.entries[hit.position].id, hit.dense) for hit in hits][-1] == ("bare", 0.0)


def test_entries_without_a_single_word_are_found_by_meaning(
    embedder: Embedder, tmp_path: Path
) -> None:
    index = open_entries(tmp_path, "emoji", [entry("rat", "🐀"), entry("snow", "☃")], embedder)

    assert len(rank(index, "anything", limit=5)) == 2


def test_where_nothing_is_nothing_is_found(embedder: Embedder, tmp_path: Path) -> None:
    index = open_entries(tmp_path, "nothing", [], embedder)

    assert rank(index, "anything", limit=5) == []
    assert by_meaning(index, "anything", limit=5) == []


def test_another_text_is_another_index(embedder: Embedder, tmp_path: Path) -> None:
    first = open_entries(tmp_path, "animals", [entry("cat", "purring")], embedder)
    second = open_entries(tmp_path, "animals", [entry("cat", "hissing")], embedder)

    assert first.name != second.name


def entry(id_: str, text: str) -> Entry:
    return Entry(id_, text, (Part("text", text),))
