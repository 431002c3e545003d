"""The words that can be read at all, the commonest first: the sentence model's own vocabulary.

A vocabulary of word pieces is listed by how often each stood in the text that it was made from. By
Zipf's law the rank alone then says how likely a word is, which is enough to choose between two
readings of a disguised word, and to find the words again in a run of letters (Norvig 2009).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

_LONGEST = 20
"""Letters of the longest word that is looked for in a run."""

_RANK_OF_CONTRACTIONS = 300

_WORD, _FLAT = 2.0, 8.0
"""What a known word costs beside the log of its rank, and how far the first ranks are alike."""

_UNKNOWN_WORD, _UNKNOWN_LETTER = 12.0, 2.0
"""What an unknown word costs, and each of its letters."""

_SHORT = "a i am an as at be by do go he if in is it me my no of oh ok on or so to up us we"
"""Words of one or two letters; in the vocabulary stand all letters and many syllables."""

_CONTRACTIONS = "dont cant wont didnt doesnt isnt arent wasnt im ive youre theyre thats"
"""Written as people write them in a hurry; the vocabulary has their halves."""


def rank(word: str) -> int | None:
    """Return the place of a word among all known ones, 0 for the commonest; None if unknown."""
    return _ranks().get(_plainly(word))


def is_known(word: str) -> bool:
    """Whether a word can be read."""
    return _plainly(word) in _ranks()


def commonest(words: list[str]) -> str | None:
    """Return the word of the highest rank, or None if none is known; of equals the first."""
    known = [word for word in words if is_known(word)]
    return min(known, key=lambda word: _ranks()[_plainly(word)], default=None)


def words_in(run: str) -> list[str]:
    """Return the likeliest words that a run of letters without gaps is made of.

    >>> words_in("killthemall")
    ['kill', 'them', 'all']
    """
    best = [(0.0, 0)]
    for end in range(1, len(run) + 1):
        starts = range(max(0, end - _LONGEST), end)
        best.append(min((best[start][0] + _cost(run[start:end]), start) for start in starts))
    words = []
    end = len(run)
    while end:
        start = best[end][1]
        words.append(run[start:end])
        end = start
    return words[::-1]


def _cost(word: str) -> float:
    place = rank(word)
    if place is None:
        return _UNKNOWN_WORD + _UNKNOWN_LETTER * len(word)
    return _WORD + math.log(place + _FLAT)


def _plainly(word: str) -> str:
    return word.lower().replace("'", "").replace("’", "")


@lru_cache(maxsize=1)
def _ranks() -> Mapping[str, int]:
    text = (files("models") / "embedder" / "tokenizer.json").read_text(encoding="utf-8")
    vocabulary: dict[str, int] = json.loads(text)["model"]["vocab"]
    by_place = sorted(vocabulary, key=vocabulary.__getitem__)
    words = [w for w in by_place if w.isascii() and w.isalpha() and _is_word(w)]
    ranks = {word: place for place, word in enumerate(words)}
    return ranks | dict.fromkeys(_CONTRACTIONS.split(), _RANK_OF_CONTRACTIONS)


def _is_word(piece: str) -> bool:
    return len(piece) > 2 or piece in _SHORT.split()  # noqa: PLR2004 - shorter ones are listed
