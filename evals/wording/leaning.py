"""Whether an edit is read as another rule, by how far the cases lean otherwise under it.

Most cases stand far from any line, and an abstention hides how far one leans: many edits are read
as another rule long before a verdict turns. A model that can say what the words of a text and of a
section add to the log-odds of a violation is asked for that, case by case, under both wordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from agent.model import LeaningModel
from agent.reading_copy import reading_copy
from evals.wording.difference import Difference, Part
from evals.wording.judging import Judged
from evals.wording.side_by_side import Sides

OTHER = 0.17
ALIKE = 0.11
"""Drawn by the 24 harmless and 24 meaningful edits of `tuning.toml`, with the reader before: none
that changes nothing moved the cases further on average than the first, and none that changes the
meaning less than the second. With the reader that ships two of the harmless ones do, and two of the
others."""
FEWEST = 5
"""Of fewer cases nothing is told."""
MOST_READ = 30
"""So many cases are read, those that the edited section is nearest to: as many as the lines were
drawn by. Cases about something else would hide what the others show."""
WORDS: frozenset[Part] = frozenset({"title", "rule", "violates", "allowed"})
"""The parts of a section that a reviewer reads, and nothing else follows from."""


@dataclass(frozen=True)
class Leanings:
    """How far cases lean otherwise under the new wording."""

    cases: int
    moved: float
    """How far a case moves on average, in log-odds; of several edited sections, on the one that
    moves it furthest."""
    words_alone: bool
    """Whether nothing was edited but words that a reviewer reads."""

    @property
    def is_other(self) -> bool:
        """Whether another rule is read: cases move further than under harmless edits."""
        return self.moved >= OTHER

    @property
    def is_alike(self) -> bool:
        """Whether the same rule is read: a few flips are noise then."""
        return self.words_alone and self.moved < ALIKE


def leanings(touched: Sequence[Judged], sides: Sides, edited: Difference) -> Leanings | None:
    """Return how far the cases that an edit can touch lean otherwise.

    None where the model cannot say, where no section stands in both wordings, or on few cases.
    """
    both = [edit.section for edit in edited.sections if edit.old and edit.new]
    old, new = sides.old.desk.model, sides.new.desk.model
    if not both or not isinstance(old, LeaningModel) or not isinstance(new, LeaningModel):
        return None
    texts = [reading_copy(one.item.case.text or "").text for one in _nearest(touched, both)]
    texts = [text for text in texts if text.strip()]
    if len(texts) < FEWEST:
        return None
    steps = [
        max(abs(new.leaning(name, text) - old.leaning(name, text)) for name in both)
        for text in texts
    ]
    return Leanings(len(texts), fmean(steps), _words_alone(edited))


def _nearest(touched: Sequence[Judged], sections: Sequence[str]) -> Sequence[Judged]:
    """Return the cases that the sections came nearest to under the old wording."""

    def place(one: Judged) -> int:
        order = list(one.old.sections_considered)
        return min((order.index(name) for name in sections if name in order), default=len(order))

    return sorted(touched, key=place)[:MOST_READ]


def _words_alone(edited: Difference) -> bool:
    return not edited.policies and all(
        edit.old and edit.new and set(edit.parts) <= WORDS for edit in edited.sections
    )
