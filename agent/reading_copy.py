"""The reading copy: the content as a person would read it, beside the untouched original.

People hide words from machines by dressing them: look-alike letters, digits for letters, letters
spaced out, in brackets, repeated or from right to left, invisible characters. The copy takes the
dress off (`agent.undressing`) so that retrieval and the classifier see the words; every character
of it remembers where it came from, so that a quote is always taken from the original. Both texts
are judged: undressing may only add to what is seen.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from agent.undressing import Characters, latin_twin, undressed

__all__ = ["ReadingCopy", "latin_twin", "reading_copy"]


@dataclass(frozen=True)
class ReadingCopy:
    """The undressed text, and for each of its characters its place in the original."""

    original: str
    text: str
    origins: tuple[int, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was undressed."""
        return self.text != self.original

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the original.

        Of a word that was written backwards, any part stands for the letters at its place.
        """
        if start >= end:
            raise ValueError(f"an empty span: {start}, {end}")
        last = self.origins[end - 1]
        following = next((o for o in self.origins[end:] if o > last), len(self.original))
        tail = self.original[last + 1 : following]
        keep = next((i for i, c in enumerate(tail) if not unicodedata.combining(c)), len(tail))
        return self.origins[start], last + 1 + keep


def reading_copy(text: str) -> ReadingCopy:
    """Return the reading copy of `text`; plain text comes back unchanged."""
    characters: Characters = undressed(list(zip(text, range(len(text)), strict=True)))
    return ReadingCopy(text, "".join(c for c, _ in characters), tuple(o for _, o in characters))
