"""Which rows belong together: near-duplicates, contrast pairs, templates.

Near-duplicates are found with min-hashing of word triples (Broder 1997): two texts that agree on
both minima of a band are put into one group.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tools.classifier.tokens import tokens
from training.classifier.rows import Row

_BANDS = 6
_ROWS_A_BAND = 2
_UNSPECIFIC = ("split:",)
"""Keys that describe a row without tying it to others."""


def groups(rows: Sequence[Row]) -> npt.NDArray[np.int64]:
    """Return a group number for each row; the same number means: same side of every fold."""
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_with: dict[str, int] = {}
    for index, row in enumerate(rows):
        for key in _keys(row):
            other = first_with.setdefault(key, index)
            parent[root(index)] = root(other)
    roots = [root(index) for index in range(len(rows))]
    return np.unique(np.asarray(roots), return_inverse=True)[1].astype(np.int64)


def folds(group: npt.NDArray[np.int64], count: int, *, salt: str = "") -> npt.NDArray[np.int64]:
    """Return a fold for each row; a group is never split, the assignment is a fixed hash."""
    return np.asarray([zlib.crc32(f"{salt}{g}".encode()) % count for g in group], dtype=np.int64)


def _keys(row: Row) -> list[str]:
    stated = [key for key in row.group_keys if not key.startswith(_UNSPECIFIC)]
    if row.source == "own":
        return stated
    return [*stated, *_near_duplicate_keys(row.group_text or row.text)]


def _near_duplicate_keys(text: str) -> list[str]:
    forms = [t.form for t in tokens(text) if not t.form.startswith(("#", "@", "<"))]
    if len(forms) < 4:  # noqa: PLR2004 - too short for triples: the words themselves
        return [f"exact:{' '.join(forms) or text}"]
    triples = {" ".join(forms[i : i + 3]) for i in range(len(forms) - 2)}
    hashed = np.asarray([zlib.crc32(t.encode("utf-8", "replace")) for t in triples], np.uint64)
    chance = np.random.default_rng(0)
    factors = chance.integers(1, 2**61, size=(_BANDS * _ROWS_A_BAND, 1), dtype=np.uint64)
    minima = ((hashed * (factors | np.uint64(1))) >> np.uint64(16)).min(axis=1)
    pairs = minima.reshape(_BANDS, _ROWS_A_BAND).tolist()
    return [f"near:{band}:{pair}" for band, pair in enumerate(pairs)]
