"""From logits to probabilities, and from probabilities to lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.classifier.learn import Answers, mixed_weights
from training.classifier.metrics import weighted_quantile

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Platt:
    """sigmoid(logits * slopes + offset), fitted to held-out logits (Platt 1999)."""

    slopes: tuple[float, ...]
    offset: float

    def probability(self, logits: Reals) -> Reals:
        """Return the probability for each row of `logits` (rows by models)."""
        joined: Reals = logits @ np.asarray(self.slopes) + self.offset
        return 1.0 / (1.0 + np.exp(-joined))


def calibrate(logits: Reals, known: Answers, base_rate: float) -> Platt:
    """Fit Platt's sigmoid to logits of rows that their model has not seen.

    Public sets are 3 to 80 % positive, which says how they were collected and nothing about the
    cases that will come. So the rows are weighted: sets by the root of their size, positives to
    `base_rate` in all.
    """
    from sklearn.linear_model import LogisticRegression

    use = known.known
    model = LogisticRegression(C=1e3, max_iter=1000)
    model.fit(logits[use], known.y[use], sample_weight=mixed_weights(known, base_rate)[use])
    slopes = tuple(round(float(slope), 5) for slope in model.coef_[0])
    return Platt(slopes, round(float(model.intercept_[0]), 5))


def unseen_probabilities(logits: Reals, known: Answers, fold: Ints, base_rate: float) -> Reals:
    """Return each row's probability by the calibration that was fitted without its fold."""
    probability = np.zeros(len(logits))
    for each in np.unique(fold).tolist():
        here = fold == each
        fitted = calibrate(logits, known.only(~here), base_rate)
        probability[here] = fitted.probability(logits[here])
    return probability


def line(probability: Reals, source: npt.NDArray[np.str_], share: float) -> float:
    """Return the probability that only `share` of harmless texts exceed; every set counts alike."""
    _, place, sizes = np.unique(source, return_inverse=True, return_counts=True)
    reached = weighted_quantile(probability, 1.0 / sizes[place], 1 - share)
    return math.ceil(reached * 10_000) / 10_000
