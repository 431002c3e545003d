"""Any server that speaks OpenAI's chat completions, through the openai SDK.

vLLM, Ollama, llama.cpp, gpt-oss-safeguard behind any of them, and OpenAI itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
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
from agent.llm.transport_errors import BAD_REQUEST, Failures, RefusedParameterError
from agent.llm.transport_sdk import PATIENCE, Wire, checked_key, on_the_wire

OPENAI_URL: Final = "https://api.openai.com/v1"

_FINISHES: Mapping[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_DISPENSABLE = ("seed", "logprobs", "parallel_tool_calls", "temperature")
"""Parameters that a request can do without; those that servers most often refuse come first."""
_OLD_LENGTH, _NEW_LENGTH = "max_tokens", "max_completion_tokens"
_LENGTHS = frozenset({_OLD_LENGTH, _NEW_LENGTH})


class OpenAIProvider:
    """Answers requests by `POST /chat/completions`, once; safe to share between threads.

    A parameter that the model refuses (reasoning models take no temperature) is left out from then
    on, so no list of models has to be kept. Gateways refuse without a name; then the parameters
    that no answer has come to yet are left out in turn.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str,
        base_url: str = OPENAI_URL,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the SDK and open a client.

        Args:
            model: The model's name, as the server knows it.
            key: The key; may be empty for a server of one's own.
            base_url: Where the server answers, with the `/v1` at its end.
            patience: Seconds that one answer may take.
            clock: What deadlines are read on.

        Raises:
            RefusedRequestError: The key or the address cannot be one.
        """
        self._name = f"openai:{model}"
        self._model = model
        self._own_server = base_url.rstrip("/") != OPENAI_URL
        if not key and not self._own_server:
            raise RefusedRequestError(
                f"there is no key for {self._name}", hint="set OPENAI_API_KEY"
            )
        self._wire = _open_wire(self._name, checked_key(key, self._name), base_url, patience, clock)
        self._refused: frozenset[str] = frozenset()
        self._taken: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Name the model, and nothing that is secret."""
        return f"OpenAIProvider({self._model!r})"

    @property
    def name(self) -> str:
        """Provider and model."""
        return self._name

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        """Return what the model answered to one attempt.

        Raises:
            ProviderError: There is no answer.
        """
        while True:
            body = self._body(request, self._refused)
            try:
                return self._answer_to(body, deadline)
            except RefusedParameterError as error:
                if not self._does_without(error.parameter, body):
                    raise
            except RefusedRequestError as error:
                reply = self._answer_to_less(request, body, deadline) if _is_bad(error) else None
                if reply is None:
                    raise
                return reply

    def _body(self, request: Request, refused: frozenset[str]) -> dict[str, Any]:
        return chat_body(request, self._model, own_server=self._own_server, refused=refused)

    def _answer_to(self, body: Mapping[str, Any], deadline: Deadline | None) -> Reply:
        answered = self._wire.post("/chat/completions", body, deadline)
        self._taken |= body.keys()
        return self._reply(answered.data, answered.request_id)

    def _answer_to_less(
        self, request: Request, body: Mapping[str, Any], deadline: Deadline | None
    ) -> Reply | None:
        """The answer without each parameter that may be at fault, then without all; or None."""
        suspects = [name for name in _DISPENSABLE if name in body and name not in self._taken]
        tries = [frozenset({name}) for name in suspects]
        for dropped in [*tries, frozenset(suspects)] if len(tries) > 1 else tries:
            try:
                reply = self._answer_to(self._body(request, self._refused | dropped), deadline)
            except RefusedRequestError as error:
                if not _is_bad(error):
                    raise
            else:
                self._refused |= dropped
                return reply
        return None

    def close(self) -> None:
        """Close the connections."""
        self._wire.client.close()

    def _does_without(self, parameter: str, body: Mapping[str, Any]) -> bool:
        """Whether the request can be sent again without a parameter that was still in it."""
        refused = self._refused | {parameter}
        known = parameter in _DISPENSABLE or parameter in _LENGTHS
        if parameter not in body or not known or refused >= _LENGTHS:
            return False
        self._refused = refused
        return True

    def _reply(self, data: Mapping[str, Any], request_id: str) -> Reply:
        choices = data.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            # Gateways wrap the error of the server behind them into a 200.
            raise self._wire.failures.unreadable("it holds no choice")
        return read_chat(data, choices[0], request_id)


def _is_bad(error: RefusedRequestError) -> bool:
    """Whether the server found fault with the form of the request."""
    return error.status in BAD_REQUEST


def _open_wire(
    name: str, key: str, base_url: str, patience: float, clock: Callable[[], float]
) -> Wire:
    import httpx
    import openai

    from agent.llm.transport import open_http_client

    client = openai.OpenAI(
        api_key=key or "none",  # the SDK wants one, servers of one's own often have none
        base_url=base_url,
        max_retries=0,  # agent.llm.retrying does that, for all threads together
        timeout=patience,
        # The SDK takes clients of httpx2 at run time, but its annotations know httpx alone.
        http_client=open_http_client(base_url),  # type: ignore[arg-type]
    )
    return Wire(
        openai,
        openai.OpenAIError,
        client,
        httpx.Response,
        Failures(name, key),
        id_header="x-request-id",
        patience=patience,
        clock=clock,
    )


def chat_body(
    request: Request, model: str, *, own_server: bool = False, refused: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return `request` in the words of chat completions.

    Args:
        request: What is asked.
        model: The model's name.
        own_server: Whether this is another server than OpenAI's; those know the old `max_tokens`.
        refused: Parameters that the model is known to refuse.
    """
    system = "\n\n".join(part for part in request.system if part)
    messages = [{"role": "system", "content": on_the_wire(system)}] if system else []
    body: dict[str, Any] = {
        "model": model,
        "messages": [*messages, *(_turn(message) for message in request.messages)],
    }
    lengths = (_OLD_LENGTH, _NEW_LENGTH) if own_server else (_NEW_LENGTH, _OLD_LENGTH)
    length = next(name for name in lengths if name not in refused)
    body[length] = request.max_output_tokens
    optional = {
        "temperature": request.temperature,
        "seed": request.seed,
        "logprobs": request.logprobs or None,
        "parallel_tool_calls": False if request.forced_tool else None,
    }
    body.update((k, v) for k, v in optional.items() if v is not None and k not in refused)
    return body | _asked_form(request, own_server=own_server)


def _asked_form(request: Request, *, own_server: bool) -> dict[str, Any]:
    """The tools, and the form that the answer is to have."""
    form: dict[str, Any] = {}
    if request.tools:
        bound = "" if own_server else request.forced_tool
        form["tools"] = [_tool(tool, strict=tool.name == bound) for tool in request.tools]
    if request.forced_tool:
        form["tool_choice"] = {"type": "function", "function": {"name": request.forced_tool}}
    if request.mode == "json_schema" and request.answer_schema is not None:
        named: dict[str, Any] = {"name": "answer", "schema": request.answer_schema}
        if is_closed(request.answer_schema):
            named["strict"] = True
        form["response_format"] = {"type": "json_schema", "json_schema": named}
    if request.mode == "json":
        form["response_format"] = {"type": "json_object"}
    return form


def _tool(tool: OfferedTool, *, strict: bool) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    if strict and is_closed(tool.parameters):
        function["strict"] = True
    return {"type": "function", "function": function}


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": on_the_wire(message.text)}
    if message.role == "tool":
        turn["tool_call_id"] = message.call_id
    if message.calls:
        turn["content"] = turn["content"] or None
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": on_the_wire(call.name),
                    "arguments": on_the_wire(call.arguments),
                },
            }
            for call in message.calls
        ]
    return turn


def is_closed(schema: object) -> bool:
    """Whether every object in a JSON schema names all its fields as required and allows no others.

    Only then can OpenAI hold a model to it letter by letter (`strict`).
    """
    if isinstance(schema, Mapping):
        fields = schema.get("properties")
        is_object = schema.get("type") == "object" or isinstance(fields, Mapping)
        if is_object and not (
            schema.get("additionalProperties") is False
            and set(schema.get("required", ())) == set(fields or ())
        ):
            return False
        return all(is_closed(value) for value in schema.values())
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return all(is_closed(value) for value in schema)
    return True


def read_chat(data: Mapping[str, Any], choice: Mapping[str, Any], request_id: str) -> Reply:
    """Return the first choice of a chat completion as it came; nothing in it has to be there."""
    message = _object(choice.get("message"))
    text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    finish = _FINISHES.get(_text(choice.get("finish_reason")), "other")
    return Reply(
        text=text or refusal,
        calls=tuple(_calls(message)),
        finish="refusal" if refusal else finish,
        tokens=_tokens(_object(data.get("usage"))),
        model=_text(data.get("model")),
        request_id=request_id or _text(data.get("id")),
        logprobs=tuple(_logprobs(_object(choice.get("logprobs")).get("content"))),
    )


def _calls(message: Mapping[str, Any]) -> Sequence[CalledTool]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        old = _object(message.get("function_call"))
        return [_call("", old)] if old else []
    objects = [_object(call) for call in calls]
    return [_call(_text(call.get("id")), _object(call.get("function"))) for call in objects]


def _call(call_id: str, function: Mapping[str, Any]) -> CalledTool:
    return CalledTool(call_id, _text(function.get("name")), _text(function.get("arguments")))


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    details = _object(usage.get("prompt_tokens_details"))
    return Tokens(
        input=_count(usage.get("prompt_tokens")),
        output=_count(usage.get("completion_tokens")),
        cached=_count(details.get("cached_tokens")),
        cache_written=_count(details.get("cache_write_tokens")),
    )


def _logprobs(content: object) -> list[tuple[str, float]]:
    entries = [_object(entry) for entry in content] if isinstance(content, list) else []
    return [
        (_text(entry.get("token")), entry["logprob"])
        for entry in entries
        if isinstance(entry.get("logprob"), float)
    ]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
