"""Ask the reader of policy text: which of the sections does the case break, and by which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.embedded.passages import Passage
from agent.quotes import find_quote, fold
from agent.reading_copy import reading_copy
from policies.rulebook import Section

if TYPE_CHECKING:
    from retrieval.reader import Reading

MOST_READ = 6
"""So many sections are read, nearest first: each takes about as long as all similarities."""
SHORT_TEXT = 60
"""A text of at most so many words is read as a whole."""
PASSAGES_OF_LONG = 2
"""Of a longer one so many passages are read, those that come nearest to the section."""
MOST_PASSAGES = 6
"""So many passages are read to find the one that carries a violation."""
LONG_PASSAGE = 12
"""A passage of more words than this is quoted by the words that stand out in it."""
FEWEST_QUOTED = 2

Reads = Callable[[str, str], "Reading"]
"""What the reader makes of a case, the second, under a rule, the first."""


def rule_text(section: Section) -> str:
    """Return what the reader reads of a section: title and rule.

    The examples speak through their similarity instead; read one by one they would cost more than
    the rule itself.
    """
    return f"{section.title}. {section.rule}"


@dataclass(frozen=True)
class Candidate:
    """A section that was shown, how near the case comes to it, and its passages, nearest first."""

    section: Section
    nearness: float
    passages: Sequence[Passage]


def read_sections(candidates: Sequence[Candidate], text: str, reads: Reads) -> dict[str, float]:
    """Return for each section, by id, the log-odds that `text` breaks it.

    The nearest `MOST_READ` are read. The others are given the lowest of these: retrieval did not
    think of them, and the reader was not asked.

    Args:
        candidates: The sections that were shown.
        text: The undressed words of the case.
        reads: The reader.
    """
    nearest = sorted(candidates, key=lambda one: (-one.nearness, one.section.id))[:MOST_READ]
    found = {
        one.section.id: max(
            reads(rule_text(one.section), words).log_odds for words in _read_of(text, one)
        )
        for one in nearest
    }
    lowest = min(found.values(), default=0.0)
    return {one.section.id: found.get(one.section.id, lowest) for one in candidates}


def _read_of(text: str, candidate: Candidate) -> list[str]:
    if len(text.split()) <= SHORT_TEXT:
        return [text]
    return [passage.text for passage in candidate.passages[:PASSAGES_OF_LONG]]


def carrying_words(
    section: Section, pieces: Sequence[Passage], sources: Mapping[str, str], reads: Reads
) -> str:
    """Return the words of the original that carry a violation of `section`.

    Args:
        section: What is violated.
        pieces: The passages that may be quoted, likeliest first; not empty.
        sources: The originals that they were cut from.
        reads: The reader.
    """
    rule = rule_text(section)
    few = pieces[:MOST_PASSAGES]
    loudest = max(few, key=lambda piece: reads(rule, piece.text).log_odds) if few[1:] else few[0]
    if len(loudest.text.split()) <= LONG_PASSAGE:
        return loudest.quote
    start, end = reads(rule, loudest.text).words
    if len(loudest.text[start:end].split()) < FEWEST_QUOTED:
        return loudest.quote
    original = sources[loudest.source]
    span = reading_copy(original).original_span(loudest.start + start, loudest.start + end)
    quote = original[slice(*span)].strip()
    return quote if find_quote(quote, fold(original)) is not None else loudest.quote
