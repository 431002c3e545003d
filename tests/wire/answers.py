"""What a simulated language model may do, in words of no provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Wire = Literal["openai", "anthropic"]
"""The two protocols."""


@dataclass(frozen=True)
class Asked:
    """One request that reached the server."""

    wire: Wire
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    """Names in lower case."""
    number: int
    """How many requests came before it."""

    @property
    def system(self) -> str:
        """The system part, its pieces joined as they are."""
        if self.wire == "anthropic":
            return words_in(self.body.get("system", ""))
        turns = [turn for turn in self.body["messages"] if turn["role"] in {"system", "developer"}]
        return "".join(words_in(turn["content"]) for turn in turns)

    @property
    def last_words(self) -> str:
        """The text of the last turn."""
        return words_in(self.body["messages"][-1]["content"])

    @property
    def forced_tool(self) -> str | None:
        """The tool that has to be called, if it is named."""
        choice = self.body.get("tool_choice")
        if not isinstance(choice, dict):
            return None
        name = choice.get("name") or choice.get("function", {}).get("name")
        return name if isinstance(name, str) else None


def words_in(content: object) -> str:
    """Return the text of a message's content, whether it is text or blocks of it."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "".join(str(block.get("text") or block.get("content") or "") for block in blocks)


@dataclass(frozen=True)
class Call:
    """A tool call; the arguments are text, as OpenAI sends them, and may be anything there."""

    name: str
    arguments: str = "{}"
    id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the model says. What is None is left out of the body, or filled in as it should be."""

    text: str | None = ""
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    finish: str | None = None
    """The provider's own word; None is the word that fits."""
    input_tokens: int | None = None
    """All of them, cached ones included; None counts them roughly."""
    output_tokens: int | None = None
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    has_usage: bool = True
    model: str | None = None
    logprobs: tuple[tuple[str, float], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    """Seconds of thinking, on top of the server's own latency."""


@dataclass(frozen=True)
class Refused:
    """An error in the provider's own form."""

    status: int
    message: str = "something is wrong"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass(frozen=True)
class Broken:
    """An answer that no provider should give: these bytes, cut, dripping, or none at all."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    drip: float = 0.0
    reset: bool = False
    after: float = 0.0


Reaction = Answer | Refused | Broken
Script = Callable[[Asked], Reaction]


def calls(name: str, **arguments: object) -> Answer:
    """Return an answer that calls one tool."""
    return Answer(text=None, calls=(Call(name, json.dumps(arguments)),))


def cut(answer: Answer, at: int) -> Answer:
    """Return `answer` ended by the length limit after `at` characters."""
    return replace(answer, text=(answer.text or "")[:at], finish="length")


HANG_UP = Broken(reset=True)
NOT_JSON = Broken(b"<html>502 Bad Gateway</html>", headers={"content-type": "text/html"})
