"""Find what may be a copy among a hundred thousand posts, without comparing it with each of them.

MinHash over runs of five characters with banded look-up (Broder 1997; Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", section 3.4). With 16 bands of 4 rows, a post that shares 70 %
of its runs with another is found with a chance of .99, one that shares 30 % with .12. What is found
is only a candidate: `is_copy` decides.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_RUN = 5
_BANDS, _ROWS = 16, 4
_PRIME = np.uint64((1 << 61) - 1)
_random = np.random.default_rng(20261101)
_FACTORS = _random.integers(1, 1 << 29, _BANDS * _ROWS, dtype=np.uint64)
_OFFSETS = _random.integers(0, 1 << 60, _BANDS * _ROWS, dtype=np.uint64)


def bands_of(text: str) -> list[tuple[int, bytes]]:
    """Return the bands of a text: two texts that share one may be copies."""
    runs = {text[at : at + _RUN] for at in range(max(1, len(text) - _RUN + 1))}
    hashes = np.fromiter((zlib.crc32(run.encode()) for run in runs), np.uint64, len(runs))
    least = _least(hashes).reshape(_BANDS, _ROWS)
    return [(number, band.tobytes()) for number, band in enumerate(least)]


def _least(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # A factor below 2^29 times a hash below 2^32 plus an offset below 2^60 stays within 64 bits.
    spread = (hashes[:, None] * _FACTORS[None, :] + _OFFSETS[None, :]) % _PRIME
    found: NDArray[np.uint64] = spread.min(axis=0)
    return found


class Nearby(Generic[T]):
    """The latest things that were put in, found by their text. Not safe to share unlocked."""

    def __init__(self, most: int) -> None:
        """Remember at most so many; what was not asked for the longest is forgotten first."""
        self._most = most
        self._kept: OrderedDict[int, tuple[T, list[tuple[int, bytes]]]] = OrderedDict()
        self._places: dict[tuple[int, bytes], dict[int, None]] = {}
        self._next = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._kept)

    def candidates(self, bands: list[tuple[int, bytes]]) -> Iterator[tuple[int, T]]:
        """Yield the number and the thing of each candidate once."""
        seen = {number: None for band in bands for number in self._places.get(band, ())}
        for number in seen:
            yield number, self._kept[number][0]

    def use(self, number: int) -> None:
        """Remember this one longer."""
        self._kept.move_to_end(number)

    def add(self, bands: list[tuple[int, bytes]], thing: T) -> int:
        """Remember a thing, and return its number."""
        number, self._next = self._next, self._next + 1
        self._kept[number] = (thing, bands)
        for band in bands:
            self._places.setdefault(band, {})[number] = None
        while len(self._kept) > self._most:
            self.forget(next(iter(self._kept)))
        return number

    def forget(self, number: int) -> None:
        """Drop a thing, if it is still there."""
        _, bands = self._kept.pop(number, (None, []))
        for band in bands:
            held = self._places[band]
            held.pop(number, None)
            if not held:
                del self._places[band]
