"""What tricks do to the scores: injections beside innocent trigger words, and disguises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from agent.reading_copy import reading_copy
from evals.disguises import DISGUISES, Disguise
from policies.rulebook import Signal
from tools.classifier import Classifier, Encodes, open_classifier
from training.classifier.encoders import Encoders
from training.classifier.export import Learned, export
from training.classifier.learn import answers, fit
from training.classifier.metrics import Estimate, estimate, recall_score_at
from training.classifier.train import HEADS_RECIPE, Material, Trained, Unseen

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_ALLOWED = 0.05
_DRESSED: tuple[Signal, ...] = ("hate", "scam")


@dataclass(frozen=True)
class InjectionReport:
    """How many injections are found at the line that one in twenty innocent trigger texts cross."""

    line: float
    innocent: int
    innocent_over: float
    variants: Estimate
    unseen_variants: Estimate
    """The same where the model has seen no text of that variant; by n-grams alone."""
    test: Estimate
    test_over: float
    """Share of the harmless texts of that test part over the line."""


def injection_report(trained: Trained, unseen: Unseen) -> InjectionReport:
    """Measure the injection score by unseen folds."""
    material = trained.material
    source = np.asarray([row.source for row in material.rows])
    y = np.asarray([row.known.get("injection", -1) for row in material.rows])
    test = np.asarray([row.id.startswith("deepset-test") for row in material.rows])
    said = unseen.said
    innocent = source == "notinject"
    line = innocent_line(said[innocent])
    variants = source == "injection_variants"
    letters = _by_variant(material, trained)

    def found(score: Reals, rows: Flags, line: float) -> Estimate:
        use = np.flatnonzero(rows & (y == 1))
        return estimate(recall_score_at(line), y[use], score[use], group=material.group[use])

    return InjectionReport(
        line=line,
        innocent=int(innocent.sum()),
        innocent_over=float((said[innocent] > line).mean()),
        variants=found(said, variants, line),
        unseen_variants=found(letters, variants, innocent_line(letters[innocent])),
        test=found(said, test, line),
        test_over=float((said[test & (y == 0)] > line).mean()),
    )


def innocent_line(innocent: Reals) -> float:
    """Return the line that no more than the allowed share of innocent texts crosses."""
    return float(np.sort(innocent)[::-1][int(_ALLOWED * len(innocent))])


def _by_variant(material: Material, trained: Trained) -> Reals:
    """Return n-gram logits by folds that keep each variant of attack on one side."""
    known = answers(material.rows, "injection")
    variant = ["" if row.source == "own" else row.family for row in material.rows]
    families = sorted(set(variant) - {""})
    fold = material.fold.copy()
    for index, family in enumerate(variant):
        if family:
            fold[index] = families.index(family) % (int(material.fold.max()) + 1)
    scores = np.zeros(len(material.rows))
    for each in np.unique(fold).tolist():
        model = fit(material.ngrams.whole, known.only(fold != each), trained.recipes["injection"])
        here = np.flatnonzero(fold == each)
        scores[here] = material.ngrams.whole[here] @ model.weights + model.bias
    return scores


@dataclass(frozen=True)
class DisguiseReport:
    """Recall at the watch line on plain texts, and on the same texts in each disguise."""

    label: Signal
    texts: int
    plain: float
    dressed: Mapping[str, float]
    unread: Mapping[str, float]
    """The same without the reading copy."""

    @property
    def loss(self) -> float:
        """Points of recall that are lost, on average over all disguises."""
        return self.plain - float(np.mean(list(self.dressed.values())))


def disguise_reports(
    trained: Trained, encoders: Encoders | None, *, most: int = 150
) -> list[DisguiseReport]:
    """Dress unseen positives and see how many are still found, as the product reads them.

    The product scores the text and its reading copy, and the higher score counts. The models are
    fitted without the first fold, the encoder too, and the texts are from it.
    """
    material = trained.material
    with TemporaryDirectory() as folder:
        encoder = encoders.without[0] if encoders else None
        export(_without_first_fold(trained, encoder), Path(folder))
        classifier = open_classifier(encoder, folder=Path(folder))
    reports = []
    for label in _DRESSED:
        texts = [
            row.text
            for row, fold in zip(material.rows, material.fold.tolist(), strict=True)
            if fold == 0 and row.known.get(label) == 1 and row.source not in {"own", "hatemoji"}
        ]
        some = Random(0).sample(texts, min(most, len(texts)))
        reports.append(_disguise_report(classifier, label, some))
    return reports


def _disguise_report(classifier: Classifier, label: Signal, texts: list[str]) -> DisguiseReport:
    line = classifier.watch_thresholds[label]

    def recall(dressed: list[str], *, read: bool) -> float:
        copies = [reading_copy(text).text for text in dressed] if read else dressed
        said = classifier.score(dressed), classifier.score(copies)
        pairs = zip(*said, strict=True)
        return float(np.mean([max(one[label], two[label]) > line for one, two in pairs]))

    def worn(dress: Disguise) -> list[str]:
        return [dress(text, Random(number)) for number, text in enumerate(texts)]

    return DisguiseReport(
        label,
        len(texts),
        recall(texts, read=True),
        {name: recall(worn(dress), read=True) for name, dress in DISGUISES.items()},
        {name: recall(worn(dress), read=False) for name, dress in DISGUISES.items()},
    )


def _without_first_fold(trained: Trained, encoder: Encodes | None) -> Learned:
    """Return models of the disguised labels that have not seen the first fold."""
    material, learned = trained.material, trained.learned
    rest = material.fold != 0
    ngrams, heads = [], []
    for label in _DRESSED:
        known = answers(material.rows, label).only(rest)
        ngrams.append(fit(material.ngrams.whole, known, trained.recipes[label]))
        if material.meanings:
            heads.append(fit(material.meanings.whole, known.only(material.encoded), HEADS_RECIPE))
    encoded = learned.encoded or {}
    return Learned(
        labels=_DRESSED,
        shape=learned.shape,
        base_rate=learned.base_rate,
        idf=learned.idf,
        ngrams=ngrams,
        plain={label: learned.plain[label] for label in _DRESSED},
        heads=heads,
        encoded={label: encoded[label] for label in _DRESSED} if encoded else None,
        encoder=encoder.name if encoder else None,
    )
