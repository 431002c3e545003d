"""A quote is found when it stands there word for word, however it is dressed; otherwise never."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.quotes import find_quote, quote_spans

RULE = (
    "Do not post a person's home address — “for safety”, as a joke, or in anger. "
    "It isn't non-violent."
)


@pytest.mark.parametrize(
    "quote",
    [
        "Do not post a person's home address",
        "do not post a person’s home address",
        'home address - "for safety", as a joke',
        "home address \u2014 \u201cfor\u00a0safety\u201d",
        "as  a\n joke,",
        "as a\u200b joke",
        "It isn’t non‑violent.",
        "in anger.",
    ],
)
def test_the_dress_of_a_quote_does_not_matter(quote: str) -> None:
    span = find_quote(quote, RULE)

    assert span is not None
    assert RULE[slice(*span)][:2].lower() == quote[:2].lower()


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " \u200b\n",
        "Do post a person's home address",
        "not post person's home address",
        "home a person's address",
        "post a person's home addres",
        "ost a person's home address",
        "Post a PERSON'S home address",
        "violent",
        "It is",
        "non",
    ],
)
def test_a_changed_word_or_half_a_word_is_not_a_quote(quote: str) -> None:
    assert find_quote(quote, RULE) is None


def test_offsets_point_into_the_untouched_text() -> None:
    text = "a\u200b\u00e9t\u00e9   “ok” ﬁne"
    span = find_quote('e\u0301te\u0301 "ok" fine', text.replace("a\u200b", "a "))

    assert span is not None
    assert text.replace("a\u200b", "a ")[slice(*span)] == "\u00e9t\u00e9   “ok” ﬁne"


def test_a_base_letter_is_no_quote_of_the_accented_one() -> None:
    assert find_quote("re\u0301sume", "r\u00e9sum\u00e9") is None
    assert find_quote("resume", "r\u00e9sum\u00e9") is None


def test_scripts_without_spaces_can_be_quoted_in_parts() -> None:
    assert find_quote("銀行口座", "あなたの銀行口座を送ってください") == (4, 8)


def test_every_place_of_a_repeated_quote_is_found() -> None:
    assert quote_spans("go away", "Go away. I said go away! go awayy") == [(0, 7), (16, 23)]


@given(st.text(max_size=80), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_text_is_a_quote_of_itself_in_every_unicode_form(text: str, form: str) -> None:
    quote = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    if not text.strip() or find_quote(text, text) is None:
        return

    assert find_quote(quote, text) is not None


@given(st.text(max_size=80), st.text(max_size=20))
def test_a_found_quote_lies_inside_the_text(text: str, quote: str) -> None:
    for start, end in quote_spans(quote, text):
        assert 0 <= start < end <= len(text)
