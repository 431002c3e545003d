"""A server on this machine that speaks the wire protocols of OpenAI and of Anthropic.

What it answers is scripted; what is wrong with a request, it says as strictly as the real ones. In
a test:

    with language_models([Answer("hello"), Refused(429)]) as server:
        provider = OpenAIProvider("any", key=server.key, base_url=server.openai_url)

A list is used up in its order: a request more, or an answer left over, fails the test. A function
is asked for every request. By hand, to try Amicus against it:

    python -m tests.wire.language_models --port 4010 --latency 0.2

Batches of both providers are worked off as well; see `tests.wire.batches` for what may become of
their requests.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.wire import anthropic_wire, batch_apis, openai_wire
from tests.wire.answers import Answer, Asked, Broken, Call, Reaction, Refused, Script, Wire
from tests.wire.batches import Batching, broken_as_told, failing
from tests.wire.loopback import Received, Sent, listening
from tests.wire.pace import Latency, RateLimit, constant, log_normal
from tests.wire.problem import ProblemError
from tests.wire.schema_examples import example_of

KEY = "sk-test-0123456789abcdef"  # of this server alone; it opens nothing else
MODELS = ("small", "large", "gpt-5-thinking")
_PATHS: Mapping[str, Wire] = {
    "/v1/chat/completions": "openai",
    "/v1/messages": "anthropic",
}
AT_ONCE = constant(0.0)
Elsewhere = Callable[[Received], Sent | None]
"""Answers what this server does not know; None leaves it at 404."""


@dataclass
class LanguageModels:
    """The running server: where it is, and what has reached it."""

    script: Script
    models: Sequence[str] | None = None
    """Names that it knows; None knows every name."""
    key: str = KEY
    latency: Latency = AT_ONCE
    limit: RateLimit | None = None
    clock: Callable[[], float] = time.monotonic
    batching: Batching = field(default_factory=Batching)
    elsewhere: Elsewhere = lambda _: None
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    """Requests that were let through, in their order."""
    rejected: int = 0
    """Requests over the hidden limit."""
    most_at_once: int = 0
    thought: float = 0.0
    """Seconds that the model thought, over all requests."""
    _now: int = 0

    @property
    def openai_url(self) -> str:
        """The base address for clients of OpenAI."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base address for clients of Anthropic."""
        return self.url

    @property
    def bodies(self) -> list[Mapping[str, Any]]:
        """What the requests held."""
        return [asked.body for asked in self.asked]

    async def answering(self, received: Received) -> Sent:
        """Answer one request; for `loopback.listening`."""
        path = received.path.partition("?")[0]
        wire = _PATHS.get(path)
        if received.method == "GET" and path == "/v1/models":
            return _sent(200, _listed(self.models or MODELS))
        if received.method == "GET" and path == "/stats":
            return _sent(200, self._stats())
        if wire is None or received.method != "POST":
            batched = batch_apis.answer(received, self.batching, self._react, self._check_key)
            found = batched or self.elsewhere(received)
            return found or _sent(404, {"error": {"message": f"no {path} here"}})
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._exchange(wire, received)
        finally:
            self._now -= 1

    async def _exchange(self, wire: Wire, received: Received) -> Sent:
        try:
            asked = self._checked(wire, received)
        except ProblemError as problem:
            refused = Refused(problem.status, problem.message, problem.code, problem.param)
            return _refusal(wire, refused)
        if self.limit is not None and not self.limit.taken(self.clock()):
            self.rejected += 1
            headers = self.limit.headers()
            return _refusal(wire, Refused(429, "Rate limit reached", headers=headers))
        self.asked.append(asked)
        reaction = self.script(asked)
        thinking = self.latency(asked) if isinstance(reaction, Answer) else 0.0
        self.thought += thinking
        await asyncio.sleep(thinking + reaction.after)
        return _put(reaction, asked)

    def _react(self, wire: Wire, body: Any) -> tuple[Asked, Reaction]:
        """What one request of a batch is answered; nobody thinks, and no limit is felt."""
        asked = Asked(wire, body, {"anthropic-version": "of the batch"}, len(self.asked))
        try:
            self._check(asked)
        except ProblemError as problem:
            return asked, Refused(problem.status, problem.message, problem.code, problem.param)
        self.asked.append(asked)
        return asked, self.script(asked)

    def _checked(self, wire: Wire, received: Received) -> Asked:
        self._check_key(received)
        try:
            body = json.loads(received.body)
        except ValueError:
            raise ProblemError("We could not parse the JSON body of your request.") from None
        if not isinstance(body, dict):
            raise ProblemError("the body is no object")
        asked = Asked(wire, body, received.headers, len(self.asked))
        self._check(asked)
        return asked

    def _check_key(self, received: Received) -> None:
        if self.key and self.key not in _keys_in(received.headers):
            shown = received.headers.get("authorization", "")
            message = f"Incorrect API key provided: {shown}. Find yours in your account."
            raise ProblemError(message, status=401, code="invalid_api_key")

    def _check(self, asked: Asked) -> None:
        (openai_wire if asked.wire == "openai" else anthropic_wire).check(asked)
        if self.models is not None and asked.body["model"] not in self.models:
            message = f"The model '{asked.body['model']}' does not exist"
            raise ProblemError(message, status=404, code="model_not_found")

    def _stats(self) -> dict[str, float]:
        return {
            "let_through": len(self.asked),
            "rejected": self.rejected,
            "thought": self.thought,
            "most_at_once": self.most_at_once,
        }


def _keys_in(headers: Mapping[str, str]) -> tuple[str, str]:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return bearer, headers.get("x-api-key", "")


def _put(reaction: Reaction, asked: Asked) -> Sent:
    """What goes over the wire for a reaction."""
    if isinstance(reaction, Broken):
        return broken_as_told(reaction)
    if isinstance(reaction, Refused):
        return _refusal(asked.wire, reaction)
    request_id = "x-request-id" if asked.wire == "openai" else "request-id"
    headers = {request_id: f"req_{asked.number}", **reaction.headers}
    body = (
        openai_wire.completion(reaction, asked)
        if asked.wire == "openai"
        else anthropic_wire.message(reaction, asked)
    )
    return _sent(200, body, headers)


def _refusal(wire: Wire, refused: Refused) -> Sent:
    worded = openai_wire if wire == "openai" else anthropic_wire
    return _sent(refused.status, worded.error_body(refused), refused.headers)


def _sent(status: int, body: object, headers: Mapping[str, str] | None = None) -> Sent:
    return Sent(status, headers or {}, json.dumps(body).encode())


def _listed(names: Sequence[str]) -> dict[str, Any]:
    entry = {"object": "model", "type": "model", "created": 0, "owned_by": "nobody"}
    return {"object": "list", "data": [{"id": name} | entry for name in names], "has_more": False}


def in_order(left: list[Reaction]) -> Script:
    """Return a script that takes its reactions from the front of `left`."""

    def play(asked: Asked) -> Reaction:
        if not left:
            return Refused(400, f"nobody told this server of request {asked.number + 1}")
        return left.pop(0)

    return play


@contextlib.contextmanager
def language_models(
    script: Script | Sequence[Reaction], *, port: int = 0, **options: Any
) -> Iterator[LanguageModels]:
    """Run a server while the block runs.

    Args:
        script: What it answers: a list that is used up in its order, or a function.
        port: 0 finds one.
        options: Fields of `LanguageModels`.

    Raises:
        AssertionError: The list is not used up at the end of the block.
    """
    left: list[Reaction] = list(script) if isinstance(script, Sequence) else []
    play = in_order(left) if isinstance(script, Sequence) else script
    server = LanguageModels(play, **options)
    with listening(server.answering, port=port) as url:
        server.url = url
        yield server
    assert not left, f"{len(left)} answers were left over"


def obedient(asked: Asked) -> Answer:
    """Do what the request asks for and no more: the forced tool, the schema, or a word."""
    tools = asked.body.get("tools", [])
    for tool in tools:
        described = tool.get("function", tool)
        if described["name"] == asked.forced_tool:
            schema = described.get("parameters") or described.get("input_schema")
            arguments = json.dumps(example_of(schema))
            return Answer(text=None, calls=(Call(described["name"], arguments),))
    form = asked.body.get("response_format") or {}
    form = form.get("json_schema") or (asked.body.get("output_config") or {}).get("format") or form
    if "schema" in form:
        return Answer(json.dumps(example_of(form["schema"])))
    return Answer("{}" if form.get("type") == "json_object" else "hello")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds, on average")
    parser.add_argument("--sigma", type=float, default=0.0, help="log-normal around the average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rates", default="", help="hidden limit, such as 0:50,20:25,40:80")
    parser.add_argument("--burst", type=float, default=10.0)
    parser.add_argument(
        "--tells", choices=["nothing", "milliseconds", "seconds"], default="nothing"
    )
    parser.add_argument("--batch-polls", type=int, default=1, help="looks before a batch ends")
    parser.add_argument("--batch-failures", type=float, default=0.0, help="share of bad fates")
    parser.add_argument("--key", default="", help="the only key that is let in; empty lets all in")
    chosen = parser.parse_args(arguments)
    steps = [step.split(":") for step in chosen.rates.split(",") if step]
    schedule = [(float(at), float(rate)) for at, rate in steps]
    with language_models(
        obedient,
        port=chosen.port,
        key=chosen.key,
        latency=log_normal(chosen.latency, sigma=chosen.sigma, seed=chosen.seed)
        if chosen.sigma
        else constant(chosen.latency),
        limit=RateLimit(schedule, chosen.burst, chosen.tells) if schedule else None,
        batching=Batching(
            polls=chosen.batch_polls, fate=failing(chosen.batch_failures, seed=chosen.seed)
        ),
    ) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
