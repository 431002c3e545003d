"""What can be found, by meaning and by words: sections, documents, decided cases.

An entry is searched in two ways. Its parts, such as single sentences and examples, are compared
with the question by meaning; its whole text is compared by words. Each sees what the other misses:
a post rarely uses the words of the rule that it breaks, and a rare name or term means little to a
small sentence model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from chromadb.api.models.Collection import Collection
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle, TextNode

from policies.rulebook import digest
from retrieval.embedder import Embedder, Vectors, well_formed
from retrieval.llama import add_nodes, cosine, matching_nodes, nearest_nodes
from retrieval.store import Stored, open_stored, reading

WORDS = 0.1
"""What the best match by words adds to a cosine. Chosen on development questions, which no result
is reported on (evals/retrieval)."""

_CANDIDATES = 50  # parts that Chroma and entries that BM25 put forward, to be scored exactly
_LAYOUT = 1  # raise it when the same entries are to be stored differently


@dataclass(frozen=True)
class Part:
    """A piece of an entry that is compared by meaning; what exceeds the model's window is lost."""

    kind: str
    """Such as `sentence` or `example`. All kinds of an entry count the same: by their best part."""
    text: str


@dataclass(frozen=True)
class Entry:
    """Something that can be found."""

    id: str
    text: str
    """Compared by words."""
    parts: tuple[Part, ...]
    """Compared by meaning."""


@dataclass(frozen=True)
class EntryHit:
    """An entry that was found, and why."""

    position: int
    """Where it stands among the entries."""
    score: float
    """What the order follows: `dense` plus `WORDS` times `bm25` over the best `bm25` of all."""
    dense: float
    """Half the cosine of the best part, averaged over the kinds of parts; half that of all parts
    together. The one finds the passage, the other says whether the rest is about it too."""
    bm25: float
    """Match by words (Robertson and Zaragoza 2009); 0 without a word in common."""


@dataclass(frozen=True)
class EntryIndex:
    """Entries ready to be searched; safe to share between threads."""

    name: str
    """What the entries are, and a fingerprint of them, the model and the layout."""
    entries: tuple[Entry, ...]
    embedder: Embedder
    stored: Stored
    """The parts in Chroma; their ids are their numbers, counted through all entries."""
    meaning: BaseRetriever
    # The stemmer below BM25 must not be used by two threads at once.
    stemming: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each entry stands."""
        return {entry.id: position for position, entry in enumerate(self.entries)}

    @cached_property
    def vectors(self) -> tuple[Vectors, ...]:
        """The vectors of each entry's parts: float32 of shape (parts, width)."""
        with reading(self.stored):
            stored = self.stored.collection.get(include=["embeddings"])
        order = np.argsort([int(number) for number in stored["ids"]])
        vectors = np.asarray(stored["embeddings"], np.float32)[order]
        ends = accumulate((len(entry.parts) for entry in self.entries), initial=0)
        return tuple(vectors[start:end] for start, end in pairwise(ends))

    @cached_property
    def centers(self) -> tuple[Vectors, ...]:
        """The direction of each entry's parts together: a unit vector, or zeros without parts."""
        sums = (vectors.sum(axis=0) for vectors in self.vectors)
        return tuple(total / max(float(np.linalg.norm(total)), 1e-9) for total in sums)

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The position of the entry that each part belongs to."""
        return tuple(position for position, entry in enumerate(self.entries) for _ in entry.parts)

    @cached_property
    def words(self) -> BaseRetriever | None:
        """The entries by their words, if they have any."""
        nodes = [
            TextNode(id_=str(position), text=entry.text)
            for position, entry in enumerate(self.entries)
        ]
        return matching_nodes(nodes, limit=_CANDIDATES)


def open_entries(
    home: Path,
    kind: str,
    entries: Sequence[Entry],
    embedder: Embedder,
    *,
    known: Callable[[], Mapping[str, Sequence[float]]] = dict,
) -> EntryIndex:
    """Return an index of `entries`, built on disk if it has not been built before.

    Args:
        home: The folder of this installation's data.
        kind: What the entries are; the collection's name is this and a fingerprint.
        entries: What can be found, in the order that breaks ties.
        embedder: Makes the vectors.
        known: Called when the index has to be built; vectors that this embedder has made, by text.

    Raises:
        RecordsError: The folder cannot be written, or the disk is full.
    """
    entries = tuple(_storable(entry) for entry in entries)
    parts = [(entry, part) for entry in entries for part in entry.parts]

    def fill(collection: Collection) -> None:
        vectors = known()
        nodes = [
            _node(number, entry, part, vectors.get(part.text))
            for number, (entry, part) in enumerate(parts)
        ]
        add_nodes(collection, nodes, embedder)

    name = f"{kind}-{_fingerprint(entries, embedder)}"
    about = {"kind": kind, "embedder": embedder.name}
    stored = open_stored(home, name, size=len(parts), about=about, fill=fill)
    meaning = nearest_nodes(stored.collection, embedder, limit=min(_CANDIDATES, len(parts)))
    return EntryIndex(name, entries, embedder, stored, meaning)


def rank(index: EntryIndex, query: str, *, limit: int) -> list[EntryHit]:
    """Return the entries that bear on `query` by meaning and by words, best first.

    A blank query returns nothing. One that is longer than the model's window is read in windows,
    and a part counts by the window that it fits best.
    """
    if not query.strip() or not index.owners:
        return []
    windows = index.embedder.embed_long(query)
    words = by_words(index, query)
    best = max(words.values(), default=1.0)
    hits = []
    for position in sorted(_near(index, windows).keys() | words.keys()):
        dense, bm25 = _dense(index, windows, position), words.get(position, 0.0)
        score = dense + WORDS * bm25 / best
        hits.append(EntryHit(position, score, dense, bm25))
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def by_meaning(index: EntryIndex, query: str, *, limit: int) -> list[tuple[str, float]]:
    """Return ids and cosines of the entries nearest in meaning, nearest first."""
    if not query.strip() or not index.owners:
        return []
    near = _near(index, index.embedder.embed_long(query))
    hits = sorted(near.items(), key=lambda hit: (-hit[1], hit[0]))
    return [(index.entries[position].id, cosine) for position, cosine in hits[:limit]]


def by_words(index: EntryIndex, query: str) -> dict[int, float]:
    """Return positions and BM25 scores of the entries that share a word with `query`.

    BM25 also returns entries without a word in common, at score 0. Reciprocal rank fusion counts
    their ranks, and so is no better than meaning alone on a small corpus.
    """
    if index.words is None:
        return {}
    with index.stemming:
        nodes = index.words.retrieve(well_formed(query))
    return {int(node.node_id): node.score for node in nodes if node.score and node.score > 0}


def best_parts(index: EntryIndex, windows: Vectors, position: int) -> dict[str, tuple[float, str]]:
    """Return, for each kind of part of an entry, the best cosine and the part that it belongs to.

    Args:
        index: Where the entry stands.
        windows: Vectors of a text's windows: float32 of shape (windows, width).
        position: The position of the entry.
    """
    if not index.entries[position].parts:
        return {}
    nearest = (index.vectors[position] @ windows.T).max(axis=1)
    best: dict[str, tuple[float, str]] = {}
    for part, value in zip(index.entries[position].parts, nearest.tolist(), strict=True):
        if part.kind not in best or value > best[part.kind][0]:
            best[part.kind] = (value, part.text)
    return best


def _dense(index: EntryIndex, windows: Vectors, position: int) -> float:
    best = [value for value, _ in best_parts(index, windows, position).values()]
    if not best:
        return 0.0
    center = float((windows @ index.centers[position]).max())
    return (sum(best) / len(best) + center) / 2


def _near(index: EntryIndex, windows: Vectors) -> dict[int, float]:
    """Return the entries with a part among the nearest to any window, and its cosine."""
    near: dict[int, float] = {}
    for window in windows:
        with reading(index.stored):
            nodes = index.meaning.retrieve(QueryBundle("", embedding=window.tolist()))
        for node in nodes:
            position = index.owners[int(node.node_id)]
            near[position] = max(cosine(node.score), near.get(position, -1.0))
    return near


def _storable(entry: Entry) -> Entry:
    """Return `entry` without half characters, which the database refuses, and blank parts."""
    parts = (Part(part.kind, well_formed(part.text)) for part in entry.parts if part.text.strip())
    return Entry(entry.id, well_formed(entry.text), tuple(parts))


def _fingerprint(entries: Sequence[Entry], embedder: Embedder) -> str:
    content = [
        [entry.id, entry.text, [[part.kind, part.text] for part in entry.parts]]
        for entry in entries
    ]
    return digest([_LAYOUT, embedder.name, content]).removeprefix("sha256:")[:32]


def _node(number: int, entry: Entry, part: Part, vector: Sequence[float] | None) -> TextNode:
    metadata = {"entry": entry.id, "kind": part.kind}
    return TextNode(
        id_=str(number),
        text=part.text,
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        embedding=None if vector is None else list(vector),
    )
