"""Anthropic's messages as the server side sees them: what is refused, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.wire.answers import Answer, Asked, Call, Refused
from tests.wire.openai_wire import roughly
from tests.wire.problem import ProblemError, checked_tool_name, open_object, required

PARAMETERS = frozenset(
    [
        "messages",
        "model",
        "max_tokens",
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "metadata",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    ]
)
_MOST_BREAKPOINTS = 4
_BLOCKS = {"user": {"text", "tool_result"}, "assistant": {"text", "tool_use"}}
_UNKNOWN_TO_GRAMMARS = frozenset({"minimum", "maximum", "minLength", "maxLength", "multipleOf"})
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def check(asked: Asked) -> None:
    """Refuse what the real API refuses.

    Raises:
        ProblemError: The request is wrong.
    """
    body = asked.body
    if "anthropic-version" not in asked.headers:
        raise ProblemError("anthropic-version: header is required")
    for name in body:
        if name not in PARAMETERS:  # temperature, top_p and top_k are among these by now
            raise ProblemError(f"{name}: Extra inputs are not permitted")
    required(body, "model", str)
    if required(body, "max_tokens", int) < 0:
        raise ProblemError("max_tokens: Input should be greater than or equal to 0")
    if body.get("stream"):
        raise ProblemError("stream: this server does not stream")
    turns = required(body, "messages", list)
    if not turns:
        raise ProblemError("messages: at least one message is required")
    _check_tools(body)
    _check_turns(turns)
    _check_system(body.get("system", []))
    _check_breakpoints(body)
    _check_format(body)


def _check_tools(body: Mapping[str, Any]) -> None:
    names = set()
    for at, tool in enumerate(body.get("tools", [])):
        names.add(checked_tool_name(tool.get("name"), f"tools.{at}.custom.name"))
        if tool.get("input_schema", {}).get("type") != "object":
            raise ProblemError(f"tools.{at}.custom.input_schema.type: Field required")
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not names:
        raise ProblemError("tool_choice: may only be specified while providing tools")
    if choice.get("type") not in {"auto", "any", "tool", "none"}:
        raise ProblemError("tool_choice: Input tag does not match any of the expected tags")
    if choice["type"] == "tool" and choice.get("name") not in names:
        raise ProblemError(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_turns(turns: Sequence[Mapping[str, Any]]) -> None:
    if turns[0].get("role") != "user":
        raise ProblemError('messages: first message must use the "user" role')
    if turns[-1].get("role") != "user":
        raise ProblemError(
            "This model does not support assistant message prefill. The conversation must end with "
            "a user message."
        )
    waiting: set[str] = set()
    for at, turn in enumerate(turns):
        if turn.get("role") not in _BLOCKS:
            raise ProblemError(f"messages.{at}.role: Input should be 'user' or 'assistant'")
        blocks = list(_blocks(turn, at))
        _check_results(blocks, waiting, at)
        waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}


def _blocks(turn: Mapping[str, Any], at: int) -> Iterator[Mapping[str, Any]]:
    content = turn.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list) or not content:
        raise ProblemError(f"messages.{at}: all messages must have non-empty content")
    for number, block in enumerate(content):
        where = f"messages.{at}.content.{number}"
        if block.get("type") not in _BLOCKS[turn["role"]]:
            raise ProblemError(f"{where}: Input tag '{block.get('type')}' is not expected here")
        _check_text(block, where)
        if block["type"] == "tool_use" and not isinstance(block.get("input"), dict):
            raise ProblemError(f"{where}.tool_use.input: Input should be a valid dictionary")
        yield block


def _check_text(block: Mapping[str, Any], where: str) -> None:
    if block.get("type") == "text" and not str(block.get("text", "")).strip():
        raise ProblemError(f"{where}: text content blocks must contain non-whitespace text")


def _check_results(blocks: Sequence[Mapping[str, Any]], waiting: set[str], at: int) -> None:
    """Calls are answered at once, all of them, and before anything else is said."""
    kinds = [block["type"] for block in blocks]
    results = [block for block in blocks if block["type"] == "tool_result"]
    for block in results:
        if block.get("tool_use_id") not in waiting:
            raise ProblemError(
                f"messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{block.get('tool_use_id')}. Each `tool_result` block must have a corresponding "
                "`tool_use` block in the previous message."
            )
    missing = waiting - {block["tool_use_id"] for block in results}
    if missing or kinds[: len(results)] != ["tool_result"] * len(results):
        raise ProblemError(
            f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately "
            f"after: {', '.join(sorted(missing))}"
        )


def _check_system(system: object) -> None:
    for at, block in enumerate(system if isinstance(system, list) else []):
        _check_text(block, f"system.{at}")


def _check_breakpoints(body: Mapping[str, Any]) -> None:
    marked = json.dumps(body).count('"cache_control": {')
    if marked > _MOST_BREAKPOINTS:
        raise ProblemError(
            f"A maximum of {_MOST_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {marked}."
        )


def _check_format(body: Mapping[str, Any]) -> None:
    form = (body.get("output_config") or {}).get("format")
    if form is None:
        return
    if form.get("type") != "json_schema":
        raise ProblemError("output_config.format.type: Input should be 'json_schema'")
    schema = required(form, "schema", dict)
    place = open_object(schema)
    if place:
        raise ProblemError(
            f"output_config.format.schema: For 'object' type, 'additionalProperties' must be "
            f"explicitly set to false ({place})"
        )
    unknown = next((name for name in _keys(schema) if name in _UNKNOWN_TO_GRAMMARS), None)
    if unknown:
        raise ProblemError(f"output_config.format.schema: property {unknown} is not supported")


def _keys(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            yield name
            yield from _keys(value)
    if isinstance(schema, list):
        for value in schema:
            yield from _keys(value)


def message(answer: Answer, asked: Asked) -> dict[str, Any]:
    """Return `answer` as a message."""
    said = answer.text or answer.refusal
    content: list[dict[str, Any]] = [{"type": "text", "text": said}] if said else []
    content += [_tool_use(call, asked, at) for at, call in enumerate(answer.calls)]
    ending = "refusal" if answer.refusal else "tool_use" if answer.calls else "end_turn"
    finishes = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
    body: dict[str, Any] = {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or asked.body["model"],
        "content": content,
        "stop_reason": finishes.get(answer.finish or "", answer.finish) or ending,
        "stop_sequence": None,
    }
    if answer.has_usage:
        body["usage"] = _usage(answer, asked)
    return body


def _tool_use(call: Call, asked: Asked, at: int) -> dict[str, Any]:
    """A call; this API sends an object, so arguments that are none go out as what they are."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    call_id = call.id or f"toolu_{asked.number}_{at}"
    return {"type": "tool_use", "id": call_id, "name": call.name, "input": arguments}


def _usage(answer: Answer, asked: Asked) -> dict[str, Any]:
    """Tokens as this API counts them: cached ones are not among `input_tokens`."""
    said = answer.input_tokens
    read = roughly(str(asked.body["messages"])) if said is None else said
    written = roughly(answer.text or "") if answer.output_tokens is None else answer.output_tokens
    return {
        "input_tokens": max(0, read - answer.cached_tokens - answer.cache_written_tokens),
        "cache_read_input_tokens": answer.cached_tokens,
        "cache_creation_input_tokens": answer.cache_written_tokens,
        "output_tokens": written,
    }


def error_body(refused: Refused) -> dict[str, Any]:
    """Return an error as this API words it."""
    kind = _TYPES.get(refused.status, "api_error")
    return {
        "type": "error",
        "error": {"type": refused.code or kind, "message": refused.message},
        "request_id": "req_error",
    }
