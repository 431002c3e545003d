"""Make `models/encoder` again: `python -m training.encoder --data DIR --folds DIR`.

Five encoders are learnt without a fold each and kept in `--folds`, written as they would ship: the
classifier is fitted to what they say of the texts of their fold, and measured by it. The one that
ships has learnt from all folds. None learns from the test rows of the emoji set or their twins.
With `--only` one of the six is made, so that several can learn side by side.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from training.classifier.groups import folds, groups
from training.classifier.rows import Row, read_rows
from training.classifier.train import FOLDS
from training.embedder.source import Source, published
from training.encoder.export import write_folder
from training.encoder.heads import HEADS
from training.encoder.learn import FROZEN, SHAPE, learn
from training.encoder.network import Encoder
from training.encoder.rows import tested_or_twins, written
from training.injection.vocabulary import trimmed
from training.program import ended

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "encoder"
STEPS = 1_800
ALL = "all"
FEWEST = 2
"""How often a word piece has to occur in the texts to be kept."""

Flags = npt.NDArray[np.bool_]


def main() -> int:
    """Learn, and write the folders."""
    given = _arguments()
    return ended(lambda: _make(given))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument("--source", type=Path, help="folder with the published weights")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--folds", type=Path, required=True, help="keeps fold-0 to fold-4")
    parser.add_argument("--only", choices=[*map(str, range(FOLDS)), ALL])
    return parser.parse_args()


def _make(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    rows = [row for row in read_rows(given.data) if row.role == "train"]
    origin = published(given.source)
    group = groups(rows)
    fold, learnt = folds(group, FOLDS), ~tested_or_twins(rows, group)
    for each in range(FOLDS):
        out = given.folds / f"fold-{each}"
        if given.only in {None, str(each)} and not (out / "config.json").exists():
            print(f"without fold {each}", flush=True)
            _learnt(origin, rows, learnt & (fold != each), given.steps, out)
    if given.only in {None, ALL}:
        print("from all folds", flush=True)
        _learnt(origin, rows, learnt, given.steps, given.out)


def _learnt(origin: Source, rows: list[Row], use: Flags, steps: int, out: Path) -> None:
    # The vocabulary is that of all rows, so that every encoder cuts words alike.
    tokenizer, kept = trimmed(origin.tokenizer, (row.text for row in rows), fewest=FEWEST)
    encoder = Encoder(origin.tensors, kept, SHAPE, outputs=len(HEADS), frozen=FROZEN)
    some = [row for row, wanted in zip(rows, use.tolist(), strict=True) if wanted]
    some += written()
    learn(encoder, some, Tokenizer.from_str(tokenizer), steps=steps)
    write_folder(encoder.tensors(), tokenizer, SHAPE, out)
    print(f"wrote {out}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
