"""Disguises change the words of a text, and nothing that would not work any more when changed."""

from __future__ import annotations

import re
import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.disguises import DISGUISES, Disguise

TEXT = "Those people are vermin and should leave, they said"
LINKED = "Free money at https://win.example/a?b=c or pay.example, mail bob@mail.example @user #now"
LINKS = ("https://win.example/a?b=c", "pay.example", "bob@mail.example", "@user", "#now")

every_disguise = pytest.mark.parametrize("dress", DISGUISES.values(), ids=list(DISGUISES))


@every_disguise
@pytest.mark.parametrize("text", [TEXT, "Nothing here has a picture", "IN CAPITALS", "ok then"])
def test_a_disguise_changes_the_text(dress: Disguise, text: str) -> None:
    assert dress(text, Random(0)) != text


@every_disguise
def test_the_same_seed_gives_the_same_disguise(dress: Disguise) -> None:
    assert dress(TEXT, Random(7)) == dress(TEXT, Random(7))


@every_disguise
def test_links_addresses_and_handles_are_left_alone(dress: Disguise) -> None:
    for seed in range(5):
        dressed = dress(LINKED, Random(seed))
        assert dressed != LINKED
        assert [link for link in LINKS if link not in dressed] == []


@every_disguise
@given(text=st.text(max_size=80), seed=st.integers(0, 3))
def test_no_text_is_too_strange_to_dress(dress: Disguise, text: str, seed: int) -> None:
    assert bool(dress(text, Random(seed)).strip()) == bool(text.strip())


@pytest.mark.parametrize("name", ["letter spacing", "dotting", "bracketing", "zero width"])
def test_letters_keep_their_order_between_what_is_put_in(name: str) -> None:
    for seed in range(5):
        dressed = DISGUISES[name](TEXT, Random(seed))
        assert re.sub(r"[\W_]", "", dressed) == re.sub(r"\W", "", TEXT)


def test_invisible_characters_are_all_that_zero_width_adds() -> None:
    dressed = DISGUISES["zero width"](TEXT, Random(0))

    assert {unicodedata.category(c) for c in set(dressed) - set(TEXT)} == {"Cf"}


def test_look_alikes_are_of_other_alphabets() -> None:
    dressed = DISGUISES["homoglyphs"]("harmless postcard", Random(0))

    added = set(dressed) - set("harmless postcard")
    assert added
    assert not any(unicodedata.name(c).startswith("DIGIT") or c.isascii() for c in added)


def test_words_are_reversed_one_by_one() -> None:
    assert DISGUISES["reversed words"]("kill them all", Random(0)) == "llik meht lla"


def test_a_word_with_a_picture_becomes_the_picture() -> None:
    assert DISGUISES["emoji for words"]("they are pigs", Random(0)) in {
        "they are 🐖",
        "they are 🐷",
    }
