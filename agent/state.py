"""What travels through the graph: plain JSON data, so that any checkpointer can keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from agent.model import ReviewerModel
from agent.reading_copy import ReadingCopy
from agent.verdict import PrecedentReference
from policies.rulebook import Rulebook, Section
from tools.tool import Tool


class ReviewState(TypedDict, total=False):
    """One review in progress. Each node's docstring says which keys it reads and writes."""

    case: dict[str, Any]
    sources: dict[str, str]
    reading: str
    language: str
    links: list[str]
    signs: list[str]
    shown: list[str]
    precedents: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    rounds: int
    draft: dict[str, Any] | None
    faults: list[dict[str, str]]
    repairs: int
    stopped: dict[str, str] | None
    proved: list[dict[str, Any]]
    usage: dict[str, float]
    started: float
    verdict: dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What one review may spend."""

    tool_calls: int = 12
    tool_seconds: float = 10.0
    rounds: int = 6
    sections: int = 12


@dataclass(frozen=True)
class Desk:
    """Everything that a review needs and that is not the case: bound once, shared by threads.

    The seams are plain functions, so that a test or a replay puts recorded answers in their place.
    """

    rulebook: Rulebook
    model: ReviewerModel
    tools: tuple[Tool, ...]
    prompts: str
    """The hash of the prompt files."""
    sections: Callable[[str], Sequence[Section]]
    """The sections that bear on a text, best first."""
    precedents: Callable[[str], Sequence[PrecedentReference]]
    """The decided cases nearest to a text."""
    account_texts: Callable[[str], Mapping[str, str]]
    """What an account says of itself and has posted lately, by name of the place."""
    signs: Callable[[ReadingCopy], Sequence[str]]
    """Signs that a text tries to steer whoever judges it."""
    language: Callable[[str], str]
    """The language of a text as a two-letter code, or nothing where that cannot be told."""
    use: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    """Run a tool on the list with what the model says; see `tools.list.use_tool`."""
    clock: Callable[[], float]
    """Seconds that only grow."""
    limits: Limits = field(default_factory=Limits)
