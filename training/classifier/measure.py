"""What the shipped classifier does on text that it was never fitted to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier import Classifier
from training.classifier.learn import UNKNOWN, Answers, mixed_weights
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
from training.classifier.train import BASE_RATE, Unseen

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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
    strict_recall: Estimate
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
        strict_recall=measured(recall_score_at(unseen.reading.strict_line)),
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
        elif row.source == "xstest_safe":
            wanted.setdefault("XSTest, safe prompts", []).append(row)
        elif row.source == "xstest_unsafe":
            wanted.setdefault("XSTest, unsafe prompts (for contrast)", []).append(row)
    return wanted


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


def texts_per_second(score: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return how many of `texts` are scored in a second of one core.

    Processor time, so that what else the machine does counts less.
    """
    started = time.process_time()
    score(texts)
    return len(texts) / (time.process_time() - started)
