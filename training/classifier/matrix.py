"""The rows as sparse matrices, made by the very functions that run in the product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from tools.classifier.features import Shape, Vector, occurrences, tokens, vector
from tools.classifier.windows import windows

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    """Return the highest score of each owner; owners are numbered from 0 without a gap."""
    best = np.full(int(owner.max()) + 1, -np.inf)
    np.maximum.at(best, owner, part_scores)
    return best


def inverse_document_frequency(
    texts: Iterable[str], shape: Shape, *, rarest: int = 2
) -> npt.NDArray[np.float32]:
    """Return ln((1 + texts) / (1 + texts with the feature)) + 1, and 0 for rare features."""
    seen = np.zeros(shape.size, dtype=np.int64)
    total = 0
    for text in texts:
        found = occurrences([token.form for token in tokens(text)], shape)
        seen[np.unique(found.feature)] += 1
        total += 1
    idf = np.log((1 + total) / (1 + seen)) + 1
    return np.where(seen >= rarest, idf, 0.0).astype(np.float32)


def as_texts(texts: Sequence[str], shape: Shape, idf: npt.NDArray[np.floating]) -> Texts:
    """Return the matrices of `texts`."""
    vectors: list[Vector] = []
    owner: list[int] = []
    first: list[int] = []
    for index, text in enumerate(texts):
        found = tokens(text)
        forms = [token.form for token in found]
        first.append(len(vectors))
        for start, end in windows(text, found):
            vectors.append(vector(occurrences(forms[start:end], shape), idf, shape))
            owner.append(index)
    parts = _stacked(vectors, shape.size)
    return Texts(parts[first], parts, np.asarray(owner, dtype=np.int64))


def _stacked(vectors: Sequence[Vector], width: int) -> Any:
    ends = np.cumsum([0, *(len(each.feature) for each in vectors)])
    matrix = sparse.csr_matrix(
        (
            np.concatenate([each.value for each in vectors]).astype(np.float32),
            np.concatenate([each.feature for each in vectors]).astype(np.int32),
            ends,
        ),
        shape=(len(vectors), width),
    )
    matrix.eliminate_zeros()
    return matrix
