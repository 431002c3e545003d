"""How a text becomes numbers: words and word pairs, and the letters inside words, hashed.

The hash is a polynomial over Unicode code points in wrapping 64-bit arithmetic, finished with
splitmix64 (Steele et al. 2014): the same on every platform, and fast enough in plain numpy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float64]

_BASE = np.uint64(0x9E3779B97F4A7C15)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHORTEST_MASKED_NUMBER = 3
_SHORTEST_COUNTED_NUMBER = 5

# Zero-width characters inside a word do not end it: they are how a word is hidden from a filter.
_JOINERS = "\u00ad\u200b-\u200f\u2060\ufeff"
_TOKEN = re.compile(
    rf"""
      (?P<link>(?:https?://|www\.)[^\s<>"]+)
    | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}})
    | (?P<handle>@\w+)
    | (?P<number>\d(?:(?:[\d .()\-]|,(?=\d{{3}})){{0,24}}\d)?(?!\w))
    | (?P<word>[^\W_](?:[^\W_]|[{_JOINERS}]|['’*@$\-](?=[^\W_])|\*)*)
    | (?P<mark>[!?$£€%*#+=]+)
    | (?P<symbol>[^\w\s!-/:-@\[-`{{-~\x00-\x1f\x7f-\xbf‐-⁯{_JOINERS}])
    """,
    re.VERBOSE,
)
_DROPPED = re.compile(f"[{_JOINERS}]")


@dataclass(frozen=True)
class Token:
    """A word, number, link, mark or emoji: where it stands, and its normal form."""

    start: int
    end: int
    form: str


@dataclass(frozen=True)
class Shape:
    """How large the two hashing spaces are, and which letter runs are read."""

    char_bits: int
    word_bits: int
    char_lengths: tuple[int, ...] = (3, 4, 5)

    @property
    def size(self) -> int:
        """Number of features: the letter space, then the word space."""
        return (1 << self.char_bits) + (1 << self.word_bits)


@dataclass(frozen=True)
class Occurrences:
    """Every feature of a text, once for each time it occurs.

    `feature` is the index into the joint space (letters first), `token` the index of the token
    that the feature stands in, `partner` the other word of a word pair (else the same token).
    """

    feature: Ints
    token: Ints
    partner: Ints


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` in order, with their offsets in characters.

    Plain punctuation is left out, because some training sets have none: a model would learn to
    recognise the set. Emoji are tokens, one code point each.
    """
    found = []
    for match in _TOKEN.finditer(text):
        form = _FORMS[match.lastgroup or "word"](match.group())
        if form:
            found.append(Token(match.start(), match.end(), form))
    return found


@lru_cache(maxsize=65_536)
def _word_form(word: str) -> str:
    plain = unicodedata.normalize("NFKC", _DROPPED.sub("", word)).casefold().replace("’", "'")
    return "".join(plain.split())


def _number_form(number: str) -> str:
    """Keep short numbers, and only the length of long ones: a phone number is not a word."""
    digits = sum(c.isdigit() for c in number)
    if digits < _SHORTEST_MASKED_NUMBER:
        return "".join(c for c in number if c.isdigit())
    return "0" * digits if digits < _SHORTEST_COUNTED_NUMBER else f"#{digits}"


def _symbol_form(symbol: str) -> str:
    return "" if unicodedata.category(symbol) in {"Mn", "Cf", "Cc", "Co", "Cn"} else symbol


_FORMS: Mapping[str, Callable[[str], str]] = {
    "link": lambda _: "<link>",
    "email": lambda _: "<email>",
    "handle": lambda _: "@user",
    "number": _number_form,
    "word": _word_form,
    "mark": lambda marks: marks[:3],
    "symbol": _symbol_form,
}


def occurrences(forms: Sequence[str], shape: Shape) -> Occurrences:
    """Return the hashed features of a text given the normal forms of its tokens."""
    if not forms:
        nothing = np.zeros(0, dtype=np.int64)
        return Occurrences(nothing, nothing, nothing)
    padded = f" {' '.join(forms)} "
    points = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes = points.astype(np.uint64)
    spaces = codes == ord(" ")
    chars, char_tokens = _char_runs(codes, spaces, shape)
    words = _word_runs(codes, spaces, shape)
    order = np.arange(len(forms))
    return Occurrences(
        np.concatenate([chars, words]),
        np.concatenate([char_tokens, order, order[1:]]),
        np.concatenate([char_tokens, order, order[:-1]]),
    )


def _char_runs(codes: Hashes, spaces: npt.NDArray[np.bool_], shape: Shape) -> tuple[Ints, Ints]:
    """Hash every run of letters that lies in one word, its surrounding spaces included."""
    spaces_before = np.concatenate([[0], np.cumsum(spaces)])
    features, owners = [], []
    for length in shape.char_lengths:
        starts = len(codes) - length + 1
        if starts <= 0:
            continue
        inside = spaces_before[length - 1 : length - 1 + starts] - spaces_before[1 : 1 + starts]
        first = np.flatnonzero(inside == 0)
        hashed = np.full(len(first), length, dtype=np.uint64)
        for offset in range(length):
            hashed = hashed * _BASE + codes[first + offset]
        features.append(_slots(hashed, shape.char_bits))
        owners.append(spaces_before[first + 1] - 1)
    return np.concatenate(features), np.concatenate(owners).astype(np.int64)


def _word_runs(codes: Hashes, spaces: npt.NDArray[np.bool_], shape: Shape) -> Ints:
    """Hash every word, then every word with the one before it."""
    gaps = np.flatnonzero(spaces)
    lengths = np.diff(gaps) - 1
    powers = _powers(int(lengths.max()))
    place = np.arange(len(codes)) - np.repeat(gaps, np.diff(np.append(gaps, len(codes))))
    scaled = np.where(spaces, np.uint64(0), codes * powers[np.where(spaces, 0, place - 1)])
    words = _mixed(np.add.reduceat(scaled, gaps[:-1]))
    pairs = _mixed(words[:-1] * _PAIR + words[1:])
    return (1 << shape.char_bits) + _slots(np.concatenate([words, pairs]), shape.word_bits)


def _powers(longest: int) -> Hashes:
    return np.cumprod(np.full(longest + 1, _BASE, dtype=np.uint64), dtype=np.uint64)


def _mixed(hashed: Hashes) -> Hashes:
    once: Hashes = (hashed ^ (hashed >> np.uint64(30))) * _MIX_1
    twice: Hashes = (once ^ (once >> np.uint64(27))) * _MIX_2
    return twice ^ (twice >> np.uint64(31))


def _slots(hashed: Hashes, bits: int) -> Ints:
    return (_mixed(hashed) >> np.uint64(64 - bits)).astype(np.int64)


@dataclass(frozen=True)
class Vector:
    """The features of a text, each once, with its value."""

    feature: Ints
    value: Reals


def vector(found: Occurrences, idf: npt.NDArray[np.floating], shape: Shape) -> Vector:
    """Return damped counts times inverse document frequency, each space scaled to length one.

    A space without a feature stays empty, so an empty text is the zero vector.
    """
    feature, count = np.unique(found.feature, return_counts=True)
    value = (1.0 + np.log(count)) * idf[feature].astype(np.float64)
    border = int(np.searchsorted(feature, 1 << shape.char_bits))
    for part in (slice(None, border), slice(border, None)):
        length = float(np.sqrt(np.sum(value[part] ** 2)))
        if length > 0:
            value[part] = value[part] / length
    return Vector(feature, value)
