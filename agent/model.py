"""What a reviewer model is asked, and what it may answer.

Two questions only: *what else do you need to know?* and *what do you conclude?* The same graph
serves every model; a model sees a brief and nothing else, and answers with calls or with a draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from agent.case import Case
from agent.verdict import AbstainReason, Draft, PrecedentReference, Usage
from errors import ModelError
from policies.rulebook import Section
from tools.tool import Tool

if TYPE_CHECKING:
    from agent.llm.asking import Pays


@dataclass(frozen=True)
class ToolCall:
    """Something that the model wants to know."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolAnswer:
    """What came of a call: a result, or an error that the model may read and learn from."""

    call: ToolCall
    result: Mapping[str, Any] | None = None
    error: str | None = None

    @property
    def finding(self) -> str:
        """One sentence for the evidence of a verdict."""
        if self.result is None:
            return f"no answer: {self.error}"
        return str(self.result["finding"])


@dataclass(frozen=True)
class Fault:
    """Why a draft does not stand; the model reads the message when it is asked again."""

    code: str
    message: str


@dataclass(frozen=True)
class Brief:
    """All that a model is told about a case. Everything in it but the sections is hostile data."""

    case: Case
    sources: Mapping[str, str]
    """What may be quoted: `text`, `link 1`, for an account its profile and recent posts."""
    reading: str
    """The undressed text: what retrieval and the classifier see (see reading_copy)."""
    language: str
    links: tuple[str, ...]
    signs: tuple[str, ...]
    """Signs that the content tries to steer whoever judges it."""
    sections: tuple[Section, ...]
    """The sections that may be cited."""
    never_auto: frozenset[str]
    """The policies among them whose cases a machine never closes."""
    precedents: tuple[PrecedentReference, ...]
    tools: tuple[Tool, ...]
    answers: tuple[ToolAnswer, ...] = ()
    calls_left: int = 0
    draft: Draft | None = None
    """The draft that was refused, when the model is asked once more."""
    faults: tuple[Fault, ...] = ()
    """Why it was refused."""


@dataclass(frozen=True)
class Consultation:
    """What else the model needs to know; no calls means that it is ready to conclude."""

    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Conclusion:
    """What the model concludes."""

    draft: Draft
    usage: Usage = field(default_factory=Usage)


class NoConclusionError(ModelError):
    """The model has no usable answer: a typed reason to abstain, never to allow."""

    def __init__(self, reason: AbstainReason, message: str, *, usage: Usage | None = None) -> None:
        """Keep the reason for the verdict, and what the failed attempts have cost."""
        super().__init__(message)
        self.reason: AbstainReason = reason
        self.usage = usage or Usage()


class ReviewerModel(Protocol):
    """What thinks inside the graph."""

    @property
    def name(self) -> str:
        """The model and its state, such as `embedded@3f9a…`; it stands in every verdict."""

    def consult(self, brief: Brief) -> Consultation:
        """Return what else the model needs to know.

        Raises:
            ModelError: There is no usable answer.
        """

    def decide(self, brief: Brief) -> Conclusion:
        """Return what the model concludes.

        Raises:
            ModelError: There is no usable answer.
        """


@runtime_checkable
class PaidModel(Protocol):
    """A reviewer model whose every question costs money."""

    def paid_by(self, purse: Pays) -> Self:
        """Return the same model with everything that it asks paid from `purse`."""


@runtime_checkable
class LeaningModel(Protocol):
    """A reviewer model that can say how far a text leans towards one section."""

    def leaning(self, section_id: str, text: str) -> float:
        """Return what the words of a text and of a section add to the log-odds of a violation."""
