"""The card of the shipped classifier: what it is, how good it is, where it is weak."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from policies.rulebook import Signal
from tools.classifier import Classifier, Embeds, open_classifier
from tools.classifier.weights import WEIGHTS_FILE
from tools.classifier.windows import LONG_TOKENS
from training.classifier.groups import groups
from training.classifier.measure import (
    LabelReport,
    any_category_alone,
    any_category_precision,
    harmless_over,
    hate_comparisons,
    held_report,
    identity_rates,
    label_report,
    long_report,
    scored,
    slices,
    texts_per_second,
    word_overlap_score,
)
from training.classifier.metrics import Estimate
from training.classifier.rows import Row
from training.classifier.train import BASE_RATE, Trained, Unseen

_TEMPLATE = Path(__file__).with_name("card.md")
_SPEED_TEXTS = 100
_SPEED_ROUNDS = 3
_LABEL_HEAD = (
    *("label", "n", "positive", "AUC", "AUPRC", "ECE"),
    *("line", "F1", "recall", "FPR", "watch line", "recall"),
)


def card(
    trained: Trained, rows: Sequence[Row], *, data: Path, folder: Path, embedder: Embeds | None
) -> str:
    """Measure the classifier in `folder` and return its card in Markdown."""
    plain = open_classifier(folder=folder)
    full = open_classifier(embedder, folder=folder)
    best = trained.embedded or trained.plain
    held = [row for row in rows if row.role == "held"]
    return _TEMPLATE.read_text(encoding="utf-8").format(
        version=full.version,
        plain_version=plain.version,
        embedder=trained.learned.embedder or "none",
        megabytes=(folder / WEIGHTS_FILE).stat().st_size / 1e6,
        training_data=", ".join(trained.learned.training_data),
        base_rate=BASE_RATE,
        rest_rate=1 - BASE_RATE,
        **_label_tables(trained, best),
        comparison_table=_comparisons(trained, best),
        **_shipped(plain, full, rows, data),
        plain_speed=_speed(plain, held),
        embedded_speed=_speed(full, held),
    )


def _label_tables(trained: Trained, best: Mapping[Signal, Unseen]) -> dict[str, str]:
    group = trained.material.group
    full = {label: label_report(unseen, group) for label, unseen in best.items()}
    plain = {
        label: label_report(unseen, group, best[label].known.known)
        for label, unseen in trained.plain.items()
    }
    sources = sorted({source for report in full.values() for source in report.auc_by_source})
    by_source = [
        [label, *(_pair(full[label], plain[label], source) for source in sources)] for label in full
    ]
    return {
        "embedded_table": _label_table(full, best),
        "plain_table": _label_table(plain, trained.plain),
        "source_table": _table(["label", *sources], by_source),
        "harmless_table": _harmless_table(best),
    }


def _label_table(reports: Mapping[Signal, LabelReport], unseen: Mapping[Signal, Unseen]) -> str:
    return _table(
        _LABEL_HEAD,
        (
            [
                label,
                f"{report.rows:,}",
                f"{report.positives:,}",
                _shown(report.auc),
                _shown(report.average_precision),
                _shown(report.calibration),
                _decimal(unseen[label].reading.line),
                _shown(report.f1),
                _shown(report.recall),
                _shown(report.false_positives),
                _decimal(unseen[label].reading.watch_line),
                _shown(report.watch_recall),
            ]
            for label, report in reports.items()
        ),
    )


def _harmless_table(best: Mapping[Signal, Unseen]) -> str:
    shares = {label: harmless_over(unseen) for label, unseen in best.items()}
    sizes = {source: size for source, (size, _) in next(iter(shares.values())).items()}
    return _table(
        ["set", "n", *shares],
        (
            [source, f"{size:,}", *(f"{shares[label][source][1]:.1%}" for label in shares)]
            for source, size in sizes.items()
        ),
    )


def _pair(full: LabelReport, plain: LabelReport, source: str) -> str:
    if source not in full.auc_by_source:
        return ""
    before = plain.auc_by_source.get(source)
    without = f", {_decimal(before.value)} without" if before else ""
    return f"{_shown(full.auc_by_source[source])}{without}"


def _comparisons(trained: Trained, best: Mapping[Signal, Unseen]) -> str:
    found = dict(hate_comparisons(trained.material, trained.recipes["hate"]))
    lines = [[f"{name}: AUC, n-grams only", _shown(value)] for name, value in found.items()]
    for name, unseen in (("with the sentence model", best), ("n-grams only", trained.plain)):
        value = any_category_precision(trained, unseen)
        lines.append(
            [f"OpenAI moderation set, any category, 5 folds: AUPRC, {name}", _shown(value)]
        )
    alone = any_category_alone(trained)
    lines.append(
        ["The same, one n-gram model of any category, trained on that set alone", _shown(alone)]
    )
    return _table(["split", "value"], lines)


def _shipped(
    plain: Classifier, full: Classifier, rows: Sequence[Row], data: Path
) -> dict[str, object]:
    """Return what is measured with the weights as they are shipped."""
    held = [row for row in rows if row.role == "held"]
    long = long_report(full, held)
    harmless = {name: scored(full, some) for name, some in slices(rows).items()}
    over = {name: each.over(full.thresholds) for name, each in harmless.items()}
    notinject = next(each for name, each in harmless.items() if "NotInject" in name)
    notinject_plain = scored(plain, notinject.rows)
    labels = full.labels
    return {
        "held_table": _held_table(full, held),
        "slice_table": _table(
            ["text", "n", *labels],
            (
                [name, str(len(harmless[name].rows)), *(f"{shares[x]:.1%}" for x in labels)]
                for name, shares in over.items()
            ),
        ),
        "notinject": f"{notinject.over(full.thresholds)['injection']:.1%} with the sentence model, "
        f"{notinject_plain.over(plain.thresholds)['injection']:.1%} without",
        "notinject_watch": f"{notinject.over(full.watch_thresholds)['injection']:.1%} and "
        f"{notinject_plain.over(plain.watch_thresholds)['injection']:.1%}",
        "identity_table": _identity_table(full, data),
        "long_tokens": LONG_TOKENS,
        "long_texts": long.texts,
        "alone": long.alone,
        "hidden": long.hidden,
        "long_table": _table(
            ["words", *labels],
            (
                [f"{words:,}", *(f"{shares[label]:.0%}" for label in labels)]
                for words, shares in long.over.items()
            ),
        ),
        "overlap": word_overlap_score(full, data),
    }


def _held_table(full: Classifier, held: Sequence[Row]) -> str:
    seen = scored(full, held)
    family = groups(held)
    lines = []
    for label in full.labels:
        report = held_report(seen, full, label, family)
        lines.append(
            [
                label,
                str(report.positives),
                str(report.negatives),
                _shown(report.auc),
                _shown(report.recall),
                _shown(report.watch_recall),
                _shown(report.false_positives),
            ]
        )
    head = "label|positive|negative|AUC|recall at the line|at the watch line|FPR at the line"
    return _table(head.split("|"), lines)


def _identity_table(full: Classifier, data: Path) -> str:
    lines: list[tuple[Signal, float]] = [("hate", full.thresholds["hate"])]
    watch = [(label, full.watch_thresholds[label]) for label in _FAIRNESS_LABELS]
    overall, terms = identity_rates(full, data, [*lines, *watch])
    return _table(
        ["term", "n", "hate, line", *(f"{label}, watch line" for label in _FAIRNESS_LABELS)],
        [
            ["all harmless", "", *map("{:.1%}".format, overall)],
            *([term, str(count), *map("{:.1%}".format, rates)] for term, count, rates in terms),
        ],
    )


_FAIRNESS_LABELS: tuple[Signal, ...] = ("hate", "offensive", "harassment", "sexual")


def _speed(classifier: Classifier, held: Sequence[Row]) -> float:
    """Return the median speed over rounds of texts that no memory can hold."""
    words = sorted({word for row in held for word in row.text.split()})
    chance = random.SystemRandom()
    rounds = [
        [" ".join(chance.sample(words, 30)) for _ in range(_SPEED_TEXTS)]
        for _ in range(_SPEED_ROUNDS + 1)
    ]
    return median([texts_per_second(classifier.score, texts) for texts in rounds][1:])


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    ruled = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in ruled)


def _shown(found: Estimate) -> str:
    if np.isnan(found.value):
        return "–"
    return f"{_decimal(found.value)} [{_decimal(found.low)}, {_decimal(found.high)}]"


def _decimal(value: float) -> str:
    """Write a share in three decimals without the leading zero.

    >>> _decimal(0.9041), _decimal(1.0)
    ('.904', '1.000')
    """
    text = f"{value:.3f}"
    return text.removeprefix("0") if 0 <= value < 1 else text
