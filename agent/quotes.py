"""Find a quote in a text word for word, and say where it stands.

A quote is the ground of a verdict, so the match is strict about words and lenient about their
dress: Unicode forms (NFC, NFD, NFKC, NFKD), smart quotes, dashes, runs of white space, invisible
characters and the case of the first letter. A dropped, added, exchanged or reordered word, and half
a word, is never a match.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_DRESS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′‹›`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_HYPHENS = frozenset("-‐‑")
_UNSPACED_SCRIPTS = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
)


@dataclass(frozen=True)
class Folded:
    """A text without its dress, and for each of its characters where it stood in the original."""

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def fold(text: str) -> Folded:
    """Return `text` decomposed, with plain quotes and dashes and single spaces."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        plain = unicodedata.normalize("NFKD", text[start:end]).translate(_DRESS)
        for character in plain:
            if character.isspace():
                if characters and characters[-1] == " ":
                    ends[-1] = end
                    continue
                character = " "  # noqa: PLW2901 - every white space is one space
            elif _invisible(character):
                continue
            characters.append(character)
            starts.append(start)
            ends.append(end)
    return Folded(text, "".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Split into a character and the combining marks on it: what normalisation may reorder."""
    clusters: list[tuple[int, int]] = []
    for position, character in enumerate(text):
        if clusters and unicodedata.combining(character):
            clusters[-1] = (clusters[-1][0], position + 1)
        else:
            clusters.append((position, position + 1))
    return clusters


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Mn"} and not unicodedata.combining(character)


def find_quote(quote: str, text: str | Folded) -> tuple[int, int] | None:
    """Return the offsets of the first place where `quote` stands in `text`, or None.

    A blank quote stands nowhere: a ground without words is no ground.
    """
    spans = quote_spans(quote, text, limit=1)
    return spans[0] if spans else None


def quote_spans(quote: str, text: str | Folded, *, limit: int = 100) -> list[tuple[int, int]]:
    """Return the offsets `(start, end)` of every place where `quote` stands in `text`."""
    needle = fold(quote).text.strip(" ")
    if not needle:
        return []
    folded = text if isinstance(text, Folded) else fold(text)
    spans: list[tuple[int, int]] = []
    for variant in _first_letter_variants(needle):
        at = folded.text.find(variant)
        while at >= 0 and len(spans) < limit:
            if _stands_alone(folded, at, at + len(variant)):
                spans.append((folded.starts[at], folded.ends[at + len(variant) - 1]))
            at = folded.text.find(variant, at + 1)
    return sorted(set(spans))[:limit]


def _first_letter_variants(needle: str) -> set[str]:
    for position, character in enumerate(needle):
        if character.isalpha():
            head, tail = needle[:position], needle[position + 1 :]
            return {needle, head + character.lower() + tail, head + character.upper() + tail}
    return {needle}


def _stands_alone(folded: Folded, start: int, end: int) -> bool:
    """Whether the match begins and ends between words, and between whole characters."""
    return not (_joined(folded, start - 1, start) or _joined(folded, end - 1, end))


def _joined(folded: Folded, left: int, right: int) -> bool:
    """Whether two neighbouring characters belong to one character or to one word.

    An apostrophe or a hyphen inside a word joins it: "can" is no quote of "can't", and "violent"
    none of "non-violent". A dash between words does not.
    """
    if left < 0 or right >= len(folded.text):
        return False
    if folded.starts[left] == folded.starts[right]:
        return True
    if _in_word(folded, left) and _in_word(folded, right):
        return True
    return (_links(folded, left) and _in_word(folded, left - 1) and _in_word(folded, right)) or (
        _links(folded, right) and _in_word(folded, left) and _in_word(folded, right + 1)
    )


def _links(folded: Folded, position: int) -> bool:
    if not 0 <= position < len(folded.text):
        return False
    if folded.text[position] == "'":
        return True
    return folded.original[folded.starts[position]] in _HYPHENS


def _in_word(folded: Folded, position: int) -> bool:
    if not 0 <= position < len(folded.text):
        return False
    character = folded.text[position]
    return bool(character.isalnum() or unicodedata.combining(character)) and not _unspaced(
        character
    )


def _unspaced(character: str) -> bool:
    """Whether the script of this character puts no spaces between words."""
    return unicodedata.name(character, "").startswith(_UNSPACED_SCRIPTS)
