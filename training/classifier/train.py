"""The whole training: rows in, weights, calibration and measurements out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier.features import Shape, tokens
from tools.classifier.model import Embeds, stretch
from tools.classifier.weights import Reading
from tools.classifier.windows import windows
from training.classifier.calibrate import Platt, calibrate, line, unseen_probabilities
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
LINE_SHARE, WATCH_SHARE = 0.01, 0.05

RECIPES = (Recipe(2.0, None), Recipe(2.0, 0.3), Recipe(10.0, 0.3))
EMBEDDING_RECIPE = Recipe(cost=1.0, positives=0.3)
EMBEDDED_ROWS: Mapping[str, int] = {
    "hatexplain": 5_000,
    "davidson": 4_000,
    "sms_spam": 3_000,
    "toxic_spans": 1_500,
}
"""Most rows of a large set that are embedded; sentence vectors take ten milliseconds each."""

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
    """Sentence vectors, zero for rows that are not embedded."""
    embedded: Flags


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
    embedded: Mapping[Signal, Unseen]


def train(
    rows: Sequence[Row], labels: Sequence[Signal], *, embedder: Embeds | None, shape: Shape = SHAPE
) -> Trained:
    """Fit, calibrate and measure one model per label on the rows whose role is to train."""
    material = prepare([row for row in rows if row.role == "train"], embedder, shape)
    everyday = _harmless(material.rows)
    ngrams, meanings = [], []
    recipes, plain, embedded = {}, {}, {}
    for label in labels:
        known = answers(material.rows, label)
        recipe, scores = choose(material.ngrams, known, RECIPES, material.fold, BASE_RATE)
        recipes[label] = recipe
        ngrams.append(fit(material.ngrams.whole, known, recipe))
        plain[label] = _unseen(material, known, everyday, [scores])
        if material.meanings:
            close = known.only(material.embedded)
            vectors = material.meanings
            meant = unseen_part_scores(vectors, close, EMBEDDING_RECIPE, material.fold)
            meanings.append(fit(vectors.whole, close, EMBEDDING_RECIPE))
            near = everyday & material.embedded
            embedded[label] = _unseen(material, close, near, [scores, meant])
        print(f"{label}: {known.known.sum()} rows, {recipe}", flush=True)
    learned = Learned(
        labels=tuple(labels),
        shape=shape,
        base_rate=BASE_RATE,
        idf=material.idf,
        ngrams=ngrams,
        plain={label: unseen.reading for label, unseen in plain.items()},
        embedding=meanings,
        embedded={label: unseen.reading for label, unseen in embedded.items()} or None,
        embedder=embedder.name if embedder else None,
        training_data=tuple(sorted({row.source for row in material.rows})),
    )
    return Trained(learned, material, recipes, plain, embedded)


def prepare(rows: Sequence[Row], embedder: Embeds | None, shape: Shape) -> Material:
    """Return the rows as matrices; the inverse document frequencies are rounded as shipped."""
    idf = inverse_document_frequency((row.text for row in rows), shape)
    idf = idf.astype(np.float16).astype(np.float32)
    ngrams = as_texts([row.text for row in rows], shape, idf)
    group = groups(rows)
    embedded = _to_embed(rows)
    return Material(
        rows=rows,
        group=group,
        fold=folds(group, FOLDS),
        idf=idf,
        ngrams=ngrams,
        meanings=_meanings(rows, embedded, ngrams.owner, embedder) if embedder else None,
        embedded=embedded,
    )


def _to_embed(rows: Sequence[Row]) -> Flags:
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.source] = sizes.get(row.source, 0) + 1
    shares = {s: EMBEDDED_ROWS.get(s, size) / size for s, size in sizes.items()}
    return np.asarray([in_share(row, shares[row.source]) for row in rows], dtype=np.bool_)


def _meanings(rows: Sequence[Row], embedded: Flags, owner: Ints, embedder: Embeds) -> Texts:
    """Return the sentence vectors of the parts that `ngrams` has, in the same order."""
    parts: list[str] = []
    for row in rows:
        found = tokens(row.text)
        parts += [stretch(row.text, found[start:end]) for start, end in windows(row.text, found)]
    wanted = np.flatnonzero(embedded[owner])
    vectors: dict[int, npt.NDArray[np.float32]] = {}
    for start in range(0, len(wanted), 512):
        batch = wanted[start : start + 512].tolist()
        found_vectors = embedder.embed([parts[index] for index in batch])
        vectors.update(zip(batch, found_vectors, strict=True))
        print(f"embedded {start + len(batch)} of {len(wanted)}", flush=True)
    matrix = np.zeros((len(parts), len(next(iter(vectors.values())))), dtype=np.float32)
    for index, vector in vectors.items():
        matrix[index] = vector
    first = np.searchsorted(owner, np.arange(len(rows)))
    return Texts(matrix[first], matrix, owner)


def _unseen(
    material: Material, known: Answers, harmless: Flags, part_scores: Sequence[Reals]
) -> Unseen:
    """Calibrate the scores of unseen rows, and read each text by its highest part."""
    logits = _of_best_part(np.stack(part_scores, axis=1), material.ngrams.owner)
    fitted = calibrate(logits, known, BASE_RATE)
    said = fitted.probability(logits)
    everyday = np.flatnonzero(harmless)
    lines = [
        line(said[everyday], known.source[everyday], share) for share in (LINE_SHARE, WATCH_SHARE)
    ]
    return Unseen(
        known,
        harmless,
        said,
        unseen_probabilities(logits, known, material.fold, BASE_RATE),
        _reading(fitted, lines),
    )


def _of_best_part(part_logits: Reals, owner: Ints) -> Reals:
    """Return the logits of each text's part whose logits add up highest."""
    order = np.lexsort((part_logits.sum(axis=1), owner))
    last = np.append(np.flatnonzero(np.diff(owner[order])), len(order) - 1)
    best: Reals = part_logits[order[last]]
    return best


def _harmless(rows: Sequence[Row]) -> Flags:
    """Return which rows are everyday texts that no annotator gave any label.

    A label that nobody looked for counts as absent here, so a line errs on the high side.
    """
    fine = [
        row.source not in NOT_HARMLESS and not any(value == 1 for value in row.known.values())
        for row in rows
    ]
    return np.asarray(fine, dtype=np.bool_)


def _reading(fitted: Platt, lines: Sequence[float]) -> Reading:
    return Reading(
        ngrams=fitted.slopes[0],
        embedding=fitted.slopes[1] if len(fitted.slopes) > 1 else 0.0,
        offset=fitted.offset,
        line=lines[0],
        watch_line=lines[1],
    )
