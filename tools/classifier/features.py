"""How texts become numbers: words and word pairs, and the letters inside words, hashed.

Many texts are done at once, because numpy is slow to start and fast to run. The hash is a
polynomial over Unicode code points in wrapping 64-bit arithmetic, finished with splitmix64 (Steele
et al. 2014): the same on every platform. What a text becomes does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float32]

_BASE = np.uint64(0x9E3779B97F4A7C15)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Shape:
    """How large the two hashing spaces are, and which letter runs are read."""

    char_bits: int
    word_bits: int
    char_lengths: tuple[int, ...] = (3, 4, 5)

    @property
    def border(self) -> int:
        """The first feature of the word space."""
        return 1 << self.char_bits

    @property
    def size(self) -> int:
        """Number of features: the letter space, then the word space."""
        return self.border + (1 << self.word_bits)


@dataclass(frozen=True)
class Occurrences:
    """Every feature of some texts, once for each time it occurs.

    `feature` is the index into the joint space (letters first), `token` the index of the token
    that the feature stands in, counted through all texts, `partner` the other word of a word pair
    (else the same token), `owner` the text.
    """

    feature: Ints
    token: Ints
    partner: Ints
    owner: Ints


def occurrences(texts: Sequence[Sequence[str]], shape: Shape) -> Occurrences:
    """Return the hashed features of texts given the normal forms of their tokens."""
    lengths = np.asarray([len(forms) for forms in texts], dtype=np.int64)
    forms = [form for text in texts for form in text]
    if not forms:
        nothing = np.zeros(0, dtype=np.int64)
        return Occurrences(nothing, nothing, nothing, nothing)
    owner = np.repeat(np.arange(len(texts)), lengths)
    padded = f" {' '.join(forms)} "
    codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    spaces = codes == ord(" ")
    chars, char_tokens = _char_runs(codes, spaces, shape)
    words, pairs = _word_runs(codes, spaces, shape)
    order = np.arange(len(forms))
    together = np.flatnonzero(owner[1:] == owner[:-1])
    token = np.concatenate([char_tokens, order, together + 1])
    return Occurrences(
        np.concatenate([chars, words, pairs[together]]),
        token,
        np.concatenate([char_tokens, order, together]),
        owner[token],
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


def _word_runs(codes: Hashes, spaces: npt.NDArray[np.bool_], shape: Shape) -> tuple[Ints, Ints]:
    """Hash every word, and every word with the one before it."""
    gaps = np.flatnonzero(spaces)
    lengths = np.diff(gaps) - 1
    powers = _powers(int(lengths.max()))
    place = np.arange(len(codes)) - np.repeat(gaps, np.diff(np.append(gaps, len(codes))))
    scaled = np.where(spaces, np.uint64(0), codes * powers[np.where(spaces, 0, place - 1)])
    words = _mixed(np.add.reduceat(scaled, gaps[:-1]))
    pairs = _mixed(words[:-1] * _PAIR + words[1:])
    bits = shape.word_bits
    return shape.border + _slots(words, bits), shape.border + _slots(pairs, bits)


def _powers(longest: int) -> Hashes:
    return np.cumprod(np.full(longest + 1, _BASE, dtype=np.uint64), dtype=np.uint64)


def _mixed(hashed: Hashes) -> Hashes:
    once: Hashes = (hashed ^ (hashed >> np.uint64(30))) * _MIX_1
    twice: Hashes = (once ^ (once >> np.uint64(27))) * _MIX_2
    return twice ^ (twice >> np.uint64(31))


def _slots(hashed: Hashes, bits: int) -> Ints:
    return (_mixed(hashed) >> np.uint64(64 - bits)).astype(np.int64)


@dataclass(frozen=True)
class Vectors:
    """The features of some texts, each once a text, with its value; ordered by text and feature."""

    feature: Ints
    value: Reals
    owner: Ints


def vectors(found: Occurrences, idf: npt.NDArray[np.floating], shape: Shape) -> Vectors:
    """Return damped counts times inverse document frequency, each space scaled to length one.

    A space without a feature stays empty, so an empty text is the zero vector.
    """
    key, count = np.unique(found.owner * shape.size + found.feature, return_counts=True)
    owner, feature = np.divmod(key, shape.size)
    value = (1.0 + np.log(count)) * idf[feature]
    space = owner * 2 + (feature >= shape.border)
    length = np.sqrt(np.bincount(space, value**2))[space]
    scaled = np.divide(value, length, out=np.zeros_like(value), where=length > 0)
    return Vectors(feature, scaled.astype(np.float32), owner)


def weighed(seen: Vectors, weights: Reals, texts: int) -> npt.NDArray[np.float64]:
    """Return the sums of the features' weights: texts by labels, zero for an empty text."""
    sums = np.zeros((texts, weights.shape[1]))
    if len(seen.owner):
        first = np.flatnonzero(np.diff(seen.owner, prepend=-1))
        parts = weights[seen.feature] * seen.value[:, None]
        sums[seen.owner[first]] = np.add.reduceat(parts, first, axis=0)
    return sums
