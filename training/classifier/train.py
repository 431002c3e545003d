"""The whole training: rows in, weights, calibration and measurements out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier.features import Shape
from tools.classifier.model import text_parts
from tools.classifier.weights import Reading
from training.classifier.calibrate import (
    Calibration,
    calibrate_parts,
    line,
    unseen_probabilities,
)
from training.classifier.encoders import Encoders
from training.classifier.export import Learned
from training.classifier.groups import folds, groups
from training.classifier.learn import (
    Answers,
    Recipe,
    answers,
    choose,
    fit,
    unseen_part_scores,
)
from training.classifier.matrix import Texts, as_texts, inverse_document_frequency
from training.classifier.rows import Row, in_share

SHAPE = Shape(char_bits=18, word_bits=17)
FOLDS = 5
BASE_RATE = 0.2
LINES = {"strict_line": 0.005, "line": 0.01, "watch_line": 0.05}
"""The share of harmless texts that may cross each line."""

RECIPES = (Recipe(2.0, None), Recipe(4.0, 0.3))
_ATTACKS = (("notinject", 6.0), ("prompt_injection", 3.0), ("injection_variants", 3.0))
RECIPES_OF: Mapping[str, Sequence[Recipe]] = {
    "hate": (Recipe(2.0, None),),
    "offensive": (Recipe(2.0, None),),
    "injection": (Recipe(5.0, 0.35, "full", _ATTACKS),),
}
"""The recipes that are tried for a label, where they are others than `RECIPES`.

Sets that cannot hold an injection are many; each by the root of its size, they drown those that
can. Hate and offensive have the most rows: a second recipe changed their figures by less than .005
and takes minutes.
"""
HEADS_RECIPE = Recipe(cost=0.1, positives=0.3)
"""How the heads of the encoder are weighed; few numbers that say much need little freedom."""

ENCODED_ROWS: Mapping[str, int] = {
    "davidson": 6_000,
    "sms_spam": 3_000,
    "toxic_spans": 1_500,
}
"""Most rows of a large set that are encoded; each takes six milliseconds."""

NOT_HARMLESS = frozenset({"hatemoji", "toxic_spans"})
"""Sets without everyday texts: contrast pairs made to look like violations, and toxic comments."""

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """The rows to learn from, as matrices, with what is known of them."""

    rows: Sequence[Row]
    group: Ints
    fold: Ints
    idf: npt.NDArray[np.float32]
    ngrams: Texts
    meanings: Texts | None
    """What the heads say, by encoders that have not seen the fold; 0 for rows not encoded."""
    encoded: Flags


@dataclass(frozen=True)
class Unseen:
    """What a label's models say about rows that they were not fitted to."""

    known: Answers
    """What is known, within the rows that this reading was calibrated on."""
    harmless: Flags
    """The everyday texts that the lines were drawn by."""
    said: Reals
    """The probability of every row, by models fitted without its fold, as the lines were drawn."""
    probability: Reals
    """The same, with the calibration fitted without its fold as well."""
    reading: Reading


@dataclass(frozen=True)
class Trained:
    """The classifier, and what its makers know about each label."""

    learned: Learned
    material: Material
    recipes: Mapping[Signal, Recipe]
    plain: Mapping[Signal, Unseen]
    encoded: Mapping[Signal, Unseen]

    @property
    def best(self) -> Mapping[Signal, Unseen]:
        """The reading with the encoder, where there is one."""
        return self.encoded or self.plain


def train(
    rows: Sequence[Row],
    labels: Sequence[Signal],
    *,
    encoders: Encoders | None,
    shape: Shape = SHAPE,
) -> Trained:
    """Fit, calibrate and measure one model per label on the rows whose role is to train."""
    material = prepare([row for row in rows if row.role == "train"], encoders, shape)
    everyday = everyday_rows(material.rows)
    ngrams, heads = [], []
    recipes, plain, encoded = {}, {}, {}
    for label in labels:
        known = answers(material.rows, label)
        tried = RECIPES_OF.get(label, RECIPES)
        recipe, scores = choose(material.ngrams, known, tried, material.fold, BASE_RATE)
        recipes[label] = recipe
        ngrams.append(fit(material.ngrams.whole, known, recipe))
        plain[label] = _unseen(material, known, everyday, [scores])
        if material.meanings:
            close = known.only(material.encoded)
            meant = unseen_part_scores(material.meanings, close, HEADS_RECIPE, material.fold)
            heads.append(fit(material.meanings.whole, close, HEADS_RECIPE))
            near = everyday & material.encoded
            encoded[label] = _unseen(material, close, near, [scores, meant])
        print(f"{label}: {known.known.sum()} rows, {recipe}", flush=True)
    learned = Learned(
        labels=tuple(labels),
        shape=shape,
        base_rate=BASE_RATE,
        idf=material.idf,
        ngrams=ngrams,
        plain={label: unseen.reading for label, unseen in plain.items()},
        heads=heads,
        encoded={label: unseen.reading for label, unseen in encoded.items()} or None,
        encoder=encoders.name if encoders else None,
        training_data=tuple(sorted({row.source for row in material.rows})),
    )
    return Trained(learned, material, recipes, plain, encoded)


def prepare(rows: Sequence[Row], encoders: Encoders | None, shape: Shape) -> Material:
    """Return the rows as matrices; the inverse document frequencies are rounded as shipped."""
    idf = inverse_document_frequency((row.text for row in rows), shape)
    idf = idf.astype(np.float16).astype(np.float32)
    ngrams = as_texts([row.text for row in rows], shape, idf)
    group = groups(rows)
    fold = folds(group, FOLDS)
    encoded = _to_encode(rows)
    return Material(
        rows=rows,
        group=group,
        fold=fold,
        idf=idf,
        ngrams=ngrams,
        meanings=_meanings(rows, encoded, ngrams.owner, fold, encoders) if encoders else None,
        encoded=encoded,
    )


def _to_encode(rows: Sequence[Row]) -> Flags:
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.source] = sizes.get(row.source, 0) + 1
    shares = {s: ENCODED_ROWS.get(s, size) / size for s, size in sizes.items()}
    return np.asarray([in_share(row, shares[row.source]) for row in rows], dtype=np.bool_)


def _meanings(
    rows: Sequence[Row], encoded: Flags, owner: Ints, fold: Ints, encoders: Encoders
) -> Texts:
    """Return what the heads say of the parts that `ngrams` has, in the same order."""
    parts = [part.text for row in rows for part in text_parts(row.text)]
    wanted = np.flatnonzero(encoded[owner])
    said = encoders.unseen([parts[index] for index in wanted.tolist()], fold[owner][wanted])
    matrix = np.zeros((len(parts), said.shape[1]), dtype=np.float32)
    matrix[wanted] = said
    first = np.searchsorted(owner, np.arange(len(rows)))
    return Texts(matrix[first], matrix, owner)


def _unseen(
    material: Material, known: Answers, harmless: Flags, part_scores: Sequence[Reals]
) -> Unseen:
    """Calibrate the scores of unseen rows, and read each text by its highest part."""
    parts, owner = np.stack(part_scores, axis=1), material.ngrams.owner
    fitted = calibrate_parts(parts, owner, known, harmless, BASE_RATE)
    said = fitted.probability(parts, owner)
    everyday = np.flatnonzero(harmless)
    lines = {
        name: line(said[everyday], known.source[everyday], share) for name, share in LINES.items()
    }
    return Unseen(
        known,
        harmless,
        said,
        unseen_probabilities(parts, owner, known, harmless, material.fold, BASE_RATE),
        _reading(fitted, lines),
    )


def everyday_rows(rows: Sequence[Row]) -> Flags:
    """Return which rows are everyday texts that no annotator gave any label.

    A label that nobody looked for counts as absent here, so a line errs on the high side.
    """
    fine = [
        row.source not in NOT_HARMLESS and not any(value == 1 for value in row.known.values())
        for row in rows
    ]
    return np.asarray(fine, dtype=np.bool_)


def _reading(fitted: Calibration, lines: Mapping[str, float]) -> Reading:
    ngrams, encoder = (*fitted.platt.slopes, 0.0)[:2]
    return Reading(
        ngrams=ngrams,
        encoder=encoder,
        offset=fitted.platt.offset,
        tail=fitted.tail,
        **lines,
    )
