"""The rows as sparse matrices, made by the very functions that run in the product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from tools.classifier.features import Shape, occurrences, vectors
from tools.classifier.model import text_parts
from tools.classifier.tokens import forms

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_BATCH = 512


@dataclass(frozen=True)
class Texts:
    """What a model learns from and is asked about."""

    whole: Any
    """CSR matrix, texts by features: each text as a whole, which is what is learned from."""
    parts: Any
    """CSR matrix, parts by features: whole texts and the sentences of long ones."""
    owner: Ints
    """The text that each row of `parts` belongs to."""

    def scores(self, weights: npt.NDArray[np.floating], bias: float) -> Reals:
        """Return the logit of each text: the highest of its parts, as in the product."""
        return highest(np.asarray(self.parts @ weights + bias, dtype=np.float64), self.owner)


def highest(part_scores: Reals, owner: Ints) -> Reals:
    """Return the highest score of each owner, or of each owner and column.

    Owners are numbered from 0 without a gap.
    """
    best = np.full((int(owner.max()) + 1, *part_scores.shape[1:]), -np.inf)
    np.maximum.at(best, owner, part_scores)
    return best


def inverse_document_frequency(
    texts: Iterable[str], shape: Shape, *, rarest: int = 2
) -> npt.NDArray[np.float32]:
    """Return ln((1 + texts) / (1 + texts with the feature)) + 1, and 0 for rare features."""
    seen = np.zeros(shape.size, dtype=np.int64)
    total = 0
    for batch in batched(texts, _BATCH):
        found = occurrences([forms(text) for text in batch], shape)
        once = np.unique(found.owner * shape.size + found.feature) % shape.size
        seen += np.bincount(once, minlength=shape.size)
        total += len(batch)
    idf = np.log((1 + total) / (1 + seen)) + 1
    return np.where(seen >= rarest, idf, 0.0).astype(np.float32)


def as_texts(texts: Sequence[str], shape: Shape, idf: npt.NDArray[np.floating]) -> Texts:
    """Return the matrices of `texts`."""
    owner, stacked = [], []
    for start in range(0, len(texts), _BATCH):
        parts = [text_parts(text) for text in texts[start : start + _BATCH]]
        owner += [start + n for n, some in enumerate(parts) for _ in some]
        stacked.append(_rows([part.forms for some in parts for part in some], shape, idf))
    matrix = sparse.vstack(stacked, format="csr")
    owners = np.asarray(owner, dtype=np.int64)
    return Texts(matrix[np.searchsorted(owners, np.arange(len(texts)))], matrix, owners)


def _rows(texts: Sequence[Sequence[str]], shape: Shape, idf: npt.NDArray[np.floating]) -> Any:
    seen = vectors(occurrences(texts, shape), idf, shape)
    ends = np.searchsorted(seen.owner, np.arange(len(texts) + 1))
    columns = seen.feature.astype(np.int32)
    matrix = sparse.csr_matrix((seen.value, columns, ends), shape=(len(texts), shape.size))
    matrix.eliminate_zeros()
    return matrix


def batched(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield the texts in lists of at most `size`.

    >>> list(batched("abc", 2))
    [['a', 'b'], ['c']]
    """
    waiting = iter(texts)
    while batch := list(islice(waiting, size)):
        yield batch
