"""What the encoder answers: every label, and what single sets mean by a label that many share.

Who wrote "hate" on a row meant one thing in one set and another in the next. A head a set takes
that apart, and the classifier weighs the heads. A sentence of ours that carries no label carries
none in the sense of any set: it keeps those heads from going by the name of a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from training.classifier.rows import LABELS, Row
from training.encoder.rows import ON_EMOJI

Head = tuple[Signal, str]
"""A label, and the set whose answers count; "" for all of them."""

HEADS: Sequence[Head] = (
    *((label, "") for label in LABELS),
    ("hate", "hatexplain"),
    ("hate", "hatemoji"),
    ("hate", "davidson"),
    ("offensive", "hatexplain"),
    ("offensive", "davidson"),
    ("offensive", "toxic_spans"),
    ("hate", "openai_moderation"),
    ("harassment", "openai_moderation"),
    ("violence", "openai_moderation"),
    ("self_harm", "openai_moderation"),
    ("sexual", "openai_moderation"),
)
SHARED = 0.5
"""What an answer weighs for the head of all sets, where it also has one of its own."""
ASSUMED = 0.3
"""What an absence weighs that nobody looked for (training/classifier/rows.py)."""
AS_SET: Mapping[str, str] = {ON_EMOJI: "hatemoji"}
"""Sentences of ours that were written to mean what a set means."""

Reals = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Told:
    """What is known of each row: float32 arrays of shape (rows, heads)."""

    y: Reals
    weight: Reals
    """0 where a head's answer is unknown."""


def told(rows: Sequence[Row]) -> Told:
    """Return what the heads are to say of each row."""
    place: Mapping[Head, int] = {head: number for number, head in enumerate(HEADS)}
    y = np.zeros((len(rows), len(HEADS)), np.float32)
    weight = np.zeros_like(y)
    for number, row in enumerate(rows):
        if row.source == "own" and set(row.known) == set(LABELS) and not any(row.known.values()):
            weight[number, len(LABELS) :] = SHARED
        source = AS_SET.get(row.source, row.source)
        for label, answer in row.known.items():
            own = place.get((label, source)) if label not in row.assumed else None
            alone = ASSUMED if label in row.assumed else 1.0
            y[number, place[label, ""]] = answer
            weight[number, place[label, ""]] = alone if own is None else SHARED
            if own is not None:
                y[number, own], weight[number, own] = answer, 1.0
    return Told(y, weight)
