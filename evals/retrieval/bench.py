"""Measure the search: `python -m evals.retrieval.bench --corpus DIR`.

DIR holds the Markdown documents of github.com/github/site-policy (CC0), which are not part of this
repository. Questions 1 to 135 were written before any ranking was seen, the others before any of
them was ranked. What the search had to choose, the weight of words and how an entry's parts count,
was chosen on the `dev` half and on `evals/sets/dev.jsonl`. The `test` half and `golden.jsonl` took
no part in it, but were not seen once only: a first version, in which an entry counted by its best
parts alone, found fewer of the test half among the first five (.83) than plain meaning did (.86).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from evals.golden import read_golden
from evals.metrics import Estimate
from evals.retrieval.questions import Split, read_questions
from evals.retrieval.ranks import found, recall, recall_gain
from policies.reading import load_rulebook
from retrieval.documents import read_documents
from retrieval.embedder import Embedder, open_embedder
from retrieval.entries import EntryIndex, by_words, open_entries, rank
from retrieval.index import open_policy_index

_DEPTHS = (1, 5, 8)
_DEEPEST = max(_DEPTHS)
_ALL_PARTS = 200  # parts of documents that surely hold eight documents

Asked = Sequence[tuple[str, Collection[str]]]
"""Questions, each with the ids of the entries that answer it."""
Search = Callable[[str], list[str]]


def searches(index: EntryIndex) -> Mapping[str, Search]:
    """Return the fused search first, and what it has to beat."""

    def fused(query: str) -> list[str]:
        hits = rank(index, query, limit=_DEEPEST)
        return [index.entries[hit.position].id for hit in hits]

    def words(query: str) -> list[str]:
        scores = by_words(index, query)
        return [index.entries[position].id for position in sorted(scores, key=lambda p: -scores[p])]

    def meaning(query: str) -> list[str]:
        hits = rank(index, query, limit=len(index.entries))
        best = sorted(hits, key=lambda hit: -hit.dense)
        return [index.entries[hit.position].id for hit in best]

    def plain(query: str) -> list[str]:
        """Chroma as it comes: the nearest parts, and whatever they belong to."""
        vectors = index.embedder.embed([query])
        parts = index.stored.collection.query(query_embeddings=vectors, n_results=_ALL_PARTS)
        owners = (index.owners[int(part)] for part in parts["ids"][0])
        return [index.entries[position].id for position in dict.fromkeys(owners)]

    return {"fused": fused, "BM25 alone": words, "dense alone": meaning, "Chroma's query": plain}


def compared(index: EntryIndex, asked: Asked) -> Iterator[str]:
    """Yield the rows of a Markdown table: recall of every search, and what fusing gains."""
    heads = [f"recall@{depth} [95 %]" for depth in _DEPTHS]
    yield from _row("search", *heads, "fused is better by, recall@5")
    yield from _row(*["---"] * (len(heads) + 2))
    hits: dict[str, dict[int, list[bool]]] = {}
    for name, search in searches(index).items():
        answers = [(search(question), accepted) for question, accepted in asked]
        hits[name] = {
            depth: [found(ranked, accepted, depth) for ranked, accepted in answers]
            for depth in _DEPTHS
        }
        gain = recall_gain(hits["fused"][5], hits[name][5])
        recalls = [_shown(recall(hits[name][depth])) for depth in _DEPTHS]
        yield from _row(name, *recalls, "" if name == "fused" else _shown(gain))


def corpus_questions(split: Split) -> Asked:
    """Return the questions of one half."""
    return [(one.question, one.files) for one in read_questions() if one.split == split]


def golden_posts(name: str) -> Asked:
    """Return the violating cases of a shipped set, each with the sections that it breaks."""
    with resources.as_file(resources.files("evals") / "sets" / name) as path:
        cases = read_golden(path, load_rulebook(None))
    return [
        (one.case.text, one.expected.sections)
        for one in cases
        if one.expected.decision == "violating" and one.case.kind == "content"
    ]


def timed(index: EntryIndex, asked: Asked) -> str:
    """Return the median and the 95th percentile of a search, in milliseconds."""
    rank(index, asked[0][0], limit=_DEEPEST)
    seconds = []
    for question, _ in asked:
        start = time.perf_counter()
        rank(index, question, limit=_DEEPEST)
        seconds.append(time.perf_counter() - start)
    median, slow = np.quantile(seconds, [0.5, 0.95]) * 1000
    return f"search p50 {median:.0f} ms, p95 {slow:.0f} ms"


def report(corpus: Path, embedder: Embedder, home: Path) -> Iterator[str]:
    """Yield the lines of the report."""
    start = time.perf_counter()
    documents = open_entries(home, "documents", read_documents(corpus, embedder), embedder)
    seconds = time.perf_counter() - start
    yield f"{len(documents.entries)} documents, {len(documents.owners)} parts: "
    yield f"index built in {seconds:.1f} s; {timed(documents, corpus_questions('test'))}\n"
    halves: tuple[tuple[Split, str], ...] = (("test", "reported"), ("dev", "used for choosing"))
    for split, use in halves:
        asked = corpus_questions(split)
        yield f"\n{len(asked)} questions of the {split} half ({use}):\n\n"
        yield from compared(documents, asked)
    start = time.perf_counter()
    rulebook = open_policy_index(load_rulebook(None), embedder, home).sections
    seconds = time.perf_counter() - start
    yield f"\nShipped rulebook: {len(rulebook.entries)} sections, {len(rulebook.owners)} parts: "
    yield f"index built in {seconds:.1f} s; {timed(rulebook, golden_posts('golden.jsonl'))}\n"
    for name, use in (("golden.jsonl", "reported"), ("dev.jsonl", "used for choosing")):
        asked = golden_posts(name)
        yield f"\n{len(asked)} violating posts of {name} ({use}):\n\n"
        yield from compared(rulebook, asked)


def main() -> None:
    """Print the report as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of Markdown documents")
    parser.add_argument("--threads", type=int, default=0, help="0 means every core")
    options = parser.parse_args()
    embedder = open_embedder(threads=options.threads)
    with tempfile.TemporaryDirectory() as home:
        for line in report(options.corpus, embedder, Path(home)):
            sys.stdout.write(line)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |\n"


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    main()
