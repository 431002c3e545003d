"""Cut what may be quoted into passages: the pieces that are compared with the rules, and quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.quotes import find_quote, fold
from agent.reading_copy import reading_copy

FEWEST_WORDS = 3
"""A shorter sentence is read together with the one before it: "No way." says nothing alone."""
MOST_WORDS = 60
MOST_PASSAGES = 12
"""A text of more sentences is read in pieces of about `MOST_WORDS`, to keep long texts quick."""

_PAUSE = re.compile(r"[.!?…][\"”’)\]]{0,3}(?=\s|$)|[。！？\n]")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Passage:
    """A piece of one source: how it reads, and how it stands in the original."""

    source: str
    text: str
    """The undressed words, to be compared."""
    quote: str
    """The words of the original, to be quoted."""
    start: int
    """Offset of `text` in the reading copy of the source."""

    @property
    def end(self) -> int:
        """Offset behind `text` in the reading copy of the source."""
        return self.start + len(self.text)


def passages(sources: Mapping[str, str]) -> list[Passage]:
    """Return the passages of every source, in order; white space alone is none."""
    found: list[Passage] = []
    for source, original in sources.items():
        copy, folded = reading_copy(original), fold(original)
        for start, end in _cuts(copy.text):
            quote = copy.original[slice(*copy.original_span(start, end))].strip()
            if find_quote(quote, folded) is None:
                # A cut inside one character, as some marks allow, can only be quoted as a whole.
                quote = original.strip()
            found.append(Passage(source, copy.text[start:end], quote, start))
    return found


def _cuts(text: str) -> list[tuple[int, int]]:
    sentences = list(_joined(text, FEWEST_WORDS))
    if len(sentences) > MOST_PASSAGES:
        sentences = list(_joined(text, MOST_WORDS))
    return [cut for sentence in sentences for cut in _short_enough(text, sentence)]


def _joined(text: str, fewest: int) -> Iterator[tuple[int, int]]:
    """Sentences, each with as many of its neighbours as it takes to have `fewest` words."""
    start = 0
    for end in [*(match.end() for match in _PAUSE.finditer(text)), len(text)]:
        last = end == len(text)
        if len(_WORD.findall(text, start, end)) >= fewest or last:
            if any(c.isalnum() for c in text[start:end]):
                yield _trimmed(text, start, end)
            start = end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def _short_enough(text: str, cut: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """A passage without full stops is cut between words."""
    words = list(_WORD.finditer(text, *cut))
    for first in range(0, len(words), MOST_WORDS):
        last = words[min(first + MOST_WORDS, len(words)) - 1]
        yield words[first].start(), last.end()
