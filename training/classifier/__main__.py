"""Train the classifier, or fill the templates of our own sentences.

    python -m training.classifier --data DIR --folds DIR [--out models/classifier] [--cache DIR]
    python -m training.classifier --data DIR --no-encoder
    python -m training.classifier fill

The data hold `train/` and `eval_only/`; the folds are those that `python -m training.encoder` kept.
A run takes about fifteen minutes on one core, a third of it to ask the encoders, whose answers
`--cache` keeps for the next run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from errors import UsageError
from training.classifier.card import card
from training.classifier.encoders import open_encoders
from training.classifier.export import export
from training.classifier.own_sentences import write_filled
from training.classifier.rows import LABELS, read_rows
from training.classifier.train import FOLDS, train
from training.program import ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.classifier", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["train", "fill"], default="train")
    parser.add_argument("--data", type=Path, default=os.environ.get("AMICUS_DATA"))
    parser.add_argument("--out", type=Path, default=Path("models/classifier"))
    parser.add_argument("--folds", type=Path, help="where training.encoder kept its folds")
    parser.add_argument("--cache", type=Path, help="a folder that keeps what the encoders say")
    parser.add_argument("--no-encoder", action="store_true")
    given = parser.parse_args(arguments)
    return ended(_fill if given.what == "fill" else lambda: _train(given))


def _fill() -> None:
    print(f"{write_filled()} sentences")


def _train(given: argparse.Namespace) -> None:
    if given.data is None:
        raise UsageError("no data folder was named", hint="Use --data DIR or set AMICUS_DATA.")
    if given.folds is None and not given.no_encoder:
        raise UsageError(
            "no folds were named", hint="Use --folds DIR, or --no-encoder for letters alone."
        )
    data = Path(given.data)
    encoders = None if given.no_encoder else open_encoders(given.folds, FOLDS, given.cache)
    rows = read_rows(data)
    trained = train(rows, LABELS, encoders=encoders)
    export(trained.learned, given.out)
    print("measuring …", flush=True)
    text = card(trained, rows, data=data, folder=given.out, encoders=encoders)
    (given.out / "CARD.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
