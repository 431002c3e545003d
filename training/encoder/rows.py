"""What the encoder learns from beside the classifier's rows, and what it never learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.classifier.rows import Row, read_jsonl

ON_EMOJI = "emoji"
"""The name of the sentences written for the encoder, as a set."""

Flags = npt.NDArray[np.bool_]


def written() -> Iterator[Row]:
    """Yield the sentences on emoji and people; they teach in every fold, nothing is measured on."""
    file = Path(__file__).with_name("emoji.jsonl")
    for number, line in enumerate(read_jsonl(file), start=1):
        yield Row(f"{ON_EMOJI}-{number}", line["text"], ON_EMOJI, {"hate": line["hate"]})


def tested_or_twins(rows: Sequence[Row], group: npt.NDArray[np.int64]) -> Flags:
    """Return which rows are the emoji set's test, or so like one that they give answers away."""
    tested = np.asarray(["split:test" in row.group_keys for row in rows], dtype=np.bool_)
    return np.isin(group, group[tested])
