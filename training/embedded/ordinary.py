"""Texts of the wide world: so that the weights do not know the style of our own sentences alone.

Read from a folder of labelled public sets (models/embedded/CARD.md names them and their licences)
and from the classifier's own sentences; none of it is copied anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

OWN = Path(__file__).resolve().parents[1] / "classifier" / "own"


@dataclass(frozen=True)
class Sample:
    """So many texts of one file, by what its label says."""

    file: str
    label: str
    violates: bool
    count: int


SAMPLES: Sequence[Sample] = (
    Sample("sms_spam.jsonl", "spam", violates=False, count=500),
    Sample("sms_spam.jsonl", "spam", violates=True, count=250),
    Sample("crypto_scam_train.jsonl", "scam", violates=False, count=300),
    Sample("crypto_scam_train.jsonl", "scam", violates=True, count=200),
    Sample("hatexplain.jsonl", "hate", violates=False, count=300),
    Sample("hatexplain.jsonl", "hate", violates=True, count=300),
    Sample("hatemoji_train.jsonl", "hate", violates=False, count=300),
    Sample("hatemoji_train.jsonl", "hate", violates=True, count=300),
)
OWN_COUNT = 1500
HARMLESS_CASES = 200
"""So many harmless texts also go through the whole graph, as cases that break nothing."""


def labelled_texts(data: Path, *, seed: int = 0) -> list[tuple[str, bool]]:
    """Return texts with whether they break some usual rule."""
    random = np.random.default_rng(seed)
    found: list[tuple[str, bool]] = []
    for sample in SAMPLES:
        fitting = [row for row in _rows(data / sample.file) if _fits(row, sample)]
        picked = random.permutation(len(fitting))[: sample.count]
        found += [(str(fitting[n]["text"]), sample.violates) for n in picked]
    own = [row for row in _rows(OWN / "filled.jsonl") if row["split"] == "train"]
    for n in random.permutation(len(own))[:OWN_COUNT]:
        if not own[n]["unsure"] or own[n]["labels"]:
            found.append((own[n]["text"], bool(own[n]["labels"])))
    return found


def harmless_texts(data: Path, *, seed: int = 1) -> list[str]:
    """Return harmless texts that `labelled_texts` does not hold."""
    known = {text for text, _ in labelled_texts(data)}
    rows = _rows(data / "sms_spam.jsonl")
    texts = [str(row["text"]) for row in rows if row["labels"].get("spam") == 0]
    texts = [text for text in dict.fromkeys(texts) if text not in known and len(text) > 20]  # noqa: PLR2004 - a sentence
    picked = np.random.default_rng(seed).permutation(len(texts))[:HARMLESS_CASES]
    return [texts[n] for n in picked]


def _fits(row: dict[str, Any], sample: Sample) -> bool:
    """Whether a row is on the wanted side; one that carries another label is on neither."""
    labels = row["labels"]
    if sample.violates:
        return bool(labels.get(sample.label) == 1)
    return bool(labels.get(sample.label) == 0 and not any(labels.values()))


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
