"""The words of a text in their normal form: what the classifier counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.classifier.emoji import emoji_words

GROUP = "<group>"
"""What every name of a group of people is read as."""

_SHORTEST_MASKED_NUMBER = 3
_SHORTEST_COUNTED_NUMBER = 5
_LONGEST_REMEMBERED = 40
_REMEMBERED = 65_536

# Zero-width characters inside a word do not end it: they are how a word is hidden from a filter.
_JOINERS = "\u00ad\u200b-\u200f\u2060\ufeff"
_KINDS = rf"""
      (?P<link>(?:https?://|www\.)[^\s<>"]+)
    | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}})
    | (?P<handle>@\w+)
    | (?P<number>\d(?:(?:[\d .()\-]|,(?=\d{{3}})){{0,24}}\d)?(?!\w))
    | (?P<word>[^\W_](?:[^\W_]|[{_JOINERS}]|['’*@$\-](?=[^\W_])|\*)*)
    | (?P<mark>[!?$£€%*#+=]+)
    | (?P<symbol>[^\w\s!-/:-@\[-`{{-~\x00-\x1f\x7f-\xbf‐-⁯{_JOINERS}])
    """
_KIND = re.compile(_KINDS, re.VERBOSE)
_TOKEN = re.compile(re.sub(r"\?P<\w+>", "?:", _KINDS), re.VERBOSE)
_DROPPED = re.compile(f"[{_JOINERS}]")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")


@dataclass(frozen=True)
class Token:
    """A word, number, link, mark or emoji: where it stands, and its normal form."""

    start: int
    end: int
    form: str


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` in order, with their offsets in characters.

    Plain punctuation is left out, because some training sets have none: a model would learn to
    recognise the set. An emoji is a token, and each of its words one more at the same place.
    """
    return [
        Token(match.start(), match.end(), form)
        for match in _TOKEN.finditer(text)
        for form in _forms_of(match.group())
    ]


def forms(text: str) -> list[str]:
    """Return the normal forms alone: the same as those of `tokens`, several times faster."""
    return [form for piece in _TOKEN.findall(text) for form in _forms_of(piece)]


def _forms_of(piece: str) -> tuple[str, ...]:
    return _remembered(piece) if len(piece) <= _LONGEST_REMEMBERED else _normal_forms(piece)


def _normal_forms(piece: str) -> tuple[str, ...]:
    match = _KIND.match(piece)
    kind = match.lastgroup if match else None
    if kind == "symbol":
        return _symbol_forms(piece)
    form = _FORMS[kind or "word"](piece)
    return (form,) if form else ()


_remembered = lru_cache(maxsize=_REMEMBERED)(_normal_forms)


def _word_form(word: str) -> str:
    plain = unicodedata.normalize("NFKC", _DROPPED.sub("", word)).casefold().replace("’", "'")
    form = "".join(_REPEATED.sub(r"\1\1", plain).split())
    return GROUP if form.removesuffix("'s") in _group_names() else form


@lru_cache(maxsize=1)
def _group_names() -> frozenset[str]:
    """The words of `groups.txt`."""
    lines = Path(__file__).with_name("groups.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _number_form(number: str) -> str:
    """Keep short numbers, and only the length of long ones: a phone number is not a word."""
    digits = sum(c.isdigit() for c in number)
    if digits < _SHORTEST_MASKED_NUMBER:
        return "".join(c for c in number if c.isdigit())
    return "0" * digits if digits < _SHORTEST_COUNTED_NUMBER else f"#{digits}"


def _symbol_forms(symbol: str) -> tuple[str, ...]:
    if unicodedata.category(symbol) in {"Mn", "Cf", "Cc", "Co", "Cn"}:
        return ()
    return (symbol, *emoji_words(symbol))


_FORMS: Mapping[str, Callable[[str], str]] = {
    "link": lambda _: "<link>",
    "email": lambda _: "<email>",
    "handle": lambda _: "@user",
    "number": _number_form,
    "word": _word_form,
    "mark": lambda marks: marks[:3],
}
