"""What the shipped classifier does on text that it was never fitted to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier import Classifier
from training.classifier.learn import (
    UNKNOWN,
    Answers,
    Recipe,
    answers,
    fit,
    fits_by_fold,
    mixed_weights,
)
from training.classifier.metrics import (
    Estimate,
    Metric,
    auc_score,
    average_precision_score,
    calibration_error,
    estimate,
    f1_score_at,
    false_positive_rate_at,
    recall_score_at,
)
from training.classifier.rows import Row, read_jsonl
from training.classifier.train import BASE_RATE, Material, Trained, Unseen

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ANY_OF: tuple[Signal, ...] = ("hate", "harassment", "violence", "self_harm", "sexual")
"""The labels that the moderation development set annotates."""


_FEWEST_FOR_A_TERM = 20
_TEST_SHARE = 0.2
_LENGTHS = (100, 300, 1500)


@dataclass(frozen=True)
class LabelReport:
    """How one label does on unseen rows of the calibration mix."""

    rows: int
    positives: int
    auc: Estimate
    average_precision: Estimate
    f1: Estimate
    false_positives: Estimate
    recall: Estimate
    watch_recall: Estimate
    calibration: Estimate
    auc_by_source: Mapping[str, Estimate]


def label_report(
    unseen: Unseen, group: Ints, rows: npt.NDArray[np.bool_] | None = None
) -> LabelReport:
    """Measure a label on the rows that it was calibrated on, or on those of `rows`."""
    known = unseen.known if rows is None else unseen.known.only(rows)
    use = np.flatnonzero(known.known)
    y, said, weight = known.y[use], unseen.probability[use], mixed_weights(known, BASE_RATE)[use]
    line, watch = unseen.reading.line, unseen.reading.watch_line

    def measured(metric: Metric) -> Estimate:
        return estimate(metric, y, said, group=group[use], weight=weight)

    return LabelReport(
        rows=len(use),
        positives=int(y.sum()),
        auc=measured(auc_score),
        average_precision=measured(average_precision_score),
        f1=measured(f1_score_at(line)),
        false_positives=measured(false_positive_rate_at(line)),
        recall=measured(recall_score_at(line)),
        watch_recall=measured(recall_score_at(watch)),
        calibration=measured(calibration_error),
        auc_by_source=_auc_by_source(known, unseen.probability, group),
    )


def _auc_by_source(known: Answers, said: Reals, group: Ints) -> Mapping[str, Estimate]:
    found = {}
    for source in np.unique(known.source[known.known]).tolist():
        here = np.flatnonzero(known.known & (known.source == source))
        if 0 < known.y[here].sum() < len(here):
            found[source] = estimate(auc_score, known.y[here], said[here], group=group[here])
    return found


def any_category_precision(trained: Trained, unseen: Mapping[Signal, Unseen]) -> Estimate:
    """AUPRC of the highest of five labels on the moderation development set, by folds."""
    rows = trained.material.rows
    here = np.asarray([row.source == "openai_moderation" for row in rows])
    positive = np.asarray([any(row.known.get(label) == 1 for label in ANY_OF) for row in rows])
    highest = np.max([unseen[label].probability for label in ANY_OF], axis=0)
    return estimate(
        average_precision_score,
        positive[here].astype(np.int64),
        highest[here],
        group=trained.material.group[here],
    )


def any_category_alone(trained: Trained) -> Estimate:
    """AUPRC of one n-gram model of "any category", by the same folds of that set alone."""
    material = trained.material
    here = np.flatnonzero([row.source == "openai_moderation" for row in material.rows])
    y = np.asarray(
        [
            any(material.rows[index].known.get(label) == 1 for label in ANY_OF)
            for index in here.tolist()
        ]
    ).astype(np.int64)
    known = Answers("harassment", y, np.asarray(["openai_moderation"] * len(here)))
    matrix, fold = material.ngrams.whole[here], material.fold[here]
    score = np.zeros(len(here))
    for each, model in fits_by_fold(matrix, known, Recipe(5.0, None), fold):
        score[fold == each] = matrix[fold == each] @ model.weights + model.bias
    return estimate(average_precision_score, y, score, group=material.group[here])


def hate_comparisons(material: Material, recipe: Recipe) -> Mapping[str, Estimate]:
    """AUC of the n-gram model of hate on the splits that others report.

    The official split of the emoji set leaves the contrast partners of most test rows in the
    training part, with the opposite label; both ways of reading it are measured.
    """
    known = answers(material.rows, "hate")
    rows = material.rows
    explained = np.asarray([row.source == "hatexplain" for row in rows])
    chance = np.random.default_rng(0)
    test = explained & np.isin(
        material.group, _sampled(material.group[explained], _TEST_SHARE, chance)
    )
    mixed = explained & (chance.random(len(rows)) < _TEST_SHARE)
    emoji_test = np.asarray(["split:test" in row.group_keys for row in rows])
    emoji_rest = np.asarray([row.source == "hatemoji" for row in rows]) & ~emoji_test
    partners = np.isin(material.group, material.group[emoji_test]) & ~emoji_test

    def measured(test_rows: Flags, train_rows: Flags) -> Estimate:
        model = fit(material.ngrams.whole, known.only(train_rows), recipe)
        score = material.ngrams.scores(model.weights, model.bias)
        use = np.flatnonzero(test_rows & known.known)
        return estimate(auc_score, known.y[use], score[use], group=material.group[use])

    return {
        "hatexplain 80/20 of rows, near-duplicates on both sides, trained on its 80 % alone": (
            measured(mixed, explained & ~mixed)
        ),
        "hatexplain 80/20, hate vs rest, trained on its 80 % alone": measured(
            test, explained & ~test
        ),
        "hatexplain 80/20, hate vs rest, trained on every set": measured(test, ~test),
        "hatemoji test, trained on its train and validation parts": measured(
            emoji_test, emoji_rest
        ),
        "hatemoji test, trained on every set": measured(emoji_test, ~emoji_test),
        "hatemoji test, trained on every set without the partners of test rows": measured(
            emoji_test, ~emoji_test & ~partners
        ),
    }


def _sampled(group: Ints, share: float, chance: np.random.Generator) -> Ints:
    numbers = np.unique(group)
    return chance.permutation(numbers)[: int(len(numbers) * share)]


def harmless_over(unseen: Unseen) -> Mapping[str, tuple[int, float]]:
    """Return for each set its number of harmless texts and the share over the line, unseen."""
    source, over = unseen.known.source, unseen.said > unseen.reading.line
    return {
        str(name): (
            int((unseen.harmless & (source == name)).sum()),
            float(over[unseen.harmless & (source == name)].mean()),
        )
        for name in np.unique(source[unseen.harmless])
    }


@dataclass(frozen=True)
class Scored:
    """Rows with the probabilities that the shipped classifier gives them."""

    rows: Sequence[Row]
    said: Mapping[Signal, Reals]

    def over(self, lines: Mapping[Signal, float]) -> Mapping[Signal, float]:
        """Return the share of the rows over the line of each label."""
        return {label: float(np.mean(said > lines[label])) for label, said in self.said.items()}


def scored(classifier: Classifier, rows: Sequence[Row]) -> Scored:
    """Score `rows` with the shipped classifier."""
    readings = classifier.score([row.text for row in rows])
    return Scored(
        rows,
        {label: np.asarray([each[label] for each in readings]) for label in classifier.labels},
    )


@dataclass(frozen=True)
class HeldReport:
    """How one label does on the families of our own sentences that were held out."""

    positives: int
    negatives: int
    auc: Estimate
    recall: Estimate
    watch_recall: Estimate
    false_positives: Estimate


def held_report(held: Scored, classifier: Classifier, label: Signal, group: Ints) -> HeldReport:
    """Measure a label on held-out families; `group` numbers the families."""
    y = np.asarray([row.known.get(label, UNKNOWN) for row in held.rows])
    use = np.flatnonzero(y != UNKNOWN)
    line, watch = classifier.thresholds[label], classifier.watch_thresholds[label]

    def measured(metric: Metric) -> Estimate:
        return estimate(metric, y[use], held.said[label][use], group=group[use])

    return HeldReport(
        positives=int((y == 1).sum()),
        negatives=int((y == 0).sum()),
        auc=measured(auc_score),
        recall=measured(recall_score_at(line)),
        watch_recall=measured(recall_score_at(watch)),
        false_positives=measured(false_positive_rate_at(line)),
    )


def slices(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    """Return sets of harmless text, to see how often each line is crossed there."""
    wanted: dict[str, list[Row]] = {}
    for row in rows:
        harmless = not any(row.known.values())
        if row.role == "held" and harmless:
            wanted.setdefault("our own held-out harmless sentences", []).append(row)
        elif row.source == "notinject":
            wanted.setdefault("NotInject (trigger words, harmless)", []).append(row)
        elif row.source == "xstest_safe":
            wanted.setdefault("XSTest, safe prompts", []).append(row)
        elif row.source == "xstest_unsafe":
            wanted.setdefault("XSTest, unsafe prompts (for contrast)", []).append(row)
    return wanted


def identity_rates(
    classifier: Classifier, data: Path, lines: Sequence[tuple[Signal, float]]
) -> tuple[list[float], list[tuple[str, int, list[float]]]]:
    """Return false-positive rates over each of `lines` on the harmless identity templates.

    The first rates are over all of them; then comes each identity term with its count and its
    rates. Measured only: nothing is fitted or tuned on this set.
    """
    rows = read_jsonl(data / "eval_only" / "identity_templates.jsonl")
    harmless = [str(each["text"]) for each in rows if each["labels"]["toxic"] == 0]
    over = np.asarray(
        [[said[label] > line for label, line in lines] for said in classifier.score(harmless)]
    )
    words = [set(re.findall(r"[a-z]+", text.lower())) for text in harmless]
    found = []
    for term in _identity_terms():
        has = np.asarray([term in each for each in words])
        if has.sum() >= _FEWEST_FOR_A_TERM:
            found.append((term, int(has.sum()), over[has].mean(axis=0).tolist()))
    return over.mean(axis=0).tolist(), found


def _identity_terms() -> list[str]:
    return Path(__file__).with_name("identity_terms.txt").read_text(encoding="utf-8").split()


def word_overlap_score(classifier: Classifier, data: Path, *, most: int = 690) -> float:
    """Mean character F1 of the offensive words found, against the spans that people marked.

    Of SemEval-2021 task 5, trial part. Words count that weigh at least a third of the strongest.
    """
    scores = []
    rows = list(read_jsonl(data / "train" / "toxic_spans_trial.jsonl"))[:most]
    for row in rows:
        marked = {i for start, end in row["spans"] for i in range(start, end)}
        words = classifier.words(row["text"], "offensive", limit=12)
        strong = [word for word in words if word.weight > words[0].weight / 3]
        found = {i for word in strong for i in range(word.start, word.end)}
        both = len(marked & found)
        scores.append(2 * both / (len(marked) + len(found)) if marked or found else 1.0)
    return float(np.mean(scores))


@dataclass(frozen=True)
class LongReport:
    """What happens to long texts."""

    texts: int
    over: Mapping[int, Mapping[Signal, float]]
    """For each length in words, the share of harmless texts over the line of each label."""
    alone: float
    """Share of violating sentences over their line when they stand alone."""
    hidden: float
    """The same sentences in the middle of a harmless long text."""


def long_report(classifier: Classifier, held: Sequence[Row], *, texts: int = 40) -> LongReport:
    """Measure dilution and accumulation on texts made of held-out sentences."""
    chance = np.random.default_rng(0)
    fine = [row.text for row in held if not any(row.known.values())]
    bad = [
        (row.text, label)
        for row in held
        for label in classifier.labels
        if row.known.get(label) == 1
    ]

    def filler(words: int) -> str:
        said: list[str] = []
        while sum(len(each.split()) for each in said) < words:
            said.append(fine[int(chance.integers(len(fine)))])
        return "\n".join(said)

    picked = [bad[int(chance.integers(len(bad)))] for _ in range(texts)]
    alone = classifier.score([text for text, _ in picked])
    within = classifier.score([f"{filler(750)}\n{text}\n{filler(750)}" for text, _ in picked])

    def share(readings: Sequence[Mapping[Signal, float]]) -> float:
        hits = [
            each[label] > classifier.thresholds[label]
            for each, (_, label) in zip(readings, picked, strict=True)
        ]
        return float(np.mean(hits))

    over = {}
    for words in _LENGTHS:
        harmless = [replace(held[0], text=filler(words)) for _ in range(texts)]
        over[words] = scored(classifier, harmless).over(classifier.thresholds)
    return LongReport(texts, over, share(alone), share(within))


def texts_per_second(score: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return how many of `texts` are scored in a second, one after the other."""
    started = time.perf_counter()
    score(texts)
    return len(texts) / (time.perf_counter() - started)
