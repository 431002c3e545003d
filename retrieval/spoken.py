"""Emoji as words: a tokenizer that has never seen a pig's face still knows the words for it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_SKIPPED = frozenset("\u200d\ufe0f\ufe0e\u20e3")
_TONES = range(0x1F3FB, 0x1F400)
_LETTERS = range(0x1F1E6, 0x1F200)


@dataclass(frozen=True)
class Spoken:
    """A text with its emoji in words, and for each character its place in the original."""

    text: str
    origins: tuple[int, ...]


def spoken(text: str) -> Spoken:
    """Return `text` with every emoji written as its Unicode name in small letters.

    >>> spoken("you 🐖").text
    'you  pig '
    """
    if text.isascii():
        return Spoken(text, tuple(range(len(text))))
    characters: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        said = _said(character)
        characters.append(said)
        origins += [place] * len(said)
    return Spoken("".join(characters), tuple(origins))


def _said(character: str) -> str:
    code = ord(character)
    if character in _SKIPPED or code in _TONES:
        return ""
    if code in _LETTERS:
        return chr(code - 0x1F1E6 + ord("a"))
    if unicodedata.category(character) in {"So", "Sk"} and code > 0x2000:  # noqa: PLR2004 - signs
        return f" {unicodedata.name(character, '').lower()} "
    return character
