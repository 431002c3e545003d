"""The texts to learn from: the public sets, our sentences, and texts written for this detector.

The written ones (`texts/`) are one idea a family, harmless twins in families of their own. Families
and near-duplicates stay on one side of a fold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.classifier.groups import folds, groups
from training.classifier.learn import Answers, answers
from training.classifier.rows import Row, read_jsonl, read_rows
from training.classifier.train import FOLDS, everyday_rows

TEXTS = Path(__file__).with_name("texts")
HELD = Path(__file__).with_name("held")
WRITTEN = "written"

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """Rows of which it is known whether they are injections, with their groups and folds."""

    rows: Sequence[Row]
    known: Answers
    group: Ints
    fold: Ints

    @property
    def harmless(self) -> Flags:
        """Which rows are everyday texts, as for the classifier's lines.

        The innocent twins of written attacks count: without them the lines are so low that long
        posts cross them for being long.
        """
        return everyday_rows(self.rows)


def material(data: Path) -> Material:
    """Return everything to learn from; `data` holds `train/`.

    Of sets that cannot hold an injection only a fixed sample enters, as for the classifier.

    Raises:
        InputError: A file is missing or a line does not parse; names file and line.
    """
    every = [row for row in read_rows(data) if row.role == "train"]
    every += written()
    known = answers(every, "injection").known
    rows = [row for row, use in zip(every, known.tolist(), strict=True) if use]
    group = groups(rows)
    return Material(rows, answers(rows, "injection"), group, folds(group, FOLDS))


def written(folder: Path = TEXTS) -> Iterator[Row]:
    """Yield the texts that were written for this detector; those in `HELD` only measure it."""
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(read_jsonl(file), start=1):
            yield Row(
                id=f"{WRITTEN}-{file.stem}-{number}",
                text=line["text"],
                source=WRITTEN,
                known={"injection": line["injection"]},
                group_keys=(f"family:{line['family']}",),
                family=line["family"],
            )
