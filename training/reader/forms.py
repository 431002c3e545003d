"""Rules about how a post looks: the text itself answers them, so there is no end of them."""

from __future__ import annotations

import re
from pathlib import Path

from training.reader.texts import Spans

LONG = 20
_NEVER = re.compile(r"(?!)")
_PATTERNS = {
    "link": re.compile(r"(?:https?|hxxps?)://\S+|www\.\S+|\b[\w-]+\.(?:com|org|net|example)\b\S*"),
    "emoji": re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2764]"),
    "hashtag": re.compile(r"#\w+"),
    "mention": re.compile(r"@\w+|<user>"),
    "number": re.compile(r"\d+|<number>"),
    "question": re.compile(r"\?"),
    "shouting": re.compile(r"\b[A-Z]{4,}\b"),
    "exclamation": re.compile(r"!+"),
    "quoted": re.compile(r"[\"“][^\"”]+[\"”]"),
    "money": re.compile(r"[$£€]\s?\d[\d.,]*|\b\d+ (?:dollars|euros|pounds|quid)\b"),
    "self": re.compile(r"\b(?:I|I'm|I've|i'm|i|my|My|me|mine)\b"),
}
FORMS = (*_PATTERNS, "long")
_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(Path(__file__).with_name("common_words.txt").read_text("utf-8").split())


def answer(form: str, text: str) -> tuple[bool, Spans]:
    """Return whether a text has a form, and where."""
    if form == "long":
        return len(text.split()) > LONG, ()
    spans = tuple(match.span() for match in _PATTERNS.get(form, _NEVER).finditer(text))
    return bool(spans), spans


def telling_words(text: str) -> list[str]:
    """Return the words of a text that a rule may name."""
    return [word for word in _WORD.findall(text) if word.lower() not in _COMMON]


def places(word: str, text: str) -> Spans:
    """Return where a word, or one that begins with it, stands in a text, in any case."""
    pattern = re.compile(rf"\b{re.escape(word)}\w*", re.IGNORECASE)
    return tuple(match.span() for match in pattern.finditer(text))
