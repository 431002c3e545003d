"""The card of the shipped classifier: what it is, how good it is, where it is weak."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from policies.rulebook import Signal
from retrieval.encoder import open_label_encoder
from tools.classifier import Classifier, open_classifier
from tools.classifier.weights import WEIGHTS_FILE
from tools.classifier.windows import LONG_TOKENS
from training.classifier.encoders import Encoders
from training.classifier.fairness import Gap, harmless_templates, plain_hate_scores, scores_of
from training.classifier.groups import groups
from training.classifier.long_texts import long_report, site_rules
from training.classifier.measure import (
    LabelReport,
    harmless_over,
    held_report,
    label_report,
    scored,
    slices,
    texts_per_second,
    word_overlap_score,
)
from training.classifier.rows import Row
from training.classifier.splits import any_category, hate_splits
from training.classifier.tables import decimal, shown, table
from training.classifier.train import BASE_RATE, Trained, Unseen
from training.classifier.tricks import DisguiseReport, disguise_reports, injection_report

_TEMPLATE = Path(__file__).with_name("card.md")
_SPEED_TEXTS = {False: 5_000, True: 200}
_SPEED_ROUNDS = 3
_LABEL_HEAD = (
    *("label", "n", "positive", "AUC", "AUPRC", "ECE"),
    *("strict line", "recall", "line", "F1", "recall", "FPR", "watch line", "recall"),
)


def card(
    trained: Trained, rows: Sequence[Row], *, data: Path, folder: Path, encoders: Encoders | None
) -> str:
    """Measure the classifier in `folder` and return its card in Markdown."""
    plain = open_classifier(folder=folder)
    encoder = open_label_encoder(threads=1) if encoders else None
    full = open_classifier(encoder, folder=folder)
    best = trained.best
    held = [row for row in rows if row.role == "held"]
    return _TEMPLATE.read_text(encoding="utf-8").format(
        version=full.version,
        plain_version=plain.version,
        encoder=trained.learned.encoder or "none",
        megabytes=(folder / WEIGHTS_FILE).stat().st_size / 1e6,
        training_data=", ".join(trained.learned.training_data),
        base_rate=BASE_RATE,
        rest_rate=1 - BASE_RATE,
        **_label_tables(trained, best),
        any_table=_any_table(trained),
        split_table=_split_table(trained),
        **_injections(trained, best["injection"]),
        disguise_table=_disguise_table(disguise_reports(trained, encoders)),
        **_shipped(full, rows, data),
        **_fairness(plain, full, rows, data),
        plain_speed=_speed(plain, held, encoded=False),
        encoded_speed=_speed(full, held, encoded=True),
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
        "encoded_table": _label_table(full, best),
        "plain_table": _label_table(plain, trained.plain),
        "source_table": table(["label", *sources], by_source),
        "harmless_table": _harmless_table(best),
    }


def _label_table(reports: Mapping[Signal, LabelReport], unseen: Mapping[Signal, Unseen]) -> str:
    return table(
        _LABEL_HEAD,
        (
            [
                label,
                f"{report.rows:,}",
                f"{report.positives:,}",
                shown(report.auc),
                shown(report.average_precision),
                shown(report.calibration),
                decimal(unseen[label].reading.strict_line),
                decimal(report.strict_recall.value),
                decimal(unseen[label].reading.line),
                shown(report.f1),
                shown(report.recall),
                shown(report.false_positives),
                decimal(unseen[label].reading.watch_line),
                shown(report.watch_recall),
            ]
            for label, report in reports.items()
        ),
    )


def _harmless_table(best: Mapping[Signal, Unseen]) -> str:
    shares = {label: harmless_over(unseen) for label, unseen in best.items()}
    sizes = {source: size for source, (size, _) in next(iter(shares.values())).items()}
    return table(
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
    without = f", {decimal(before.value)} without" if before else ""
    return f"{shown(full.auc_by_source[source])}{without}"


def _any_table(trained: Trained) -> str:
    found = any_category(trained)
    rows = next(iter(found.values())).keys()
    return table(
        ["AUPRC, by five folds", *rows],
        ([name, *(shown(estimates[row]) for row in rows)] for name, estimates in found.items()),
    )


def _split_table(trained: Trained) -> str:
    found = hate_splits(trained.material, trained.recipes["hate"])
    return table(["hate, AUC", "value"], ([name, shown(one)] for name, one in found.items()))


def _injections(trained: Trained, unseen: Unseen) -> dict[str, object]:
    found = injection_report(trained, unseen)
    return {
        "innocent": found.innocent,
        "innocent_over": found.innocent_over,
        "injection_line": found.line,
        "variants_found": shown(found.variants),
        "unseen_variants_found": shown(found.unseen_variants),
        "test_found": shown(found.test),
        "test_over": found.test_over,
    }


def _disguise_table(reports: Sequence[DisguiseReport]) -> str:
    head = ["disguise"]
    for report in reports:
        head += [f"{report.label}, n = {report.texts}", "without the reading copy"]
    lines = [["none", *(x for r in reports for x in (f"{r.plain:.1%}", ""))]]
    lines += [
        [name, *(x for r in reports for x in (f"{r.dressed[name]:.1%}", f"{r.unread[name]:.1%}"))]
        for name in reports[0].dressed
    ]
    losses = (x for r in reports for x in (f"{100 * r.loss:.1f} points", ""))
    return table(head, [*lines, ["**lost on average**", *losses]])


def _shipped(full: Classifier, rows: Sequence[Row], data: Path) -> dict[str, object]:
    """Return what is measured with the weights as they are shipped."""
    held = [row for row in rows if row.role == "held"]
    long = long_report(full, held, site_rules(data))
    harmless = {name: scored(full, some) for name, some in slices(rows).items()}
    over = {name: each.over(full.thresholds) for name, each in harmless.items()}
    labels = full.labels
    return {
        "held_table": _held_table(full, held),
        "slice_table": table(
            ["text", "n", *labels],
            (
                [name, str(len(harmless[name].rows)), *(f"{shares[x]:.1%}" for x in labels)]
                for name, shares in over.items()
            ),
        ),
        "long_tokens": LONG_TOKENS,
        "long_texts": long.texts,
        "alone": long.alone,
        "hidden": long.hidden,
        "long_table": table(
            ["words", *labels],
            (
                [f"{words:,}", *(f"{shares[label]:.0%}" for label in labels)]
                for words, shares in long.over.items()
            ),
        ),
        "documents": long.documents,
        "document_table": table(
            ["documents", *labels],
            [[str(long.documents), *(f"{long.over_documents[x]:.0%}" for x in labels)]],
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
                shown(report.auc),
                shown(report.recall),
                shown(report.watch_recall),
                shown(report.false_positives),
            ]
        )
    head = "label|positive|negative|AUC|recall at the line|at the watch line|FPR at the line"
    return table(head.split("|"), lines)


_FAIRNESS_LABELS: tuple[Signal, ...] = ("hate", "offensive", "harassment", "sexual")


def _fairness(
    plain: Classifier, full: Classifier, rows: Sequence[Row], data: Path
) -> dict[str, object]:
    harmless = harmless_templates(data)
    said = scores_of(full, harmless.texts)
    gaps = {
        "with the encoder": harmless.gap(said["hate"]),
        "n-grams only": harmless.gap(scores_of(plain, harmless.texts)["hate"]),
        "plain TF-IDF model of the public hate sets": harmless.gap(
            plain_hate_scores(rows, harmless.texts)
        ),
    }
    watch = {label: full.watch_thresholds[label] for label in _FAIRNESS_LABELS}
    over = np.stack(
        [
            said["hate"] > full.thresholds["hate"],
            *(said[label] > line for label, line in watch.items()),
        ],
        axis=1,
    )
    rates = harmless.rates(over)
    return {
        "templates": len(harmless.texts),
        "gap_table": table(
            ["hate", "highest", "lowest", "gap", "deviation over terms"],
            ([name, *_gap_cells(gap)] for name, gap in gaps.items()),
        ),
        "identity_table": table(
            ["term", "n", "hate, line", *(f"{label}, watch line" for label in watch)],
            [
                ["all harmless", "", *map("{:.1%}".format, over.mean(axis=0).tolist())],
                *(
                    [term, str(int(harmless.terms[term].sum())), *map("{:.1%}".format, shares)]
                    for term, shares in rates.items()
                ),
            ],
        ),
    }


def _gap_cells(gap: Gap) -> list[str]:
    return [
        f"{gap.highest:.1%} ({gap.highest_term})",
        f"{gap.lowest:.1%}",
        f"{gap.width:.1%}",
        f"{gap.deviation:.1%}",
    ]


def _speed(classifier: Classifier, held: Sequence[Row], *, encoded: bool) -> float:
    """Return the median speed over rounds of texts that no memory can hold."""
    words = sorted({word for row in held for word in row.text.split()})
    chance = random.SystemRandom()
    rounds = [
        [" ".join(chance.sample(words, 30)) for _ in range(_SPEED_TEXTS[encoded])]
        for _ in range(_SPEED_ROUNDS + 1)
    ]
    return median([texts_per_second(classifier.score, texts) for texts in rounds][1:])
