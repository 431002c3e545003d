from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.links.extract import find_links
from tools.links.spelling import defang, fold, refang


@given(st.text())
def test_a_folded_text_leads_back_to_the_original(text: str) -> None:
    folded = fold(text)

    assert len(folded.starts) == len(folded.text)
    assert list(folded.starts) == sorted(folded.starts)
    assert all(0 <= start < len(text) for start in folded.starts)


def test_a_span_covers_the_letters_that_it_came_from() -> None:
    text = "a\u200b ｂ\u00adｃ d"
    folded = fold(text)
    start, end = folded.span(folded.text.index("b"), folded.text.index("c") + 1)

    assert text[start:end] == "ｂ\u00adｃ"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.b",
        "http://1.2.3.4/",
        "ftp://files.example.com/x",
        "javascript:alert(1)",
    ],
)
def test_what_was_made_unclickable_is_no_link_and_can_be_read_back(url: str) -> None:
    shown = defang(url)

    assert not any(link.raw == url or not link.defanged for link in find_links(shown))
    assert refang(shown)[0] == url


def test_what_is_shown_holds_nothing_that_a_terminal_obeys() -> None:
    assert defang("http://example.com/\x1b[2J\u202e\n") == r"hxxp://example[.]com/\x1b[2J\u202e\n"


def test_what_is_shown_is_short() -> None:
    assert len(defang("https://example.com/" + "." * 5_000)) <= 101
