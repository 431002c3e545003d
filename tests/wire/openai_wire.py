"""OpenAI's chat completions as the server side sees them: what is refused, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.wire.answers import Answer, Asked, Refused, words_in
from tests.wire.problem import (
    ProblemError,
    checked_tool_name,
    known_only,
    open_object,
    required,
)

PARAMETERS = frozenset(
    [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_REASONING = re.compile(r"(o\d|gpt-5)")
"""Models that take no temperature but their own, and only the new name of the length."""
_WRONG = (400, 404, 409, 413, 422)
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_HOTTEST = 2.0


def check(asked: Asked) -> None:
    """Refuse what the real API refuses.

    Raises:
        ProblemError: The request is wrong.
    """
    body = asked.body
    known_only(body, PARAMETERS)
    model = required(body, "model", str)
    turns = required(body, "messages", list)
    if not turns:
        raise ProblemError("Invalid 'messages': empty array.", code="empty_array", param="messages")
    if body.get("stream"):
        raise ProblemError("this server does not stream", param="stream")
    _check_numbers(body, model)
    tools = _check_tools(body)
    _check_turns(turns)
    _check_choice(body, tools)
    _check_format(body)


def _check_numbers(body: Mapping[str, Any], model: str) -> None:
    if body.get("n", 1) != 1:
        raise ProblemError("this server gives one choice", param="n")
    reasoning = _REASONING.match(model) is not None
    if reasoning and "max_tokens" in body:
        raise ProblemError(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
            param="max_tokens",
        )
    heat = body.get("temperature", 1)
    if reasoning and heat != 1:
        raise ProblemError(
            "Unsupported value: 'temperature' does not support this value with this model. "
            "Only the default (1) value is supported.",
            code="unsupported_value",
            param="temperature",
        )
    if not isinstance(heat, int | float) or not 0 <= heat <= _HOTTEST:
        raise ProblemError("Invalid 'temperature'.", param="temperature")
    for name in ("max_tokens", "max_completion_tokens"):
        if name in body and (not isinstance(body[name], int) or body[name] < 1):
            raise ProblemError(f"Invalid '{name}'.", code="integer_below_min_value", param=name)


def _check_tools(body: Mapping[str, Any]) -> set[str]:
    names = set()
    for at, tool in enumerate(body.get("tools", [])):
        where = f"tools[{at}].function"
        if tool.get("type") != "function" or not isinstance(tool.get("function"), dict):
            raise ProblemError(f"Invalid value: tools[{at}].type", param=f"tools[{at}].type")
        function = tool["function"]
        known_only(function, {"name", "description", "parameters", "strict"}, where)
        names.add(checked_tool_name(function.get("name"), f"{where}.name"))
        schema = function.get("parameters", {"type": "object"})
        if schema.get("type") != "object":
            raise ProblemError(
                f"Invalid schema for function '{function['name']}'",
                code="invalid_function_parameters",
                param=f"{where}.parameters",
            )
        if function.get("strict"):
            _check_closed(schema, f"{where}.parameters")
    if "parallel_tool_calls" in body and not names:
        raise ProblemError(
            "Invalid value for 'parallel_tool_calls': only allowed when 'tools' are specified.",
            param="parallel_tool_calls",
        )
    return names


def _check_closed(schema: Mapping[str, Any], param: str) -> None:
    place = open_object(schema)
    if place:
        raise ProblemError(
            f"Invalid schema: In context={place}, 'additionalProperties' is required to be "
            "supplied and to be false.",
            param=param,
        )


def _check_turns(turns: Sequence[Mapping[str, Any]]) -> None:
    waiting: list[str] = []
    for at, turn in enumerate(turns):
        role, where = turn.get("role"), f"messages.[{at}]"
        if role not in _ROLES:
            raise ProblemError(f"Invalid value: '{role}'.", param=f"{where}.role")
        if role == "tool":
            if turn.get("tool_call_id") not in waiting:
                raise ProblemError(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceding message with 'tool_calls'.",
                    param=f"{where}.role",
                )
            waiting.remove(turn["tool_call_id"])
        elif waiting:
            _unanswered(waiting, at)
        if role == "assistant" and turn.get("tool_calls"):
            waiting = [call["id"] for call in turn["tool_calls"]]
            for call in turn["tool_calls"]:
                required(call["function"], "arguments", str)
        elif not isinstance(turn.get("content"), str | list):
            raise ProblemError("Invalid type for content.", param=f"{where}.content")
    if waiting:
        _unanswered(waiting, len(turns))


def _unanswered(waiting: Sequence[str], at: int) -> None:
    raise ProblemError(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        f"each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        f"{', '.join(waiting)}",
        param=f"messages.[{at}].role",
    )


def _check_choice(body: Mapping[str, Any], tools: set[str]) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not tools:
        raise ProblemError(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            param="tool_choice",
        )
    if choice in ("auto", "none", "required"):
        return
    name = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if name not in tools:
        raise ProblemError(
            f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice"
        )


def _check_format(body: Mapping[str, Any]) -> None:
    form = body.get("response_format", {"type": "text"})
    kind = form.get("type")
    if kind == "json_object":
        words = " ".join(words_in(turn.get("content")) for turn in body["messages"])
        if "json" not in words.lower():
            raise ProblemError(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of "
                "type 'json_object'.",
                param="messages",
            )
    elif kind == "json_schema":
        named = required(form, "json_schema", dict)
        checked_tool_name(named.get("name"), "response_format.json_schema.name")
        schema = required(named, "schema", dict)
        if named.get("strict"):
            _check_closed(schema, "response_format")
    elif kind != "text":
        raise ProblemError("Invalid value for response_format.", param="response_format.type")


def completion(answer: Answer, asked: Asked) -> dict[str, Any]:
    """Return `answer` as a chat completion."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text,
        "refusal": answer.refusal,
    }
    if answer.calls:
        message["tool_calls"] = [
            {
                "id": call.id or f"call_{asked.number}_{at}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for at, call in enumerate(answer.calls)
        ]
    logprobs = [{"token": t, "logprob": p, "top_logprobs": []} for t, p in answer.logprobs]
    body: dict[str, Any] = {
        "id": f"chatcmpl-{asked.number}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": answer.model or asked.body["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": answer.finish or ("tool_calls" if answer.calls else "stop"),
                "logprobs": {"content": logprobs} if logprobs else None,
            }
        ],
    }
    if answer.has_usage:
        body["usage"] = _usage(answer, asked)
    return body


def _usage(answer: Answer, asked: Asked) -> dict[str, Any]:
    said = answer.input_tokens
    read = roughly(str(asked.body["messages"])) if said is None else said
    written = roughly(answer.text or "") if answer.output_tokens is None else answer.output_tokens
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {
            "cached_tokens": answer.cached_tokens,
            "cache_write_tokens": answer.cache_written_tokens,
        },
    }


def roughly(text: str) -> int:
    """Return about how many tokens a text is."""
    return len(text) // 4 + 1


def error_body(refused: Refused) -> dict[str, Any]:
    """Return an error as this API words it."""
    kind = "invalid_request_error" if refused.status in _WRONG else "server_error"
    return {
        "error": {
            "message": refused.message,
            "type": _TYPES.get(refused.status, kind),
            "param": refused.param,
            "code": refused.code,
        }
    }
