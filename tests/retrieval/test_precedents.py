"""Decided cases: what resembles a text, and a collection that follows the records."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrieval.embedder import Embedder, Vectors
from retrieval.precedents import PrecedentIndex, nearest, open_precedent_index, sync
from tests.retrieval.library import indexes

CASES = {
    "c-1": "He shouted at the librarian because his card had expired.",
    "c-2": "A girl ate a whole cake behind the shelf of travel books.",
    "c-3": "Somebody drew moustaches on every portrait in the volume.",
}


@pytest.fixture
def precedents(embedder: Embedder, tmp_path: Path) -> PrecedentIndex:
    index = open_precedent_index(embedder, tmp_path)
    sync(index, CASES.items())
    return index


def test_the_case_that_resembles_the_text_comes_first(precedents: PrecedentIndex) -> None:
    first, *others = nearest(precedents, "she had cake between the bookshelves")

    assert first.case_id == "c-2"
    assert first.similarity > others[0].similarity
    assert len(others) == 2


def test_similarity_is_the_cosine(precedents: PrecedentIndex, embedder: Embedder) -> None:
    text = "he yelled at the staff"
    vector, case = embedder.embed([text, CASES["c-1"]])

    assert nearest(precedents, text)[0].similarity == pytest.approx(float(vector @ case), abs=1e-5)


def test_the_same_text_is_found_with_similarity_one(precedents: PrecedentIndex) -> None:
    assert nearest(precedents, CASES["c-3"], limit=1)[0].similarity == pytest.approx(1, abs=1e-5)


def test_a_blank_text_resembles_nothing(precedents: PrecedentIndex) -> None:
    assert nearest(precedents, " \n") == []


def test_without_cases_nothing_is_found(embedder: Embedder, tmp_path: Path) -> None:
    index = open_precedent_index(embedder, tmp_path)
    assert nearest(index, "cake") == []

    sync(index, [("blank", " ")])

    assert nearest(index, "cake") == []


def test_removed_cases_are_gone_and_changed_ones_have_their_new_text(
    precedents: PrecedentIndex,
) -> None:
    sync(precedents, [("c-1", "Two men played chess in silence."), ("c-3", CASES["c-3"])])

    assert {hit.case_id for hit in nearest(precedents, "cake")} == {"c-1", "c-3"}
    assert nearest(precedents, "a quiet game of chess")[0].similarity > 0.6


def test_all_cases_can_be_removed(precedents: PrecedentIndex) -> None:
    sync(precedents, [])

    assert nearest(precedents, "cake") == []


def test_syncing_the_same_cases_again_changes_nothing(
    precedents: PrecedentIndex, tmp_path: Path
) -> None:
    before = indexes(tmp_path)

    sync(precedents, reversed(CASES.items()))

    assert indexes(tmp_path) == before


def test_only_new_texts_are_embedded(precedents: PrecedentIndex, tmp_path: Path) -> None:
    counting = Counting(**vars(precedents.embedder))
    later = open_precedent_index(counting, tmp_path)

    sync(later, [*CASES.items(), ("c-4", "He returned it late.")])

    assert counting.seen == ["He returned it late."]
    assert nearest(later, "brought it back late", limit=1)[0].case_id == "c-4"


def test_old_states_do_not_pile_up(precedents: PrecedentIndex, tmp_path: Path) -> None:
    for number in range(8):
        sync(precedents, [*CASES.items(), ("c-9", f"Take {number}.")])

    assert len(indexes(tmp_path)) <= 4


def test_a_state_that_somebody_searches_is_not_deleted(
    precedents: PrecedentIndex, embedder: Embedder, tmp_path: Path
) -> None:
    other = open_precedent_index(embedder, tmp_path)
    for number in range(8):
        sync(other, [("c-9", f"Take {number}.")])

    assert nearest(precedents, "cake")[0].case_id == "c-2"


def test_a_long_case_is_found_by_its_last_words(precedents: PrecedentIndex) -> None:
    padding = "The weather was fine and the train was on time. " * 60
    sync(precedents, [*CASES.items(), ("long", padding + "Then the parrot bit the guard.")])

    assert nearest(precedents, "a parrot bites a guard", limit=1)[0].case_id == "long"


def test_searches_go_on_while_cases_change(precedents: PrecedentIndex) -> None:
    def search(_: int) -> str:
        return nearest(precedents, "cake behind the shelf", limit=1)[0].case_id

    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(search, range(60))
        for number in range(4):
            sync(precedents, [*CASES.items(), ("c-9", f"Take {number}.")])

    assert set(answers) == {"c-2"}


def test_odd_texts_can_be_cases(precedents: PrecedentIndex) -> None:
    odd = [("emoji", "🐀" * 600), ("binary", "\x00\x01"), ("half", "half \ud83d character")]

    sync(precedents, [*CASES.items(), *odd])

    assert nearest(precedents, "half \ud83d character", limit=1)[0].case_id == "half"


class Counting(Embedder):
    """The model, and a list of what it was asked for."""

    @property
    def seen(self) -> list[str]:
        seen: list[str] = self.__dict__.setdefault("_seen", [])
        return seen

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.seen.extend(texts)
        return super().embed(texts)
