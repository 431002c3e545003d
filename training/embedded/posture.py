"""Fit the posture of a text on the rulebook's own examples and the development cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from agent.embedded.posture import BUCKETS, POSTURE_FILE, Floats, Posture, word_features
from policies.rulebook import Rulebook

STRENGTH = 3.0
"""Inverse L2 penalty; 1, 3 and 10 were tried on folds of the development cases."""


@dataclass(frozen=True)
class Example:
    """A text with its vector, and whether it breaks a rule."""

    text: str
    vector: Floats
    violates: bool
    weight: float = 1.0


def rule_texts(rulebook: Rulebook) -> list[tuple[str, bool]]:
    """Return every example of the rulebook, and the side on which it stands."""
    sections = rulebook.sections
    return [(text, True) for section in sections for text in section.violates] + [
        (text, False) for section in sections for text in section.allowed
    ]


def fit_posture(examples: Sequence[Example]) -> Posture:
    """Return the weights that tell the two sides apart."""
    model = LogisticRegression(C=STRENGTH, max_iter=5000)
    model.fit(
        _matrix(examples),
        [example.violates for example in examples],
        sample_weight=[example.weight for example in examples],
    )
    # What ships is half precision, so what is measured is as well.
    weights = model.coef_[0].astype(np.float16).astype(np.float32)
    return Posture("fitted", weights[:BUCKETS], weights[BUCKETS:], float(model.intercept_[0]))


def out_of_fold(
    cases: Sequence[Example], others: Sequence[Example], folds: NDArray[np.int64]
) -> list[float]:
    """Return the log-odds of each case from weights that have not seen its fold."""
    told = [0.0] * len(cases)
    for fold in np.unique(folds):
        seen = [case for case, its in zip(cases, folds, strict=True) if its != fold]
        posture = fit_posture([*seen, *others])
        for number, case in enumerate(cases):
            if folds[number] == fold:
                told[number] = posture.log_odds(case.text, case.vector)
    return told


def ship(posture: Posture, folder: Path) -> None:
    """Write the weights as plain arrays."""
    np.savez_compressed(
        folder / POSTURE_FILE,
        words=posture.words.astype(np.float16),
        meaning=posture.meaning.astype(np.float16),
        bias=np.array([posture.intercept], np.float32),
    )


def _matrix(examples: Sequence[Example]) -> csr_matrix:
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, example in enumerate(examples):
        buckets, weights = word_features(example.text)
        columns += [*buckets.tolist(), *range(BUCKETS, BUCKETS + len(example.vector))]
        values += [*weights.tolist(), *example.vector.tolist()]
        rows += [row] * (len(buckets) + len(example.vector))
    width = BUCKETS + len(examples[0].vector)
    return csr_matrix((values, (rows, columns)), shape=(len(examples), width))
