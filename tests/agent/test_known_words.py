"""The words that are known choose between two readings of a disguise."""

from __future__ import annotations

import pytest

from agent.known_words import commonest, is_known, rank, words_in


def test_a_commoner_word_ranks_first() -> None:
    the, people, harbour = rank("the"), rank("People"), rank("harbour")

    assert the is not None
    assert people is not None
    assert harbour is not None
    assert the < people < harbour


def test_letters_that_are_no_word_are_unknown() -> None:
    assert not is_known("xqzw")
    assert commonest(["xqzw", "wzqx"]) is None
    assert commonest(["hcte", "hate", "heat"]) in {"hate", "heat"}


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("killthemall", "kill them all"),
        ("gobacktowhereyoucamefrom", "go back to where you came from"),
        ("don'ttrustthem", "don't trust them"),
        ("thosepeoplearevermin", "those people are vermin"),
        ("", ""),
    ],
)
def test_words_are_found_in_a_run_of_letters(run: str, words: str) -> None:
    assert words_in(run) == words.split()
