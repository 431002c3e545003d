"""A text is cut where people pause, never inside a number, a link or a disguised word."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.embedded.passages import passages
from agent.quotes import find_quote


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("I paid 0.1 coin to a.b.example today. It was a fraud!", 2),
        ("One sentence only", 1),
        ("No. Way. I will never go there again.", 1),
        ("First line here\nsecond line there", 2),
        ("Wait… what is this? “They are all the same.” Who said so?", 3),
        ("", 0),
        ("!!! ???", 0),
        ("word " * 500, 9),
    ],
)
def test_a_text_is_cut_into_what_may_be_quoted(text: str, quotes: int) -> None:
    assert len(passages({"text": text})) == quotes


def test_a_link_stays_whole() -> None:
    found = passages({"text": "Log in at http://paypa1.example/x?y=1 now. Thanks a lot friends."})

    assert found[0].quote == "Log in at http://paypa1.example/x?y=1 now."


@given(st.text(alphabet=st.sampled_from("ab .!?\n4@\u200bа€é\u0301"), max_size=80))
def test_every_passage_can_be_quoted_from_the_original(text: str) -> None:
    for passage in passages({"text": text}):
        assert passage.quote in text
        assert find_quote(passage.quote, text) or find_quote(text, text) is None


@pytest.mark.parametrize("unit", [".", "a.", "! ", "a.\n", '."', "…)"])
def test_hostile_repetition_costs_linear_time(unit: str) -> None:
    started = time.process_time()

    passages({"text": unit * (20_000 // len(unit))})

    assert time.process_time() - started < 5
