"""The comparisons that others report: any category of harm, and hate on the official splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from training.classifier.learn import Answers, Linear, Recipe, answers, fit, fits_by_fold
from training.classifier.matrix import highest
from training.classifier.metrics import Estimate, auc_score, average_precision_score, estimate
from training.classifier.train import HEADS_RECIPE, Material, Trained, Unseen

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ANY_OF: tuple[Signal, ...] = ("hate", "harassment", "violence", "self_harm", "sexual")
"""The labels that the moderation development set annotates."""

_TEST_SHARE = 0.2
_PLAIN_COST = 2.0
_ALONE = Recipe(20.0, None)
_MOST_PLAIN = 20_000
"""Rows up to which the plain model is fitted beside ours: it takes minutes on more."""


def any_category(trained: Trained) -> Mapping[str, Mapping[str, Estimate]]:
    """Return the AUPRC of "any category" by way of reading and by rows; five folds, unseen.

    On all rows a label that nobody annotated counts as absent; the rows where all five are known
    are fewer, half of them harmful, and what the literature measures.
    """
    asked = asked_for_any(trained)
    scores = _any_scores(trained, asked)
    return {name: any_estimates(asked, score) for name, score in scores.items()}


@dataclass(frozen=True)
class Asked:
    """The rows of the moderation set, and whether each is harmful in any way."""

    here: Ints
    """Their numbers among the rows of the material."""
    y: Ints
    full: Flags
    """Where all five labels are known."""
    group: Ints
    fold: Ints


def asked_for_any(trained: Trained) -> Asked:
    """Return the rows of the moderation set."""
    material = trained.material
    here = np.flatnonzero([row.source == "openai_moderation" for row in material.rows])
    known = [material.rows[i].known for i in here.tolist()]
    return Asked(
        here,
        np.asarray([any(k.get(label) == 1 for label in ANY_OF) for k in known]).astype(np.int64),
        np.asarray([all(label in k for label in ANY_OF) for k in known]),
        material.group[here],
        material.fold[here],
    )


def any_estimates(asked: Asked, score: Reals) -> Mapping[str, Estimate]:
    """Return the AUPRC of a score on all rows and on those with all labels."""
    full = asked.full
    return {
        "all rows": estimate(average_precision_score, asked.y, score, group=asked.group),
        "all five labels known": estimate(
            average_precision_score, asked.y[full], score[full], group=asked.group[full]
        ),
    }


def _any_scores(trained: Trained, asked: Asked) -> Mapping[str, Reals]:
    material, here = trained.material, asked.here
    best = trained.best
    letters = by_folds(material.ngrams.whole[here], asked, _ALONE)
    scores = {
        "highest of five labels, without the encoder": _highest(trained.plain, here),
        "one n-gram model of any category, trained on that set alone": letters,
        "highest of five labels": _highest(best, here),
        "1 − the product of (1 − p) over five labels": _either(best, here),
    }
    if material.meanings:
        scores["two models of any category, over n-grams and over the encoder, added up"] = evenly(
            any_views(trained, asked)
        )
    return scores


def any_views(trained: Trained, asked: Asked) -> list[Reals]:
    """Return what two models of any category say, over n-grams and over the encoder's heads.

    Neither has learnt from the fold of a row that it scores.
    """
    material, here = trained.material, asked.here
    assert material.meanings is not None  # noqa: S101 - who asks has an encoder
    letters = by_folds(material.ngrams.whole[here], asked, _ALONE)
    loudest = highest(material.meanings.parts, material.meanings.owner)
    heads = np.hstack([material.meanings.whole[here], loudest[here]])
    return [letters, by_folds(heads, asked, HEADS_RECIPE)]


def evenly(views: Sequence[Reals]) -> Reals:
    """Join scores with even weights, each over its spread.

    Of some hundred rows weights are learnt worse than guessed: a logistic model over these views
    and the ten labels, fitted to four folds, told the fifth less well than the best view alone.
    """
    joined: Reals = np.sum([(view - view.mean()) / view.std() for view in views], axis=0)
    return joined


def _highest(unseen: Mapping[Signal, Unseen], here: Ints) -> Reals:
    found: Reals = np.max([unseen[label].probability[here] for label in ANY_OF], axis=0)
    return found


def _either(unseen: Mapping[Signal, Unseen], here: Ints) -> Reals:
    none = np.prod([1 - unseen[label].probability[here] for label in ANY_OF], axis=0)
    return np.asarray(1 - none, dtype=np.float64)


def _log_odds(probability: Reals) -> Reals:
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def by_folds(matrix: npt.NDArray[np.floating], asked: Asked, recipe: Recipe) -> Reals:
    """Return the scores of a linear model of any category, fitted without the fold it scores."""
    fold = asked.fold
    known = Answers("harassment", asked.y, np.asarray(["openai_moderation"] * len(fold)))
    score = np.zeros(len(fold))
    for each, model in fits_by_fold(matrix, known, recipe, fold):
        score[fold == each] = matrix[fold == each] @ model.weights + model.bias
    return score


def hate_splits(material: Material, recipe: Recipe) -> Mapping[str, Estimate]:
    """AUC of hate on the splits that others report, beside a plain TF-IDF model on the same rows.

    The official split of the emoji set leaves the contrast partners of most test rows in the
    training part, with the opposite label; both ways of reading it are measured.
    """
    known = answers(material.rows, "hate")
    rows = material.rows
    explained = np.asarray([row.source == "hatexplain" for row in rows])
    chance = np.random.default_rng(0)
    apart = explained & np.isin(material.group, _sampled(material.group[explained], chance))
    mixed = explained & (chance.random(len(rows)) < _TEST_SHARE)
    emoji_test = np.asarray(["split:test" in row.group_keys for row in rows])
    emoji_rest = np.asarray([row.source == "hatemoji" for row in rows]) & ~emoji_test
    partners = np.isin(material.group, material.group[emoji_test]) & ~emoji_test
    splits = {
        "hatexplain 80/20 of rows": (mixed, explained & ~mixed),
        "hatexplain 80/20, near-duplicates on one side": (apart, explained & ~apart),
        "hatexplain 80/20, near-duplicates on one side, trained on every set": (apart, ~apart),
        "hatemoji test, trained on its train and validation parts": (emoji_test, emoji_rest),
        "hatemoji test, trained on every set without the partners of test rows": (
            emoji_test,
            ~emoji_test & ~partners,
        ),
    }
    found = {}
    for name, (test, rest) in splits.items():
        use = np.flatnonzero(test & known.known)
        for reader, score in hate_scores(material, known.only(rest), recipe, use).items():
            found[f"{name}: {reader}"] = estimate(
                auc_score, known.y[use], score, group=material.group[use]
            )
    return found


def hate_scores(
    material: Material, known: Answers, recipe: Recipe, use: Ints
) -> Mapping[str, Reals]:
    """Return the scores of the rows `use` by each way of reading, fitted to what is `known`."""
    letters = _of_rows(fit(material.ngrams.whole, known, recipe), material.ngrams.whole[use])
    scores = {"our n-grams": letters}
    if known.known.sum() <= _MOST_PLAIN:
        scores["plain TF-IDF"] = _plain(material, known, use)
    if material.meanings:
        close = known.only(material.encoded)
        said = material.meanings.whole
        meant = _of_rows(fit(said, close, HEADS_RECIPE), said[use])
        scores["the encoder"] = meant
        scores["n-grams and the encoder"] = evenly([letters, meant])
    return scores


def _of_rows(model: Linear, matrix: npt.NDArray[np.floating]) -> Reals:
    scores: Reals = matrix @ model.weights + model.bias
    return scores


def _plain(material: Material, known: Answers, use: Ints) -> Reals:
    """Return the scores of the model that everybody tries first."""
    from sklearn.linear_model import LogisticRegression

    rest = np.flatnonzero(known.known)
    texts = [row.text for row in material.rows]
    matrix = plain_features([texts[i] for i in rest], [texts[i] for i in use])
    model = LogisticRegression(C=_PLAIN_COST, max_iter=300).fit(matrix[0], known.y[rest])
    return np.asarray(model.decision_function(matrix[1]), dtype=np.float64)


def plain_features(fitted: Sequence[str], asked: Sequence[str]) -> tuple[Any, Any]:
    """Return TF-IDF of words and word pairs and of runs of 3 to 5 letters, for two lists."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    letters = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True, min_df=2)
    learnt = [space.fit_transform(fitted) for space in (words, letters)]
    seen = [space.transform(asked) for space in (words, letters)]
    return sparse.hstack(learnt, format="csr"), sparse.hstack(seen, format="csr")


def _sampled(group: Ints, chance: np.random.Generator) -> Ints:
    numbers = np.unique(group)
    return chance.permutation(numbers)[: int(len(numbers) * _TEST_SHARE)]
