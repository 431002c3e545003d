"""A provider that plays a script, and the answers that the tests start from."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from agent.llm.asking import Line
from agent.llm.exchange import CalledTool, Deadline, Finish, Provider, Reply, Request, Tokens
from agent.llm.prices import Price
from errors import ModelError

TEXT = "Hello there. Your tulips are a disgrace, honestly."
VERDICT: Mapping[str, Any] = {
    "rationale": "The words belittle a neighbour's plants.",
    "violations": [
        {
            "section": "garden.1",
            "policy_quote": "Do not insult the plants that a neighbour has grown.",
            "content_quote": "Your tulips are a disgrace",
            "why": "It belittles what the neighbour has grown.",
            "severity": "low",
            "confidence": 0.9,
        }
    ],
    "decision": "violating",
    "abstain_reason": None,
    "confidence": 0.9,
    "counterargument": "It may be a joke between friends.",
}
ALLOWED: Mapping[str, Any] = {
    **VERDICT,
    "violations": [],
    "decision": "allowed",
    "rationale": "Nobody's plants are insulted.",
}

Step = Reply | ModelError | Callable[[Request], Reply]


class ScriptedProvider:
    """Plays its replies in order, and keeps what it was asked."""

    def __init__(self, *steps: Step, name: str = "scripted:model") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._steps = deque(steps)

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:  # noqa: ARG002
        self.requests.append(request)
        if not self._steps:
            raise AssertionError(f"asked once too often: {request.messages[-1].text[-300:]}")
        step = self._steps.popleft()
        if isinstance(step, ModelError):
            raise step
        return step(request) if callable(step) else step

    def done(self) -> None:
        assert not self._steps, f"{len(self._steps)} replies were never asked for"


def says(text: str, finish: Finish = "stop", *calls: tuple[str, str]) -> Reply:
    """A reply of text and calls (name and arguments) that used 100 tokens in and 10 out."""
    called = tuple(CalledTool(f"call-{n}", name, args) for n, (name, args) in enumerate(calls))
    return Reply(text, called, finish, Tokens(input=100, output=10))


def concludes(**changes: Any) -> Reply:
    """The verdict on the tulips as a call of the tool; name what should be different."""
    return says("", "tool_calls", ("verdict", json.dumps({**VERDICT, **changes})))


def markers() -> Callable[[], str]:
    """Markers m1, m2, … that a test can foresee."""
    numbers = itertools.count(1)
    return lambda: f"m{next(numbers)}"


def line_to(provider: Provider) -> Line:
    """A line that charges a cent for a thousand tokens."""
    return Line(provider, Price(model="*", input=10, output=10))
