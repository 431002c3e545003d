"""From logits to probabilities, and from probabilities to lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.classifier.windows import log_chances
from training.classifier.learn import Answers, mixed_weights
from training.classifier.matrix import highest
from training.classifier.metrics import weighted_quantile

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_HIGH, _LOW = 0.01, 0.05


@dataclass(frozen=True)
class Platt:
    """sigmoid(logits * slopes + offset), fitted to held-out logits (Platt 1999)."""

    slopes: tuple[float, ...]
    offset: float

    def joined(self, logits: Reals) -> Reals:
        """Return one logit for each row of `logits` (rows by models)."""
        joined: Reals = logits @ np.asarray(self.slopes) + self.offset
        return joined

    def probability(self, logits: Reals) -> Reals:
        """Return the probability for each row of `logits` (rows by models)."""
        return sigmoid(self.joined(logits))


@dataclass(frozen=True)
class Calibration:
    """How the logits of a text's parts become the probability of the text.

    The parts of a long text are shifted down by `tail` times the log of their chances. Where the
    harmless texts over a logit fall off as exp(-logit / tail), the highest of n chances then
    exceeds a line as often as one text does (Bonferroni's correction for exponential tails).
    """

    platt: Platt
    tail: float

    def probability(self, parts: Reals, owner: Ints) -> Reals:
        """Return the probability of each text, by its highest part; see `matrix.Texts`."""
        return sigmoid(highest(self.platt.joined(parts) - self.tail * shifts(owner), owner))


def calibrate_parts(
    parts: Reals, owner: Ints, known: Answers, harmless: Flags, base_rate: float
) -> Calibration:
    """Fit the calibration of texts that are read by parts (parts by models)."""
    whole = parts[_first(owner)]
    once = calibrate(whole, known, base_rate)
    fine, source = once.joined(whole)[harmless], known.source[harmless]
    high, low = (_reached(fine, source, share) for share in (_HIGH, _LOW))
    tail = max(0.0, high - low) / math.log(_LOW / _HIGH)
    texts = highest(once.joined(parts) - tail * shifts(owner), owner)
    again = calibrate(texts[:, None], known, base_rate)
    scale = again.slopes[0]
    slopes = tuple(round(slope * scale, 5) for slope in once.slopes)
    offset = round(once.offset * scale + again.offset, 5)
    return Calibration(Platt(slopes, offset), round(max(0.0, tail * scale), 5))


def calibrate(logits: Reals, known: Answers, base_rate: float) -> Platt:
    """Fit Platt's sigmoid to logits of rows that their model has not seen.

    Public sets are 3 to 80 % positive, which says how they were collected and nothing about the
    cases that will come. So the rows are weighted: sets by the root of their size, positives to
    `base_rate` in all. A model that would speak against its own label is left out.
    """
    from sklearn.linear_model import LogisticRegression

    use = known.known
    weight = mixed_weights(known, base_rate)[use]
    kept = list(range(logits.shape[1]))
    while True:
        model = LogisticRegression(C=1e3, max_iter=1000)
        model.fit(logits[use][:, kept], known.y[use], sample_weight=weight)
        slopes = dict(zip(kept, model.coef_[0].tolist(), strict=True))
        worst = min(kept, key=slopes.__getitem__)
        if slopes[worst] >= 0 or len(kept) == 1:
            break
        kept.remove(worst)
    by_model = tuple(slopes.get(column, 0.0) for column in range(logits.shape[1]))
    return Platt(by_model, float(model.intercept_[0]))


def unseen_probabilities(  # noqa: PLR0913, PLR0917 - what a calibration needs, and the folds
    parts: Reals, owner: Ints, known: Answers, harmless: Flags, fold: Ints, base_rate: float
) -> Reals:
    """Return each text's probability by the calibration that was fitted without its fold."""
    probability = np.zeros(len(fold))
    for each in np.unique(fold).tolist():
        here = fold == each
        fitted = calibrate_parts(parts, owner, known.only(~here), harmless & ~here, base_rate)
        probability[here] = fitted.probability(parts, owner)[here]
    return probability


def line(probability: Reals, source: npt.NDArray[np.str_], share: float) -> float:
    """Return the probability that only `share` of harmless texts exceed; every set counts alike."""
    return math.ceil(_reached(probability, source, share) * 10_000) / 10_000


def shifts(owner: Ints) -> Reals:
    """Return for each part of a text the log of the chances that it is one of; 0 for the whole."""
    parts = np.bincount(owner) - 1
    chances = np.asarray([log_chances(count) for count in parts.tolist()])[owner]
    chances[_first(owner)] = 0.0
    return chances


def sigmoid(logits: Reals) -> Reals:
    """Return the probabilities of logits."""
    probability: Reals = 1.0 / (1.0 + np.exp(-logits))
    return probability


def _first(owner: Ints) -> Ints:
    return np.searchsorted(owner, np.arange(int(owner.max()) + 1))


def _reached(values: Reals, source: npt.NDArray[np.str_], share: float) -> float:
    _, place, sizes = np.unique(source, return_inverse=True, return_counts=True)
    return weighted_quantile(values, 1.0 / sizes[place], 1 - share)
