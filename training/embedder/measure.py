"""What a way of storing the model costs and what it gains, as the rows of a Markdown table.

    python -m training.embedder.measure --texts FILE.jsonl … --corpus DIR

FILE holds texts under `text`; every `--step`-th of each is used. DIR holds the documents that the
questions of `evals.retrieval` are about. The figures stand in models/embedder/CARD.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from evals.retrieval.questions import read_questions
from evals.retrieval.ranks import found
from retrieval.documents import read_documents
from retrieval.embedder import Embedder, Vectors, open_embedder
from retrieval.entries import open_entries, rank
from training.embedder import source, storage
from training.embedder.folder import write_folder

STORAGES = {
    "fp32, as published": storage.FULL,
    "fp16": storage.HALF,
    "int8, one scale for 64 weights (shipped)": storage.BLOCKS,
    "int8, one scale a row": storage.ROWS,
    "int8, one scale a row, activations too": storage.DYNAMIC,
}
_TIMED = 60  # texts of a round
_ROUNDS = 7
_DEPTH = 5


@dataclass(frozen=True)
class Footprint:
    """What a stored model takes on this machine."""

    load_seconds: float
    memory_mb: float
    """What the process holds more after loading the model and embedding."""
    texts_per_second: float
    """In the fastest of several rounds: other programs only ever make it slower."""


def footprint(model: Path, ids: Sequence[Sequence[int]], threads: int) -> Footprint:
    """Load and run a model in this process, which should be a new one."""
    import onnxruntime  # noqa: F401 - its own memory and time are not the model's

    before = _memory_mb()
    start = time.perf_counter()
    session = _session(model, threads)
    load = time.perf_counter() - start
    fastest = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for text in ids:
            session.run(["vectors"], {"ids": np.array([text], np.int64)})
        fastest = min(fastest, time.perf_counter() - start)
    return Footprint(load, _memory_mb() - before, len(ids) / fastest)


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


def rows(origin: source.Source, texts: Sequence[str], corpus: Path | None) -> Iterator[str]:
    """Yield a row for each way of storing the model; the first one is the yardstick."""
    true: Vectors | None = None
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, kind) in enumerate(STORAGES.items()):
            folder = Path(scratch) / str(number)
            write_folder(origin, kind, folder, name=f"measured-{number}")
            model = folder / "model.onnx"
            embedder = open_embedder(threads=1, folder=folder)
            vectors = embedder.embed(texts)
            true = vectors if true is None else true
            cosines = (vectors * true).sum(axis=1)
            yield f"| {name} | {model.stat().st_size / 1e6:.1f} "
            yield f"| {cosines.mean():.5f} | {cosines.min():.5f} "
            yield f"| {recall(embedder, corpus) if corpus else float('nan'):.3f} "
            ids = _ids(origin.tokenizer, texts[:_TIMED], embedder.window)
            yield _cells(*(_in_a_new_process(model, ids, threads) for threads in (1, 2)))


def _ids(tokenizer: str, texts: Sequence[str], window: int) -> list[list[int]]:
    encoder = Tokenizer.from_str(tokenizer)
    encoder.enable_truncation(window)
    return [encoder.encode(text).ids for text in texts]


def _cells(one: Footprint, two: Footprint) -> str:
    return (
        f"| {one.texts_per_second:.0f} | {two.texts_per_second:.0f} "
        f"| {one.load_seconds:.2f} | {one.memory_mb:.0f} |\n"
    )


def _in_a_new_process(model: Path, ids: Sequence[Sequence[int]], threads: int) -> Footprint:
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        return fresh.apply(footprint, (model, ids, threads))


def _session(model: Path, threads: int) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(model), options)


def _memory_mb() -> float:
    """Return the memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


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
        for cells in rows(source.read(folder), texts, options.corpus):
            print(cells, end="", flush=True)


if __name__ == "__main__":
    main()
