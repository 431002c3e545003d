"""What a case called for, and what it got: the plain data that every metric reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.verdict import Decision, Usage
from policies.rulebook import Severity


@dataclass(frozen=True)
class Grounding:
    """How well the first draft of a review held, before any repair."""

    citations: int = 0
    """Sections that it cited."""
    refused: int = 0
    """Of these, how many code refused: an unknown section, or a quote that does not stand."""
    misquoted: int = 0
    """Of these, how many quote words that do not stand in the content."""
    names_unasked_tool: bool = False
    """Whether its prose tells what a tool found that was never asked, or that gave no answer."""


@dataclass(frozen=True)
class Lookups:
    """What the reviewer asked its tools."""

    calls: int = 0
    failed: int = 0
    """Calls without a result: refused arguments, nothing known, no answer."""
    unneeded: int = 0
    """The same question again, links looked up where there are none, and the like."""
    needed: int = 0
    """Look-ups that the case calls for: its links, its account."""
    missed: int = 0
    """Of these, how many were not made."""


@dataclass(frozen=True)
class Outcome:
    """What a case called for, and what it got."""

    expected: Decision
    decided: Decision
    sections: tuple[str, ...] = ()
    """Every section that a right verdict may cite."""
    cited: tuple[str, ...] = ()
    """The sections that the verdict cites, the surest first."""
    slices: Mapping[str, str] = field(default_factory=dict)
    confidence: float = math.nan
    """How sure the reviewer says it is of its decision."""
    expected_severity: Severity | None = None
    severity: Severity | None = None
    case_id: str = ""
    cluster: str = ""
    """The family of the case: those made from one another fail together. Empty: none."""
    grounding: Grounding | None = None
    lookups: Lookups | None = None
    usage: Usage | None = None


def clusters_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the cluster of each case; a case without one is a cluster of its own.

    >>> clusters_of([Outcome("allowed", "allowed"), Outcome("allowed", "allowed", cluster="twins")])
    ['#0', 'twins']
    """
    return [outcome.cluster or f"#{number}" for number, outcome in enumerate(outcomes)]


def leaning(outcome: Outcome) -> float:
    """Return how far a verdict leans towards `violating`, from 0 to 1.

    The order in which a list sorted by this reviewer would be worked: what it found, the surest
    first; then what it leaves to people; then what it would allow, the least sure first.

    >>> leaning(Outcome("violating", "violating", confidence=0.8))
    0.9
    >>> leaning(Outcome("violating", "abstain", confidence=0.8))
    0.5
    """
    sure = 0.0 if math.isnan(outcome.confidence) else outcome.confidence
    if outcome.decided == "abstain":
        return 0.5
    return 0.5 + sure / 2 if outcome.decided == "violating" else 0.5 - sure / 2
