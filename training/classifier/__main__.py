"""Train the classifier, or fill the templates of our own sentences.

    python -m training.classifier --data DIR --out models/classifier [--cache FILE] [--no-embedder]
    python -m training.classifier fill

DIR holds `train/` and `eval_only/`. A run takes about ten minutes on one core, most of it for
sentence vectors, which `--cache` keeps for the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from errors import AmicusError, UsageError
from tools.classifier import Embeds
from training.classifier.card import card
from training.classifier.export import export
from training.classifier.own_sentences import write_filled
from training.classifier.rows import LABELS, read_rows
from training.classifier.train import train


class Remembering:
    """An embedder that keeps its vectors in a file between runs."""

    def __init__(self, embedder: Embeds, file: Path) -> None:
        """Read what `file` holds, if it was made by this very embedder."""
        self.name = embedder.name
        self._embedder = embedder
        self._file = file
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                if str(kept["name"]) == self.name:
                    texts = json.loads(kept["texts"].tobytes())
                    self._vectors = dict(zip(texts, kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one row for each text."""
        new = sorted(set(texts) - self._vectors.keys())
        if new:
            self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])

    def save(self) -> None:
        """Write every vector to the file."""
        np.savez(
            self._file,
            allow_pickle=False,
            name=np.asarray(self.name),
            texts=np.frombuffer(json.dumps(list(self._vectors)).encode(), dtype=np.uint8),
            vectors=np.stack(list(self._vectors.values())),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.classifier", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["train", "fill"], default="train")
    parser.add_argument("--data", type=Path, default=os.environ.get("AMICUS_DATA"))
    parser.add_argument("--out", type=Path, default=Path("models/classifier"))
    parser.add_argument("--cache", type=Path, help="an .npz file that keeps sentence vectors")
    parser.add_argument("--no-embedder", action="store_true")
    given = parser.parse_args(arguments)
    try:
        if given.what == "fill":
            print(f"{write_filled()} sentences")
        else:
            _train(given)
    except AmicusError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


def _train(given: argparse.Namespace) -> None:
    if given.data is None:
        raise UsageError("no data folder was named", hint="Use --data DIR or set AMICUS_DATA.")
    data = Path(given.data)
    embedder = None if given.no_embedder else _embedder(given.cache)
    rows = read_rows(data)
    trained = train(rows, LABELS, embedder=embedder)
    if isinstance(embedder, Remembering):
        embedder.save()
    export(trained.learned, given.out)
    print("measuring …", flush=True)
    text = card(trained, rows, data=data, folder=given.out, embedder=embedder)
    (given.out / "CARD.md").write_text(text, encoding="utf-8")


def _embedder(cache: Path | None) -> Embeds:
    from retrieval.embedder import open_embedder

    embedder = open_embedder(threads=1)
    return Remembering(embedder, cache) if cache else embedder


if __name__ == "__main__":
    sys.exit(main())
