"""Make `models/injection` again: `python -m training.injection --data DIR`.

Five detectors are learnt without a fold each, written as they would ship, and asked about the texts
of their fold: what ships is calibrated, given its lines and measured by what they say. The one that
ships has learnt from everything.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from retrieval.injection import open_injection_detector
from training.classifier.rows import read_rows
from training.classifier.train import FOLDS
from training.embedder.source import Source, published
from training.injection.calibrate import reading
from training.injection.export import write_folder
from training.injection.learn import learn
from training.injection.measure import Unseen, everyday_texts
from training.injection.network import SHAPE, Detector
from training.injection.rows import Flags, Material, material
from training.injection.vocabulary import trimmed
from training.program import ended

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "injection"
STEPS = 1_000


def main() -> int:
    """Learn, calibrate, and write the folder."""
    given = _arguments()
    return ended(lambda: _make(given))


def _make(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    texts = material(given.data)
    origin = published(given.source)
    unseen = _unseen(origin, texts, given)
    everything = np.ones(len(texts.rows), dtype=np.bool_)
    _learnt(origin, texts, everything, given.steps, given.out, reading(unseen))
    print(f"wrote {given.out}; now python -m training.injection.card measures it")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.injection", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument("--source", type=Path, help="folder with the published weights")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument(
        "--scores", type=Path, required=True, help="kept after each fold, and carried on from"
    )
    return parser.parse_args()


def _unseen(origin: Source, texts: Material, given: argparse.Namespace) -> Unseen:
    """Return the log-odds of every text, by a detector that has not learnt from its fold."""
    unseen = Unseen.read(texts, given.scores) if given.scores.exists() else Unseen.none(texts)
    everyday = everyday_texts(row for row in read_rows(given.data) if row.role == "held")
    for fold in range(FOLDS):
        here = texts.fold == fold
        if not np.isnan(unseen.log_odds[here]).any():
            continue
        print(f"without fold {fold}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            _learnt(origin, texts, ~here, given.steps, Path(folder))
            detector = open_injection_detector(threads=1, folder=Path(folder))
        unseen.ask(detector, here, everyday)
        unseen.write(given.scores)
    return unseen


def _learnt(  # noqa: PLR0913, PLR0917 - what to learn, from which rows, and where to put it
    origin: Source,
    texts: Material,
    use: Flags,
    steps: int,
    out: Path,
    found: dict[str, float] | None = None,
) -> None:
    rows = [row for row, wanted in zip(texts.rows, use.tolist(), strict=True) if wanted]
    tokenizer, kept = trimmed(origin.tokenizer, (row.text for row in rows))
    detector = Detector(origin.tensors, kept)
    learn(detector, rows, Tokenizer.from_str(tokenizer), steps=steps)
    readings = {"reading": found} if found else {}
    write_folder(detector.tensors(), tokenizer, SHAPE, out, **readings)


if __name__ == "__main__":
    sys.exit(main())
