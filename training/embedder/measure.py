"""What a way of storing the model costs and what it gains, as the rows of a Markdown table.

    python -m training.embedder.measure --texts FILE.jsonl … --corpus DIR

FILE holds texts under `text`; every `--step`-th of each is used. DIR holds the documents that the
questions of `evals.retrieval` are about. The figures stand in models/embedder/CARD.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from evals.retrieval.questions import read_questions
from evals.retrieval.ranks import found
from retrieval.documents import read_documents
from retrieval.embedder import Embedder, Vectors, open_embedder
from retrieval.entries import open_entries, rank
from training.embedder import source, storage
from training.embedder.graph import Storage, sentence_encoder

STORAGES = {
    "fp32, as published": storage.FULL,
    "fp16": storage.HALF,
    "int8, one scale for 64 weights (shipped)": storage.BLOCKS,
    "int8, one scale a row": storage.ROWS,
    "int8, one scale a row, activations too": storage.DYNAMIC,
}
_TIMED = 300
_DEPTH = 5


@dataclass(frozen=True)
class Footprint:
    """What a stored model takes on this machine."""

    load_seconds: float
    memory_mb: float
    """Peak of a process that loads the model and embeds; less what the process had before."""
    texts_per_second: float


def footprint(model: Path, texts: Sequence[str], threads: int) -> Footprint:
    """Load and run a model in this process, which should be a new one."""
    embedder = open_embedder(threads=threads)
    before = _peak_mb(reset=True)
    start = time.perf_counter()
    embedder = with_model(embedder, model, threads)
    load = time.perf_counter() - start
    embedder.embed(texts[:20])
    start = time.perf_counter()
    embedder.embed(texts)
    return Footprint(load, _peak_mb() - before, len(texts) / (time.perf_counter() - start))


def with_model(embedder: Embedder, model: Path, threads: int) -> Embedder:
    """Return `embedder` with another graph under it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session: Any = onnxruntime.InferenceSession(str(model), options)
    return replace(embedder, name=f"{model.stem}@measured", _session=session)


def recall(embedder: Embedder, corpus: Path) -> float:
    """Share of the questions whose document is among the first five that the search finds."""
    with tempfile.TemporaryDirectory() as home:
        documents = read_documents(corpus, embedder)
        index = open_entries(Path(home), "documents", documents, embedder)
        hits = [
            found(
                [documents[hit.position].id for hit in rank(index, one.question, limit=_DEPTH)],
                one.files,
                _DEPTH,
            )
            for one in read_questions()
        ]
    return sum(hits) / len(hits)


def rows(origin: source.Source, texts: Sequence[str], corpus: Path | None) -> None:
    """Print a row for each way of storing the model."""
    true: Vectors | None = None
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, kind) in enumerate(STORAGES.items()):
            model = Path(folder) / f"{number}.onnx"
            true = _row(name, kind, origin, model, texts, true, corpus)


def _row(  # noqa: PLR0913, PLR0917 - a row of a table
    name: str,
    kind: Storage,
    origin: source.Source,
    model: Path,
    texts: Sequence[str],
    true: Vectors | None,
    corpus: Path | None,
) -> Vectors:
    model.write_bytes(sentence_encoder(origin.tensors, kind))
    embedder = with_model(open_embedder(threads=1), model, 1)
    vectors = embedder.embed(texts)
    true = vectors if true is None else true
    cosines = (vectors * true).sum(axis=1)
    share = recall(embedder, corpus) if corpus else float("nan")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        one, two = (fresh.apply(footprint, (model, texts[:_TIMED], threads)) for threads in (1, 2))
    size = model.stat().st_size / 1e6
    print(
        f"| {name} | {size:.1f} | {cosines.mean():.5f} | {cosines.min():.5f} | {share:.3f} "
        f"| {one.texts_per_second:.0f} | {two.texts_per_second:.0f} "
        f"| {one.load_seconds:.2f} | {one.memory_mb:.0f} |",
        flush=True,
    )
    return true


def _peak_mb(*, reset: bool = False) -> float:
    """Return the peak memory of this process (Linux), and start counting anew if asked."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Measure every way of storing the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder that already holds the package")
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="JSONL with `text`")
    parser.add_argument("--step", type=int, default=10, help="use every so many-th text")
    parser.add_argument("--most", type=int, default=200, help="texts of a file")
    parser.add_argument("--corpus", type=Path, help="documents that the questions are about")
    options = parser.parse_args()
    texts = [
        json.loads(line)["text"]
        for path in options.texts
        for line in islice(
            path.read_text("utf-8").splitlines(), 0, options.most * options.step, options.step
        )
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.source or Path(scratch)
        if options.source is None:
            source.fetch(folder)
        print(f"{len(texts)} texts of {np.mean([len(text.split()) for text in texts]):.0f} words")
        rows(source.read(folder), texts, options.corpus)


if __name__ == "__main__":
    main()
