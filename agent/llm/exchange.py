"""One exchange with a language model, in words that belong to no provider.

A provider turns a `Request` into a `Reply` and every failure into one of the errors below; it never
judges what came back. What came back is not trusted: `agent.llm.structured` does the judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.verdict import AbstainReason, Usage
from errors import ModelError

Role = Literal["user", "assistant", "tool"]
Finish = Literal["stop", "tool_calls", "length", "refusal", "content_filter", "other"]
Mode = Literal["tools", "json_schema", "json", "text"]
"""How structured output is asked for: a forced tool, a schema, JSON only, or JSON inside prose."""


@dataclass(frozen=True)
class OfferedTool:
    """A tool as a provider offers it to the model."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments."""


@dataclass(frozen=True)
class CalledTool:
    """A tool call as it came: the arguments are text that may be anything."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Message:
    """One turn. `calls` belong to the assistant; `call_id` says which call a tool turn answers."""

    role: Role
    text: str
    calls: tuple[CalledTool, ...] = ()
    call_id: str = ""


@dataclass(frozen=True)
class Request:
    """What is sent: a system part that is the same for many cases, and the turns of this one."""

    system: tuple[str, ...]
    """Parts in order; all but the last are byte-identical between cases, so caches can pay."""
    messages: tuple[Message, ...]
    tools: tuple[OfferedTool, ...] = ()
    forced_tool: str | None = None
    answer_schema: Mapping[str, Any] | None = None
    """JSON schema of the answer, where the mode is `json_schema` or `json`."""
    mode: Mode = "text"
    max_output_tokens: int = 2_000
    temperature: float | None = 0.0
    """None, or ignored, where the provider refuses it."""
    seed: int | None = None
    logprobs: bool = False
    """Ask for the log-probability of every token of the answer; ignored where there is no such."""


@dataclass(frozen=True)
class Tokens:
    """What an exchange used, as the provider counts it."""

    input: int = 0
    """All input tokens, cached ones included."""
    output: int = 0
    cached: int = 0
    """Input tokens that were read from the provider's prompt cache."""
    cache_written: int = 0
    """Input tokens that were written to it, where the provider charges for that."""


@dataclass(frozen=True)
class Reply:
    """What came back, untouched and untrusted."""

    text: str
    calls: tuple[CalledTool, ...]
    finish: Finish
    tokens: Tokens
    model: str = ""
    """The model that says it answered."""
    request_id: str = ""
    logprobs: tuple[tuple[str, float], ...] = ()
    """The tokens of the answer with their natural logarithms, where they were asked for."""


@dataclass(frozen=True)
class Deadline:
    """When a review must be over, on the clock that the provider was given."""

    at: float


class ProviderError(ModelError):
    """The provider gave no answer that could be read.

    ProviderError
    ├── RateLimitedError      ask again, later and slower
    ├── UnavailableError      ask again
    │   └── CircuitOpenError  nobody asks for a while
    ├── RefusedRequestError   do not ask again
    └── OutOfTimeError        the deadline passed first

    `retry_after` is in seconds; `status` is the HTTP status, where there was an answer at all.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        """Keep when to try again and the HTTP status, where the provider said so."""
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.status = status


class RateLimitedError(ProviderError):
    """429 or 529: too many requests, or the provider is overloaded. Worth another try, later."""


class UnavailableError(ProviderError):
    """A time-out, a broken connection or a 5xx. Worth another try."""


class CircuitOpenError(UnavailableError):
    """The provider has failed so often that it is left alone for `retry_after` seconds."""


class RefusedRequestError(ProviderError):
    """400 to 404 and the like: the key, the model's name or the request is wrong. Never retried."""


class OutOfTimeError(ProviderError):
    """The deadline of the review passed before there was an answer."""


class Provider(Protocol):
    """Something that answers requests. Safe to share between threads."""

    @property
    def name(self) -> str:
        """Provider and model, such as `openai:gpt-…`; stands in every verdict."""

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        """Return what the model answered, after the retries that are worth it.

        Raises:
            ProviderError: There is no answer.
        """


@dataclass(frozen=True)
class Priced:
    """An exchange and what it cost."""

    reply: Reply
    usage: Usage = field(default_factory=Usage)


def tool_messages(answers: Sequence[tuple[CalledTool, str]]) -> tuple[Message, ...]:
    """Return the turns that give a model the answers to its calls."""
    return tuple(Message("tool", text, call_id=call.id) for call, text in answers)


REASON_OF: Mapping[Finish, AbstainReason] = {
    "length": "model_error",
    "refusal": "model_error",
    "content_filter": "model_error",
    "other": "model_error",
}
"""The abstention that an exchange ends in when it finished like this and could not be repaired."""
