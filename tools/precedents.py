"""Decided cases that resemble this one, of both outcomes, and whether their rule still stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from policies.rulebook import Rulebook
from records.precedents import Precedent
from tools.tool import Arguments, Result, Tool, tool

NEAR = 0.34
"""Cosine from which on a decided case resembles another at all."""

OF_EACH = 2
"""So many of each outcome, so that the nearest side never hides the other."""

Nearest = Callable[[str, int], Sequence[tuple[str, float]]]
"""Ids and cosines of the decided cases nearest to a text, nearest first."""

Decided = Callable[[Sequence[str]], Mapping[str, Precedent]]


class LikeWhat(Arguments):
    """The content that the model wants precedents for."""

    text: str = Field(
        min_length=1,
        max_length=4_000,
        description="The content, or the part of it that matters.",
    )


class FoundPrecedent(BaseModel):
    """A decided case that resembles the one in question."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    decision: Literal["violating", "allowed"]
    section: str
    stale: bool
    """Whether the section has been rewritten, or is gone, since the case was decided."""
    similarity: float
    text: str


class FoundPrecedents(Result):
    """The nearest decided cases of both outcomes, nearest first."""

    precedents: tuple[FoundPrecedent, ...]


def precedents(find: Callable[[str], Sequence[FoundPrecedent]], *, version: str) -> Tool:
    """Bind the search for decided cases to the tool.

    Args:
        find: See `nearest_decided`, with everything but the text bound.
        version: The state of the index that is searched.
    """

    def run(asked: LikeWhat) -> FoundPrecedents:
        """Look up the decided cases that resemble a content, of both outcomes.

        A stale precedent was decided under another wording of its section: weigh it less.
        """
        found = find(asked.text)
        told = ", ".join(_told(precedent) for precedent in found)
        finding = f"resembles {told}" if found else "no decided case resembles this"
        return FoundPrecedents(finding=finding, precedents=tuple(found))

    return tool("precedents", run, arguments=LikeWhat, version=version)


def nearest_decided(
    text: str, *, nearest: Nearest, decided: Decided, rulebook: Rulebook
) -> list[FoundPrecedent]:
    """Return the decided cases that resemble `text`, up to `OF_EACH` of each outcome.

    Overturned decisions are left out: they are how not to decide.
    """
    hits = [(case_id, cosine) for case_id, cosine in nearest(text, 50) if cosine >= NEAR]
    known = decided([case_id for case_id, _ in hits])
    found: list[FoundPrecedent] = []
    for case_id, cosine in hits:
        precedent = known.get(case_id)
        if precedent is None or precedent.overturned:
            continue
        if sum(f.decision == precedent.decision for f in found) < OF_EACH:
            found.append(_found(precedent, cosine, rulebook))
    return found


def _found(precedent: Precedent, cosine: float, rulebook: Rulebook) -> FoundPrecedent:
    section = rulebook.section(precedent.section)
    return FoundPrecedent(
        case_id=precedent.case_id,
        decision=precedent.decision,
        section=precedent.section,
        stale=section is None or section.version != precedent.section_version,
        similarity=round(cosine, 4),
        text=precedent.text,
    )


def _told(precedent: FoundPrecedent) -> str:
    stale = ", stale" if precedent.stale else ""
    return (
        f"{precedent.case_id} ({precedent.decision}, {precedent.section}, "
        f"{precedent.similarity:.2f}{stale})"
    )
