"""One linear model per label, and the scores it gives to texts that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from training.classifier.matrix import Texts, highest
from training.classifier.rows import ABSENT_SHARE, Row, in_share

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True)
class Recipe:
    """How a label's model is fitted; chosen by folds from a short list."""

    cost: float
    """Inverse strength of the L2 penalty."""
    positives: float | None
    """Share of the total weight that positive rows get; None leaves it as it is in the rows."""
    sizes: Literal["root", "full"] = "root"
    """Whether a set of n rows weighs as much as the square root of n, or as n."""
    emphasis: tuple[tuple[str, float], ...] = ()
    """Sets whose rows weigh so many times as much."""


@dataclass(frozen=True)
class Linear:
    """A fitted model: a weight for each feature, and a bias."""

    weights: Reals
    bias: float


@dataclass(frozen=True)
class Answers:
    """What is known of one label: for each row 1, 0 or `UNKNOWN`."""

    label: Signal
    y: Ints
    source: npt.NDArray[np.str_]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which rows the label is known of."""
        return np.asarray(self.y != UNKNOWN, dtype=np.bool_)

    def only(self, rows: npt.NDArray[np.bool_]) -> Answers:
        """The same answers, unknown outside `rows`."""
        return replace(self, y=np.where(rows, self.y, UNKNOWN))


def answers(rows: Sequence[Row], label: Signal) -> Answers:
    """Return what is known of `label`; of assumed absences only a fixed sample of each set."""
    assumed: dict[str, int] = {}
    for row in rows:
        if label in row.assumed:
            assumed[row.source] = assumed.get(row.source, 0) + 1
    y = [
        UNKNOWN
        if label in row.assumed and not in_share(row, ABSENT_SHARE / assumed[row.source])
        else row.known.get(label, UNKNOWN)
        for row in rows
    ]
    return Answers(label, np.asarray(y, dtype=np.int64), np.asarray([row.source for row in rows]))


def mixed_weights(
    known: Answers,
    positives: float | None,
    *,
    sizes: Literal["root", "full"] = "root",
    emphasis: Sequence[tuple[str, float]] = (),
) -> Reals:
    """Return a weight for each row, 0 where the label is unknown, 1 on average elsewhere.

    A set of n rows weighs as much as the square root of n, so that a large one does not drown the
    rest, or as n (`sizes`); `emphasis` multiplies sets; `positives` then sets the share of the
    positive rows.
    """
    weight = np.zeros(len(known.y))
    for source in np.unique(known.source[known.known]):
        here = known.known & (known.source == source)
        weight[here] = here.sum() ** -0.5 if sizes == "root" else 1.0
    for source, times in emphasis:
        weight[known.source == source] *= times
    if positives is not None:
        for value, share in ((1, positives), (0, 1 - positives)):
            weight[known.y == value] *= share / weight[known.y == value].sum()
    scaled: Reals = weight * known.known.sum() / weight.sum()
    return scaled


def fit(matrix: Any, known: Answers, recipe: Recipe) -> Linear:
    """Fit the logistic model of a label to the rows that it is known of."""
    from sklearn.linear_model import LogisticRegression

    use = np.flatnonzero(known.known)
    weight = mixed_weights(known, recipe.positives, sizes=recipe.sizes, emphasis=recipe.emphasis)[
        use
    ]
    model = LogisticRegression(C=recipe.cost, max_iter=300, tol=1e-3)
    model.fit(matrix[use], known.y[use], sample_weight=weight)
    return Linear(np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def fits_by_fold(
    matrix: Any, known: Answers, recipe: Recipe, fold: Ints
) -> Iterator[tuple[int, Linear]]:
    """Yield each fold with the model that was fitted without it."""
    for each in np.unique(fold).tolist():
        yield each, fit(matrix, known.only(fold != each), recipe)


def unseen_part_scores(texts: Texts, known: Answers, recipe: Recipe, fold: Ints) -> Reals:
    """Return the logit of every part of every text, by the model fitted without its fold."""
    scores = np.zeros(len(texts.owner))
    for each, model in fits_by_fold(texts.whole, known, recipe, fold):
        here = fold[texts.owner] == each
        scores[here] = texts.parts[here] @ model.weights + model.bias
    return scores


def choose(
    texts: Texts, known: Answers, recipes: Sequence[Recipe], fold: Ints, base_rate: float
) -> tuple[Recipe, Reals]:
    """Return the recipe with the best average precision on unseen rows, and its part scores."""
    from sklearn.metrics import average_precision_score

    use = known.known
    weight = mixed_weights(known, base_rate)[use]
    best, kept, kept_scores = -1.0, recipes[0], np.zeros(0)
    for recipe in recipes:
        scores = unseen_part_scores(texts, known, recipe, fold)
        by_text = highest(scores, texts.owner)[use]
        quality = float(average_precision_score(known.y[use], by_text, sample_weight=weight))
        if quality > best:
            best, kept, kept_scores = quality, recipe, scores
    return kept, kept_scores
