"""The parts of a long text: a violation in one sentence must not be thinned out by the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tools.classifier.tokens import Token

LONG_TOKENS = 48
"""A text of up to so many tokens is read as a whole and no other way."""
SHORTEST_PART = 8
LONGEST_PART = 32
_STEP = LONGEST_PART // 2
_LIKENESS = 3
"""The sentences of a text are alike: n of them are about as many chances as the cube root of n."""
_SENTENCE_END = re.compile(r"[.!?…。！？\n\r]")


def windows(text: str, found: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the token ranges that are scored: the whole text, then its sentences if it is long.

    Short sentences are joined, so that a sentence chopped into words is still read; long ones, and
    texts without a full stop, are cut into windows that overlap by half. `found` are the tokens
    of `text`.
    """
    whole = (0, len(found))
    if len(found) <= LONG_TOKENS:
        return [whole]
    return [whole, *(part for span in _sentences(text, found) for part in _cut(*span))]


def log_chances(parts: int) -> float:
    """Return the log of how many chances a text with so many sentences has to cross a line.

    >>> log_chances(0), log_chances(1), round(log_chances(100), 2)
    (0.0, 0.0, 1.54)
    """
    return math.log(max(parts, 1)) / _LIKENESS


def _sentences(text: str, found: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the sentences as token ranges; one that is too short runs on into the next."""
    spans: list[tuple[int, int]] = []
    start = 0
    for index in range(1, len(found)):
        between = text[found[index - 1].end - 1 : found[index].start]
        if index - start >= SHORTEST_PART and _SENTENCE_END.search(between):
            spans.append((start, index))
            start = index
    if spans and len(found) - start < SHORTEST_PART:
        start = spans.pop()[0]
    return [*spans, (start, len(found))]


def _cut(start: int, end: int) -> list[tuple[int, int]]:
    """Cut a range that is too long into overlapping ones.

    >>> _cut(0, 20), _cut(0, 50)
    ([(0, 20)], [(0, 32), (16, 48), (18, 50)])
    """
    if end - start <= LONGEST_PART:
        return [(start, end)]
    last = end - LONGEST_PART
    return [(at, at + LONGEST_PART) for at in [*range(start, last, _STEP), last]]
