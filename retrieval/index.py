"""The rulebook, ready to be searched: which sections bear on a text, and what in them does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from policies.rulebook import Rulebook, Section
from retrieval.embedder import Embedder, Vectors
from retrieval.entries import Entry, EntryHit, EntryIndex, Part, best_parts, open_entries, rank
from retrieval.pieces import pieces

_WHOLE, _SENTENCE, _VIOLATES, _ALLOWED = "whole", "sentence", "violates", "allowed"
_SENTENCE_END = re.compile(r"""(?<=[.!?])["'”’)]*\s+(?=["'“‘(]?[A-Z0-9])""")


@dataclass(frozen=True)
class PolicyIndex:
    """A rulebook ready to be searched; safe to share between threads."""

    rulebook: Rulebook
    sections: EntryIndex

    @property
    def name(self) -> str:
        """Changes with every word of a section and with the sentence model."""
        return self.sections.name


@dataclass(frozen=True)
class SectionHit:
    """A section that bears on a question."""

    section: Section
    score: float
    """What the order follows; comparable within one search only."""
    dense: float
    """Nearness in meaning: a cosine (see `EntryHit`)."""
    bm25: float
    """Match by words; 0 without a word in common."""


@dataclass(frozen=True)
class SectionSimilarity:
    """What in a section is nearest to a text: cosines, and the words they belong to.

    A section without examples of a kind has the cosine 0 and an empty example there.
    """

    section_id: str
    rule: float
    rule_sentence: str
    """Stands word for word in the section's rule."""
    violates: float
    violates_example: str
    allowed: float
    allowed_example: str


def open_policy_index(rulebook: Rulebook, embedder: Embedder, home: Path) -> PolicyIndex:
    """Return the index of `rulebook`, built on disk if this wording was never indexed before.

    Args:
        rulebook: The rules; any other wording has an index of its own beside this one.
        embedder: The sentence model.
        home: The folder of this installation's data.

    Raises:
        RecordsError: The folder cannot be written, or the disk is full.
    """
    entries = [_entry(section, embedder) for section in rulebook.sections]
    return PolicyIndex(rulebook, open_entries(home, "rulebook", entries, embedder))


def search(index: PolicyIndex, query: str, *, limit: int = 8) -> list[SectionHit]:
    """Return the sections that bear on `query`, best first.

    A blank query returns nothing rather than the whole rulebook: a reviewer that cannot say what
    it is looking for should not be handed a section to cite. A long one is asked for piece by piece
    as well, and a section counts by the piece that it fits best: one sentence that breaks a rule
    must not be lost in a page that breaks none.
    """
    sections = index.rulebook.sections
    best: dict[int, EntryHit] = {}
    for text in (query, *pieces(query)):
        for hit in rank(index.sections, text, limit=limit):
            if hit.position not in best or hit.score > best[hit.position].score:
                best[hit.position] = hit
    hits = sorted(best.values(), key=lambda hit: (-hit.score, hit.position))
    return [
        SectionHit(sections[hit.position], hit.score, hit.dense, hit.bm25) for hit in hits[:limit]
    ]


def closest(index: PolicyIndex, text: str, sections: Sequence[str]) -> list[SectionSimilarity]:
    """Return what in each of `sections` is nearest to `text`, in the order of `sections`.

    A text longer than the model's window is read in windows, and the nearest window counts.

    Args:
        index: The rulebook.
        text: What to compare, such as the content of a case.
        sections: Ids; one that the rulebook does not have is left out.
    """
    windows = index.sections.embedder.embed_long(text)
    positions = index.sections.positions
    return [
        _similarity(index.sections, windows, positions[id_]) for id_ in sections if id_ in positions
    ]


def _similarity(entries: EntryIndex, windows: Vectors, position: int) -> SectionSimilarity:
    best = best_parts(entries, windows, position)
    rule, violates, allowed = (
        best.get(kind, (0.0, "")) for kind in (_SENTENCE, _VIOLATES, _ALLOWED)
    )
    return SectionSimilarity(entries.entries[position].id, *rule, *violates, *allowed)


def _entry(section: Section, embedder: Embedder) -> Entry:
    """Return what of a section is searched: all of it, its sentences, its examples.

    Whole sections alone find the right one less often: their examples drown in them.
    """
    return Entry(section.id, section.text, tuple(_parts(section, embedder)))


def _parts(section: Section, embedder: Embedder) -> Iterator[Part]:
    for kind, texts in (
        (_WHOLE, [section.text]),
        (_SENTENCE, sentences(section.rule)),
        (_VIOLATES, section.violates),
        (_ALLOWED, section.allowed),
    ):
        yield from (Part(kind, window) for text in texts for window in embedder.windows(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of `text`, each exactly as it stands there.

    >>> sentences('Do not say "No." Exceptions, e.g. satire, are fine.')
    ['Do not say "No."', 'Exceptions, e.g. satire, are fine.']
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    bounds = zip([0, *ends], [*ends, len(text)], strict=True)
    return [text[start:end].strip() for start, end in bounds]
