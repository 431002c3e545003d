"""What a server can do, found out by asking: its documentation and its version do not tell."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from agent.llm.exchange import (
    CircuitOpenError,
    Message,
    Mode,
    OfferedTool,
    Provider,
    RefusedRequestError,
    Reply,
    Request,
    UnavailableError,
)

_ENOUGH_TOKENS = 2_000
"""Models that think first use up some hundred before they say a word."""
_NOT_ABOUT_THE_FORM = frozenset({401, 402, 403})


@dataclass(frozen=True)
class Capabilities:
    """What a server can do for us, each tried once."""

    tools: bool
    """It calls a tool that is offered, where it is told to."""
    forced_tools: bool
    """It calls the tool that it is forced to call, and no other."""
    json_schema: bool
    """It holds the model to a JSON schema, against what the model would rather say."""
    json_mode: bool
    """It answers in JSON where it is asked for that, bound to it or not."""
    logprobs: bool
    """It tells how probable the tokens of its answer were."""


def probe(provider: Provider) -> Capabilities:
    """Return what the server behind `provider` can do; six short requests.

    Give it a provider without retries: a refusal is what it wants to see.

    Raises:
        ProviderError: The server does not even answer a plain question, or refuses the key.
    """
    words, tool = _asked()["words"], _tool()
    provider.send(_request(words["greet"]))
    return Capabilities(
        tools=_can(provider, _request(words["ask_for_tool"], tools=(tool,)), _calls_it),
        forced_tools=_can(
            provider,
            _request(words["greet"], tools=(tool,), forced_tool=tool.name, mode="tools"),
            lambda reply: len(reply.calls) == 1 and _calls_it(reply),
        ),
        json_schema=_can(
            provider,
            _request(words["greet"], mode="json_schema", answer_schema=tool.parameters),
            lambda reply: _fits(reply.text),
        ),
        json_mode=_can(
            provider,
            _request(words["greet_in_json"], mode="json"),
            lambda reply: isinstance(_parsed(reply.text), dict),
        ),
        logprobs=_can(
            provider, _request(words["greet"], logprobs=True), lambda reply: bool(reply.logprobs)
        ),
    )


def best_mode(capabilities: Capabilities) -> Mode:
    """Return the mode in which a server's answers are worth most.

    A schema binds the model letter by letter; a forced tool binds it on most servers; JSON is at
    least JSON; and every model can write text.
    """
    if capabilities.json_schema:
        return "json_schema"
    if capabilities.forced_tools:
        return "tools"
    return "json" if capabilities.json_mode else "text"


def _can(provider: Provider, request: Request, judged: Callable[[Reply], bool]) -> bool:
    """Whether the reply to `request` shows the ability; a server that refuses has not got it."""
    try:
        return judged(provider.send(request))
    except RefusedRequestError as error:
        if error.status in _NOT_ABOUT_THE_FORM:
            raise
    except CircuitOpenError:
        raise
    except UnavailableError as error:
        if error.status is None:  # nobody answered: that is no refusal
            raise
    return False


@lru_cache(maxsize=1)
def _asked() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("agent") / "llm" / "probe.toml").read_text("utf-8"))


def _tool() -> OfferedTool:
    told = _asked()["tool"]
    field = {"type": "string", "enum": [told["only_value"]]}
    schema = {
        "type": "object",
        "properties": {told["field"]: field},
        "required": [told["field"]],
        "additionalProperties": False,
    }
    return OfferedTool(told["name"], told["description"], schema)


def _request(text: str, **changes: Any) -> Request:
    return Request(
        system=(_asked()["words"]["system"],),
        messages=(Message("user", text),),
        max_output_tokens=_ENOUGH_TOKENS,
        **changes,
    )


def _calls_it(reply: Reply) -> bool:
    told = _asked()["tool"]
    return any(call.name == told["name"] and _fits(call.arguments) for call in reply.calls)


def _fits(text: str) -> bool:
    told = _asked()["tool"]
    return bool(_parsed(text) == {told["field"]: told["only_value"]})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
