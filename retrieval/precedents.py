"""Decided cases, searched by meaning for those that resemble a text.

Only texts and ids live here. What was decided, under which version of which section, and whether
that still stands, the records know; whoever asks joins the two.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from retrieval.embedder import Embedder
from retrieval.entries import Entry, EntryIndex, Part, by_meaning, open_entries
from retrieval.store import clear_out, newest, reading

_KIND = "precedents"
_KEPT = 3  # older states of the collection that stay, for programs that still start with them


@dataclass(frozen=True)
class PrecedentHit:
    """A decided case, and how much it resembles the text."""

    case_id: str
    similarity: float
    """Cosine of the nearest two windows."""


@dataclass
class PrecedentIndex:
    """Decided cases ready to be searched; empty until `sync`. Safe to share between threads."""

    embedder: Embedder
    home: Path
    cases: EntryIndex | None = None
    syncing: threading.Lock = field(default_factory=threading.Lock)


def open_precedent_index(embedder: Embedder, home: Path) -> PrecedentIndex:
    """Return an index without cases; `sync` fills it, from disk where nothing has changed.

    Args:
        embedder: The sentence model.
        home: The folder of this installation's data.
    """
    return PrecedentIndex(embedder, home)


def sync(index: PrecedentIndex, items: Iterable[tuple[str, str]]) -> None:
    """Make `index` hold exactly `items`: case ids and their texts.

    Texts that were embedded before are not embedded again, but a change writes the collection
    anew; so add cases in batches. Searches that go on meanwhile see the old cases or the new.

    Raises:
        RecordsError: The folder cannot be written, or the disk is full.
    """
    entries = [
        Entry(case_id, text, tuple(Part("text", window) for window in index.embedder.windows(text)))
        for case_id, text in sorted(dict(items).items())
        if text.strip()
    ]
    with index.syncing:
        if not entries:
            index.cases = None
            return
        index.cases = open_entries(
            index.home, _KIND, entries, index.embedder, known=lambda: _known(index)
        )
        clear_out(index.home, _KIND, keep=_KEPT)


def nearest(index: PrecedentIndex, text: str, *, limit: int = 5) -> list[PrecedentHit]:
    """Return the decided cases that resemble `text` most, nearest first; none if it is blank."""
    cases = index.cases
    if cases is None:
        return []
    return [PrecedentHit(*hit) for hit in by_meaning(cases, text, limit=limit)]


def _known(index: PrecedentIndex) -> dict[str, list[float]]:
    """Return the vectors of the last state of the collection, by text."""
    stored = index.cases.stored if index.cases else newest(index.home, _KIND)
    if stored is None or stored.collection.metadata["embedder"] != index.embedder.name:
        return {}
    with reading(stored):
        old = stored.collection.get(include=["documents", "embeddings"])
    texts, vectors = old["documents"] or [], np.asarray(old["embeddings"]).tolist()
    return dict(zip(texts, vectors, strict=True))
