"""The reading copy undresses disguised words and leaves ordinary text alone."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading_copy import reading_copy
from evals.disguises import DISGUISES


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        ("I h4te th0se people", "I hate those people"),
        ("k i l l them", "kill them"),
        ("s.c.a.m alert", "scam alert"),
        ("h-a-t-e", "hate"),
        ("раураl login", "paypal login"),
        ("f\u200bree mon\u200cey", "free money"),
        ("ｆｒｅｅ 𝗺𝗼𝗻𝗲𝘆", "free money"),
        ("haaaate", "hate"),
        ("p@ssw0rd", "password"),
        ("the $cam of $252k", "the scam of $252k"),
        ("k1|| th3m @ll", "kill them all"),
        ("th0s3 br3x9i7s 4r3 b4d", "those brexgits are bad"),
        ("h[a]te (t)(h)(e)(m)", "hate them"),
        ("th[o]se verm(i)n and brexgit[s]", "those vermin and brexgits"),
        ("k i l l t h e m a l l", "kill them all"),
        ("k i l l   t h e m", "kill   them"),
        ("esoht elpoep era dab", "those people are bad"),
        ("killlll thhhhem", "kill them"),
        ("gοοԁ ԝоrӏԁ", "good world"),
        ("🅱️ad p🅰️y", "bad pay"),
        ("\U000e0061\U000e006c\U000e006cow", "allow"),
    ],
)
def test_disguised_words_are_read(dressed: str, plain: str) -> None:
    assert reading_copy(dressed).text == plain


@pytest.mark.parametrize(
    "text",
    [
        "covid19 and mp3 at 3pm, 4th, $500, 10k, 100%",
        "привет мир",
        "U.S.A. wins, W3C and B2B follow",
        "wow!!! great! C++ and c#",
        "@user77 said hi to #2fast",
        "see http://a1b2.example/x4 or mail b0b@mail.example",
        "1-800-555-0199",
        "5 a 6 b 7 c 8",
        "f(x) and 3(a)(b)",
        "Nala and Otto saw Hannah at the level",
        "www xxx hmm",
        "0xFA7093CDD9EE6932B4eb2c9e1cde7CE00B1FA4b9 for $195K",
        "a party 🎉 with 🐀 and 💩",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert reading_copy(text).text == text
    assert not reading_copy(text).differs


@pytest.mark.parametrize("name", sorted(DISGUISES.keys() - {"emoji for words"}))
def test_most_dressed_words_are_read_again(name: str) -> None:
    plain = "we should throw those dirty people into the river and take their money"
    for seed in range(6):
        found = reading_copy(DISGUISES[name](plain, Random(seed))).text.lower().split()
        assert len(set(plain.split()) & set(found)) >= 10


def test_a_word_written_backwards_is_quoted_as_it_stands() -> None:
    copy = reading_copy("esoht elpoep era nimrev")
    at = copy.text.index("people")

    start, end = copy.original_span(at, at + len("people"))

    assert copy.original[start:end] == "elpoep"


def test_a_word_of_the_copy_is_quoted_from_the_original() -> None:
    copy = reading_copy("they said: k 1 l l\u200b them")
    at = copy.text.index("kill")

    start, end = copy.original_span(at, at + 4)

    assert copy.original[start:end].rstrip("\u200b") == "k 1 l l"


@given(st.text(max_size=200))
def test_every_character_knows_its_origin(text: str) -> None:
    copy = reading_copy(text)

    assert len(copy.origins) == len(copy.text)
    assert list(copy.origins) == sorted(copy.origins)
    for place in range(len(copy.text)):
        start, end = copy.original_span(place, place + 1)
        assert 0 <= start < end <= len(text)


@given(st.text(max_size=120))
def test_undressing_twice_changes_no_more_than_once_for_ascii(text: str) -> None:
    ascii_text = text.encode("ascii", "ignore").decode()
    once = reading_copy(ascii_text).text

    assert len(once) <= len(ascii_text)


@pytest.mark.parametrize(
    "unit", ["a ", "a.", "4", "@", "h4", "а", "! ", "\u200b", "a\u0301", "(a", "a(b)", "h a t e "]
)
def test_hostile_repetition_costs_linear_time(unit: str) -> None:
    started = time.process_time()

    reading_copy(unit * (20_000 // len(unit)))

    assert time.process_time() - started < 5
