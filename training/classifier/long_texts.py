"""What happens to long texts: are violations thinned out, do harmless ones pile up?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policies.rulebook import Signal
from tools.classifier import Classifier
from training.classifier.measure import scored
from training.classifier.rows import Row

_LENGTHS = (100, 300, 1500)


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
    documents: int
    over_documents: Mapping[Signal, float]
    """The share of real long documents, rules of a website, over the line of each label."""


def long_report(
    classifier: Classifier, held: Sequence[Row], documents: Sequence[str], *, texts: int = 40
) -> LongReport:
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
    real = [replace(held[0], text=text) for text in documents]
    return LongReport(
        texts,
        over,
        share(alone),
        share(within),
        len(documents),
        scored(classifier, real).over(classifier.thresholds),
    )


def site_rules(data: Path) -> list[str]:
    """Return real long texts that break no rule: the documents of a public site policy."""
    folder = data / "policies" / "github_site_policy"
    return [file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.md"))]
