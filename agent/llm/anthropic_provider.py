"""Any server that speaks Anthropic's messages, through the anthropic SDK.

Anthropic itself, and the gateways and servers of one's own that have taken up its protocol.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from agent.llm.exchange import (
    CalledTool,
    Deadline,
    Finish,
    Message,
    OfferedTool,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
)
from agent.llm.transport_errors import Failures
from agent.llm.transport_sdk import PATIENCE, Wire, checked_key, on_the_wire

ANTHROPIC_URL: Final = "https://api.anthropic.com"

MOST_BREAKPOINTS: Final = 4
"""How many cache breakpoints a request may hold."""
_CACHED = {"type": "ephemeral"}
_NOTHING = "(nothing)"  # the API takes no empty text
_FINISHES: Mapping[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnthropicProvider:
    """Answers requests by `POST /v1/messages`, once; safe to share between threads.

    These models take no temperature and no seed, so both are left out. Every part of the system but
    the last ends in a cache breakpoint: those parts are the same for many cases.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str,
        base_url: str = ANTHROPIC_URL,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the SDK and open a client.

        Args:
            model: The model's name.
            key: The key; may be empty for a server of one's own.
            base_url: Where the server answers, without `/v1`.
            patience: Seconds that one answer may take.
            clock: What deadlines are read on.

        Raises:
            RefusedRequestError: The key or the address cannot be one.
        """
        self._name = f"anthropic:{model}"
        self._model = model
        if not key and base_url.rstrip("/") == ANTHROPIC_URL:
            raise RefusedRequestError(
                f"there is no key for {self._name}", hint="set ANTHROPIC_API_KEY"
            )
        self._wire = _open_wire(self._name, checked_key(key, self._name), base_url, patience, clock)

    def __repr__(self) -> str:
        """Name the model, and nothing that is secret."""
        return f"AnthropicProvider({self._model!r})"

    @property
    def name(self) -> str:
        """Provider and model."""
        return self._name

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        """Return what the model answered to one attempt.

        Raises:
            ProviderError: There is no answer.
        """
        body = messages_body(request, self._model)
        answered = self._wire.post("/v1/messages", body, deadline)
        if not isinstance(answered.data.get("content"), list):
            raise self._wire.failures.unreadable("it holds no content")
        return read_message(answered.data, answered.request_id)

    def close(self) -> None:
        """Close the connections."""
        self._wire.client.close()


def _open_wire(
    name: str, key: str, base_url: str, patience: float, clock: Callable[[], float]
) -> Wire:
    import anthropic
    import httpx2

    from agent.llm.transport import open_http_client

    client = anthropic.Anthropic(
        api_key=key or "none",  # the SDK wants one, servers of one's own often have none
        base_url=base_url,
        max_retries=0,  # agent.llm.retrying does that, for all threads together
        timeout=patience,
        open_telemetry=False,  # spans would carry the content of cases to whoever collects them
        http_client=open_http_client(base_url),
    )
    return Wire(
        anthropic,
        anthropic.AnthropicError,
        client,
        httpx2.Response,
        Failures(name, key),
        id_header="request-id",
        patience=patience,
        clock=clock,
    )


def messages_body(request: Request, model: str) -> dict[str, Any]:
    """Return `request` in the words of the messages API."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_output_tokens,
        "messages": list(_turns(request.messages)),
    }
    if system := _system(request.system):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.forced_tool:
        body["tool_choice"] = {
            "type": "tool",
            "name": request.forced_tool,
            "disable_parallel_tool_use": True,
        }
    if request.mode == "json_schema" and request.answer_schema is not None:
        body["output_config"] = {"format": _format(request.answer_schema)}
    return body


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema as the API takes it: limits that it does not know go into the descriptions."""
    from anthropic import transform_schema

    return {"type": "json_schema", "schema": transform_schema(dict(schema))}


def _system(parts: tuple[str, ...]) -> list[dict[str, Any]]:
    stable = [part for part in parts[:-1] if part.strip()]
    last = [part for part in parts[-1:] if part.strip()]
    blocks: list[dict[str, Any]] = [_text_block(part) for part in (*stable, *last)]
    for block in blocks[: len(stable)][-MOST_BREAKPOINTS:]:
        block["cache_control"] = _CACHED
    return blocks


def _tool(tool: OfferedTool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _turns(messages: tuple[Message, ...]) -> Iterator[dict[str, Any]]:
    """The turns, with the answers to calls inside those of the user, which alternate."""
    sides = groupby(messages, key=lambda message: message.role == "assistant")
    for is_assistant, turns in sides:
        blocks = [block for turn in turns for block in _blocks(turn)]
        role = "assistant" if is_assistant else "user"
        yield {"role": role, "content": blocks or [_text_block(_NOTHING)]}


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        content = on_the_wire(message.text)
        yield {"type": "tool_result", "tool_use_id": message.call_id, "content": content}
        return
    if message.text.strip():
        yield _text_block(message.text)
    for call in message.calls:
        yield {
            "type": "tool_use",
            "id": call.id,
            "name": on_the_wire(call.name),
            "input": _input(on_the_wire(call.arguments)),
        }


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": on_the_wire(text)}


def _input(arguments: str) -> Mapping[str, Any]:
    """The arguments as the object that the API wants, even where they are none."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"unreadable": arguments}


def read_message(data: Mapping[str, Any], request_id: str) -> Reply:
    """Return a message as it came; nothing in it has to be there.

    The API sends the arguments of a call as an object; they become text again, because nobody has
    looked at them yet.
    """
    content = data.get("content")
    items = content if isinstance(content, list) else []
    blocks = [block for block in items if isinstance(block, dict)]
    texts = (block.get("text") for block in blocks if block.get("type") == "text")
    return Reply(
        text="".join(text for text in texts if isinstance(text, str)),
        calls=tuple(_call(block) for block in blocks if block.get("type") == "tool_use"),
        finish=_FINISHES.get(_text(data.get("stop_reason")), "other"),
        tokens=_tokens(data.get("usage")),
        model=_text(data.get("model")),
        request_id=request_id or _text(data.get("id")),
    )


def _call(block: Mapping[str, Any]) -> CalledTool:
    try:
        arguments = json.dumps(block.get("input"), ensure_ascii=False)
    except RecursionError:
        arguments = "(nested too deeply)"
    return CalledTool(_text(block.get("id")), _text(block.get("name")), arguments)


def _tokens(usage: object) -> Tokens:
    counts: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    cached = _count(counts.get("cache_read_input_tokens"))
    written = _count(counts.get("cache_creation_input_tokens"))
    return Tokens(
        input=_count(counts.get("input_tokens")) + cached + written,
        output=_count(counts.get("output_tokens")),
        cached=cached,
        cache_written=written,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
