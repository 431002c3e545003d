"""Content reaches a terminal covered, or revealed; it is never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.masking import masked, printable, without_content


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\x07", "\u202e", "\u2066", "\x9b31m", "\r", "\x00"]
)
def test_nothing_that_a_terminal_obeys_is_printed(hostile: str) -> None:
    shown = printable(f"before{hostile}after")

    assert hostile not in shown
    assert "before" in shown
    assert "after" in shown


@given(st.text())
def test_a_covered_text_shows_no_letter(text: str) -> None:
    assert not any(c.isalpha() for c in masked(text))


def test_prose_that_repeats_the_content_is_covered_there() -> None:
    prose = "The words “I hope you all lose” wish harm; all the same it may be a game."

    assert without_content(prose, ["honestly I hope you all lose, noobs"]) == (
        "The words “• •••• ••• ••• ••••” wish harm; all the same it may be a game."
    )


def test_even_a_content_of_two_words_is_covered() -> None:
    assert without_content("It says “nasty thing”.", ["Nasty thing"]) == "It says “••••• •••••”."
    assert without_content("One nasty word.", ["Nasty thing"]) == "One nasty word."
