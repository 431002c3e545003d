"""The simulated providers, seen through the real SDKs and their own schemas of the answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import anthropic
import openai
import pytest

from tests.wire.answers import Answer, Asked, Broken, Call, Refused, calls
from tests.wire.language_models import LanguageModels, language_models, obedient
from tests.wire.pace import RateLimit, constant, log_normal
from tests.wire.schema_examples import example_of

USER: Any = {"role": "user", "content": "hello"}
TOOL = {"name": "look_up", "parameters": {"type": "object", "properties": {}}}
OPENAI_TOOL = {"type": "function", "function": TOOL}
OPENAI_CALL = {"id": "call_1", "type": "function", "function": {"name": "x", "arguments": "{}"}}
OPEN_CALL = {"role": "assistant", "content": None, "tool_calls": [OPENAI_CALL]}
STRAY_RESULT = {"role": "tool", "content": "x", "tool_call_id": "1"}
ANTHROPIC_TOOL = {"name": "look_up", "input_schema": {"type": "object"}}
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "look_up", "input": {}}
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}
CACHED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


BAD = (openai.BadRequestError, anthropic.BadRequestError)


@contextmanager
def openai_client(script: Any, **options: Any) -> Iterator[tuple[openai.OpenAI, LanguageModels]]:
    with (
        language_models(script, **options) as server,
        openai.OpenAI(
            api_key=server.key,
            base_url=server.openai_url,
            max_retries=0,
            _strict_response_validation=True,
        ) as client,
    ):
        yield client, server


@contextmanager
def anthropic_client(
    script: Any, **options: Any
) -> Iterator[tuple[anthropic.Anthropic, LanguageModels]]:
    with (
        language_models(script, **options) as server,
        anthropic.Anthropic(
            api_key=server.key,
            base_url=server.anthropic_url,
            max_retries=0,
            _strict_response_validation=True,
        ) as client,
    ):
        yield client, server


def completed(client: openai.OpenAI, model: str = "m") -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(model=model, messages=[USER])


def answered(client: anthropic.Anthropic) -> anthropic.types.Message:
    return client.messages.create(model="m", max_tokens=9, messages=[USER])


ANSWERS = [
    Answer("hello"),
    calls("look_up", question="a"),
    Answer("x", finish="length", input_tokens=9, output_tokens=3, cached_tokens=4),
    Answer(None, refusal="no", logprobs=(("no", -0.5),)),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_completions_have_the_form_that_the_sdk_of_openai_expects(answer: Answer) -> None:
    with openai_client([answer]) as (client, _):
        got = completed(client)
    message = got.choices[0].message
    assert (message.content, message.refusal) == (answer.text, answer.refusal)
    assert [call.type for call in message.tool_calls or []] == ["function"] * len(answer.calls)


@pytest.mark.parametrize("answer", ANSWERS)
def test_messages_have_the_form_that_the_sdk_of_anthropic_expects(answer: Answer) -> None:
    with anthropic_client([answer]) as (client, _):
        got = answered(client)
    said = [block.text for block in got.content if block.type == "text"]
    assert said == [text for text in (answer.text or answer.refusal,) if text]
    assert (got.stop_reason == "max_tokens") is (answer.finish == "length")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.[0].role"),
        (
            {"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]},
            "messages.[0].role",
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "content": None, "tool_calls": [OPENAI_CALL]},
                    USER,
                ]
            },
            "messages.[1].role",
        ),
        ({"messages": [{"role": "user", "content": None}]}, "messages.[0].content"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        (
            {
                "tools": [OPENAI_TOOL],
                "tool_choice": {"type": "function", "function": {"name": "other"}},
            },
            "tool_choice",
        ),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"response_format": {"type": "json_object"}}, "messages"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": OPEN_SCHEMA, "strict": True},
                }
            },
            "response_format",
        ),
        ({"model": "gpt-5-thinking", "temperature": 0}, "temperature"),
        ({"model": "gpt-5-thinking", "max_tokens": 9}, "max_tokens"),
        ({"n": 2}, "n"),
    ],
)
def test_what_openai_refuses_is_refused(change: dict[str, Any], param: str) -> None:
    body = {"model": "m", "messages": [USER], **change}
    with openai_client(obedient) as (client, server), pytest.raises(BAD) as raised:
        client.post("/chat/completions", body=body, cast_to=object)
    assert isinstance(raised.value, openai.BadRequestError)
    assert raised.value.param == param
    assert not server.asked


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [USER, {"role": "assistant", "content": "pre"}]},
        {"messages": [{"role": "system", "content": "x"}, USER]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [USER, {"role": "assistant", "content": [TOOL_USE]}, USER]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t9"}]}]},
        {"temperature": 0.0},
        {"max_tokens": -1},
        {"max_tokens": True},
        {"tool_choice": {"type": "auto"}},
        {"tools": [ANTHROPIC_TOOL], "tool_choice": {"type": "tool", "name": "other"}},
        {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
        {"tools": [{"name": "a"}]},
        {"system": [{"type": "text", "text": ""}]},
        {"system": [CACHED] * 5},
        {"output_config": {"format": {"type": "json_schema", "schema": OPEN_SCHEMA}}},
        {
            "output_config": {
                "format": {"type": "json_schema", "schema": {"type": "number", "maximum": 1}}
            }
        },
    ],
)
def test_what_anthropic_refuses_is_refused(change: dict[str, Any]) -> None:
    body = {"model": "m", "max_tokens": 9, "messages": [USER], **change}
    with anthropic_client(obedient) as (client, server), pytest.raises(BAD):
        client.post("/v1/messages", body=body, cast_to=object)
    assert not server.asked


def test_errors_and_their_headers_are_those_of_the_providers() -> None:
    refused = Refused(429, "slow down", headers={"retry-after": "3"})
    with openai_client([refused]) as (client, _), pytest.raises(openai.RateLimitError) as first:
        completed(client)
    busy = Refused(529, "busy")
    with anthropic_client([busy]) as (other, _), pytest.raises(anthropic.APIStatusError) as second:
        answered(other)
    assert first.value.response.headers["retry-after"] == "3"
    assert (second.value.status_code, second.value.type) == (529, "overloaded_error")


def test_a_wrong_key_and_an_unknown_model_are_refused() -> None:
    with openai_client(obedient, key="another", models=["small"]) as (client, server):
        server.key = "another"
        client.api_key = "wrong"
        with pytest.raises(openai.AuthenticationError):
            completed(client, "small")
        client.api_key = "another"
        with pytest.raises(openai.NotFoundError):
            completed(client, "large")


def test_models_are_listed_for_both() -> None:
    with openai_client(obedient, models=["small"]) as (client, server):
        assert [model.id for model in client.models.list()] == ["small"]
        with anthropic.Anthropic(api_key=server.key, base_url=server.anthropic_url) as other:
            assert [model.id for model in other.models.list()] == ["small"]


def test_an_answer_that_nobody_asked_for_fails_the_test() -> None:
    answers = [Answer("never asked for")]
    with pytest.raises(AssertionError, match="left over"), language_models(answers):
        pass


def test_a_request_that_nobody_told_of_is_refused() -> None:
    with openai_client([]) as (client, _), pytest.raises(openai.BadRequestError, match="nobody"):
        completed(client)


def test_a_body_can_be_cut_in_the_middle() -> None:
    body = json.dumps({"choices": []}).encode()
    broken = Broken(body, cut_at=7)
    with openai_client([broken]) as (client, _), pytest.raises(openai.APIConnectionError):
        completed(client)


def test_an_obedient_model_calls_the_forced_tool_and_fits_the_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [7]}}, "required": ["a"]}
    forced = {"type": "function", "function": {"name": "look_up"}}
    asked = Asked(
        "openai", {"messages": [USER], "tools": [OPENAI_TOOL], "tool_choice": forced}, {}, 0
    )
    assert obedient(asked).calls == (Call("look_up", "{}"),)
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    asked = Asked("openai", {"messages": [USER], "response_format": form}, {}, 0)
    assert json.loads(obedient(asked).text or "") == {"a": 7}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": "c"}}}, "c"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": ["number", "null"]}, 0.5),
    ],
)
def test_an_example_fits_its_schema(schema: dict[str, Any], value: object) -> None:
    assert example_of(schema) == value


def test_a_hidden_limit_lets_through_what_it_promises() -> None:
    limit = RateLimit([(0, 10), (5, 40)], burst=3)
    through = sum(limit.taken(1_000 + number / 200) for number in range(2_000))
    assert through == pytest.approx(limit.ideal(10.0), abs=2)
    assert limit.ideal(10.0) == 3 + 50 + 200


@pytest.mark.parametrize(
    ("tells", "headers"),
    [
        ("nothing", {}),
        ("milliseconds", {"retry-after-ms": "500"}),
        ("seconds", {"retry-after": "1"}),
    ],
)
def test_a_refusal_tells_what_it_is_told_to(tells: Any, headers: dict[str, str]) -> None:
    limit = RateLimit([(0, 2)], burst=1, tells=tells)
    assert limit.taken(0.0)
    assert not limit.taken(0.0)
    assert limit.headers() == headers


def test_a_case_is_as_slow_every_time() -> None:
    latency = log_normal(0.2, seed=3)
    cases = [Asked("openai", {"messages": [{"role": "user", "content": str(n)}]}, {}, n)
             for n in range(2_000)]  # fmt: skip
    drawn = [latency(case) for case in cases]
    assert drawn == [latency(case) for case in cases]
    assert sum(drawn) / len(drawn) == pytest.approx(0.2, rel=0.1)
    assert constant(0.2)(cases[0]) == 0.2


def test_it_runs_by_itself() -> None:
    command = [sys.executable, "-m", "tests.wire.language_models", "--latency", "0.01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urlopen(f"{url}/stats") as answer:  # noqa: S310 (an address of this machine)
            assert json.load(answer)["let_through"] == 0
        process.terminate()
