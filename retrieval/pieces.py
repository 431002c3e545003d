"""Cut a long text into pieces of some sentences: one that matters must not be lost in a page."""

from __future__ import annotations

from collections.abc import Iterator

LONG = 80
"""A text of more words is cut."""
PIECE = 60
"""Words of a piece, about."""
MOST_PIECES = 24
"""A very long text is cut into longer pieces, and not into more."""


def pieces(text: str) -> Iterator[str]:
    """Yield the pieces of a long text, none of a shorter one; nothing is left out.

    A piece ends with a sentence where one ends in its second half.

    >>> list(pieces("Just a few words."))
    []
    """
    words = text.split()
    if len(words) <= LONG:
        return
    size = max(PIECE, -(-len(words) // MOST_PIECES))
    start = 0
    for end, word in enumerate(words, start=1):
        length = end - start
        if length >= size or (length >= size // 2 and word[-1] in ".!?…"):
            yield " ".join(words[start:end])
            start = end
    if start < len(words):
        yield " ".join(words[start:])
