from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.exchange import (
    CalledTool,
    Deadline,
    Message,
    OfferedTool,
    OutOfTimeError,
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
    tool_messages,
)
from agent.llm.openai_provider import OpenAIProvider, chat_body, is_closed, read_chat
from tests.wire.answers import HANG_UP, NOT_JSON, Answer, Asked, Broken, Call, Reaction, Refused
from tests.wire.language_models import LanguageModels, language_models

LOOK_UP = OfferedTool(
    "search_policy",
    "Look up the sections that apply to a question.",
    {
        "type": "object",
        "properties": {"question": {"type": "string"}},
        "required": ["question"],
        "additionalProperties": False,
    },
)
CASE = Message("user", "Is this allowed? Answer in JSON.")
REQUEST = Request(system=("You review content.", "hate.1 Do not dehumanise."), messages=(CASE,))


@contextmanager
def asking(
    *reactions: Reaction, model: str = "small", **options: Any
) -> Iterator[tuple[OpenAIProvider, LanguageModels]]:
    with language_models(list(reactions)) as server:
        provider = OpenAIProvider(model, key=server.key, base_url=server.openai_url, **options)
        yield provider, server
        provider.close()


def test_an_answer_comes_back_as_it_was_said_with_what_it_cost() -> None:
    answer = Answer("It breaks hate.1.", input_tokens=900, output_tokens=12, cached_tokens=768)
    with asking(answer) as (provider, server):
        reply = provider.send(REQUEST)
    assert reply == Reply(
        "It breaks hate.1.",
        (),
        "stop",
        Tokens(input=900, output=12, cached=768),
        model="small",
        request_id="req_0",
    )
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "You review content.\n\nhate.1 Do not dehumanise."},
        {"role": "user", "content": CASE.text},
    ]


def test_tools_are_offered_called_and_answered() -> None:
    call = Call("search_policy", '{"question": "insects"}', id="call_7")
    with asking(Answer(None, calls=(call,)), Answer("hate.1 it is")) as (provider, server):
        asked = provider.send(Request(REQUEST.system, REQUEST.messages, tools=(LOOK_UP,)))
        turns = (
            *REQUEST.messages,
            Message("assistant", asked.text, asked.calls),
            *tool_messages([(asked.calls[0], "hate.1 Dehumanising")]),
        )
        told = provider.send(Request(REQUEST.system, turns, tools=(LOOK_UP,)))
    assert asked.calls == (CalledTool("call_7", "search_policy", '{"question": "insects"}'),)
    assert asked.finish == "tool_calls"
    assert told.text == "hate.1 it is"
    assert server.bodies[1]["messages"][-1] == {
        "role": "tool",
        "content": "hate.1 Dehumanising",
        "tool_call_id": "call_7",
    }


def test_a_forced_tool_is_forced_alone() -> None:
    with asking(Answer(None, calls=(Call("search_policy"),))) as (provider, server):
        provider.send(
            Request((), (CASE,), tools=(LOOK_UP,), forced_tool="search_policy", mode="tools")
        )
    choice = {"type": "function", "function": {"name": "search_policy"}}
    assert server.bodies[0]["tool_choice"] == choice
    assert server.bodies[0]["parallel_tool_calls"] is False


def test_a_schema_that_leaves_nothing_open_is_held_to_the_letter() -> None:
    with asking(Answer("{}"), Answer("{}"), Answer("{}")) as (provider, server):
        for schema in (LOOK_UP.parameters, {"type": "object", "properties": {}}):
            provider.send(Request((), (CASE,), answer_schema=schema, mode="json_schema"))
        provider.send(Request((), (CASE,), mode="json"))
    closed, open_, plain = (body["response_format"] for body in server.bodies)
    assert closed["json_schema"]["strict"] is True
    assert "strict" not in open_["json_schema"]
    assert plain == {"type": "json_object"}


def test_openai_itself_gets_the_new_name_of_the_length_and_strict_tools() -> None:
    request = Request((), (CASE,), tools=(LOOK_UP,), forced_tool=LOOK_UP.name)
    there, here = chat_body(request, "m"), chat_body(request, "m", own_server=True)
    assert there["max_completion_tokens"] == here["max_tokens"] == 2_000
    assert there["tools"][0]["function"]["strict"] is True
    assert "strict" not in here["tools"][0]["function"]


def test_parameters_that_a_model_refuses_are_left_out_from_then_on() -> None:
    with asking(Answer("yes"), Answer("yes"), model="gpt-5-thinking") as (provider, server):
        for _ in range(2):
            assert provider.send(REQUEST).text == "yes"
    for body in server.bodies:
        assert "temperature" not in body
        assert body["max_completion_tokens"] == 2_000


def refusing(*parameters: str) -> Callable[[Asked], Reaction]:
    """A gateway to a model that does not take these, which says so in its words alone."""

    def script(asked: Asked) -> Reaction:
        found = [name for name in parameters if name in asked.body]
        return Refused(400, f"UnsupportedParamsError: {found}") if found else Answer("fine")

    return script


@pytest.mark.parametrize(
    ("refused", "tries"), [(("seed",), 2), (("temperature",), 3), (("seed", "temperature"), 4)]
)
def test_a_parameter_that_is_refused_without_its_name_is_found_and_left_out(
    refused: tuple[str, ...], tries: int
) -> None:
    request = replace(REQUEST, seed=7, temperature=0.0)
    with language_models(refusing(*refused)) as server:
        provider = OpenAIProvider("m", key=server.key, base_url=server.openai_url)
        assert provider.send(request).text == "fine"
        assert len(server.asked) == tries
        assert provider.send(request).text == "fine"
        assert len(server.asked) == tries + 1
        provider.close()
    kept = {"seed", "temperature"} - set(refused)
    assert kept <= server.bodies[-1].keys()


def test_parameters_that_were_taken_before_are_not_suspected_of_a_refusal() -> None:
    with asking(Answer("fine"), Refused(400, "too long")) as (provider, server):
        provider.send(REQUEST)
        with pytest.raises(RefusedRequestError, match="too long"):
            provider.send(REQUEST)
    assert len(server.asked) == 2


def test_threads_that_are_refused_a_parameter_together_all_get_their_answer() -> None:
    with language_models(lambda _: Answer("yes")) as server:
        provider = OpenAIProvider("gpt-5-thinking", key=server.key, base_url=server.openai_url)
        with ThreadPoolExecutor(8) as threads:
            replies = list(threads.map(lambda _: provider.send(REQUEST).text, range(16)))
    assert replies == ["yes"] * 16


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("eos", "other"),
    ],
)
def test_every_way_to_end_is_told_apart(said: str, meant: str) -> None:
    with asking(Answer("x", finish=said)) as (provider, _):
        assert provider.send(REQUEST).finish == meant


def test_a_refusal_is_one_even_where_the_model_says_that_it_stopped() -> None:
    with asking(Answer(None, refusal="I cannot help.", finish="stop")) as (provider, _):
        reply = provider.send(REQUEST)
    assert (reply.finish, reply.text) == ("refusal", "I cannot help.")


def test_probabilities_of_tokens_come_back_where_they_are_asked_for() -> None:
    with asking(Answer("no", logprobs=(("no", -0.25),))) as (provider, server):
        reply = provider.send(Request((), (CASE,), logprobs=True))
    assert reply.logprobs == (("no", -0.25),)
    assert server.bodies[0]["logprobs"] is True


@pytest.mark.parametrize(
    ("reaction", "error"),
    [
        (Refused(400, "bad"), RefusedRequestError),
        (Refused(401, "who?"), RefusedRequestError),
        (Refused(403, "not you"), RefusedRequestError),
        (Refused(404, "no such model"), RefusedRequestError),
        (Refused(422, "odd"), RefusedRequestError),
        (Refused(307, "over there"), RefusedRequestError),
        (Refused(429, "the money is gone", code="insufficient_quota"), RefusedRequestError),
        (Refused(429, "slow down"), RateLimitedError),
        (Refused(529, "overloaded"), RateLimitedError),
        (Refused(408, "too slow"), UnavailableError),
        (Refused(409, "locked"), UnavailableError),
        (Refused(500, "oops"), UnavailableError),
        (Refused(503, "restarting"), UnavailableError),
        (HANG_UP, UnavailableError),
        (NOT_JSON, UnavailableError),
        (Broken(b'{"choices": [{"mess'), UnavailableError),
        (Broken(b'{"choices": []}'), UnavailableError),
        (Broken(b"null"), UnavailableError),
        (Broken(b"[" * 100_000), UnavailableError),
        (Broken(b'{"choices": [{}], "choices": [{}]}'), UnavailableError),
        (Broken(b'{"error": {"message": "wrapped into a 200"}}'), UnavailableError),
        (Broken(b'{"choices": [{"message": {}}]}', cut_at=12), UnavailableError),
        (Broken(b"not gzip", headers={"content-encoding": "gzip"}), UnavailableError),
    ],
)
def test_every_failure_is_one_of_ours_and_keeps_nothing_of_the_sdk(
    reaction: Reaction, error: type[ProviderError]
) -> None:
    with asking(reaction) as (provider, _), pytest.raises(ProviderError) as raised:
        provider.send(REQUEST)
    assert type(raised.value).__mro__.index(error) <= 1
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert raised.value.hint


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back_is_read_where_it_makes_sense(
    headers: dict[str, str], seconds: float | None
) -> None:
    refused = Refused(429, headers=headers)
    with asking(refused) as (provider, _), pytest.raises(RateLimitedError) as raised:
        provider.send(REQUEST)
    assert raised.value.retry_after == seconds
    assert raised.value.status == 429


def test_an_answer_that_cannot_be_unpacked_says_so() -> None:
    unpackable = Broken(b"{}", headers={"content-encoding": "gzip"})
    with asking(unpackable) as (provider, _), pytest.raises(UnavailableError, match=r"zlib\.error"):
        provider.send(REQUEST)


def test_an_answer_that_takes_too_long_is_not_waited_for() -> None:
    slow = Answer("late", after=5.0)
    with asking(slow, patience=0.1) as (provider, _), pytest.raises(UnavailableError):
        provider.send(REQUEST)


def test_an_answer_that_drips_is_not_waited_for_either() -> None:
    body = json.dumps({"choices": [{"message": {"content": "x" * 400}}]}).encode()
    start = time.monotonic()
    drip = Broken(body, drip=0.05)
    with asking(drip, patience=0.2) as (provider, _), pytest.raises(UnavailableError):
        provider.send(REQUEST)
    assert time.monotonic() - start < 3


def test_the_deadline_of_the_review_ends_the_waiting() -> None:
    with asking(Answer("late", after=5.0)) as (provider, server):
        with pytest.raises(OutOfTimeError):
            provider.send(REQUEST, deadline=Deadline(time.monotonic() + 0.1))
        with pytest.raises(OutOfTimeError):
            provider.send(REQUEST, deadline=Deadline(time.monotonic() - 1))
    assert len(server.asked) == 1


def test_half_a_character_in_a_repaired_answer_does_not_stop_the_request() -> None:
    turns = (CASE, Message("assistant", "a\ud800b"), Message("user", "again"))
    with asking(Answer("fine")) as (provider, server):
        assert provider.send(Request((), turns)).text == "fine"
    assert server.bodies[0]["messages"][1]["content"] == "a?b"


def test_a_server_of_ones_own_needs_no_key_and_openai_does() -> None:
    with language_models([Answer("hello")], key="") as server:
        assert OpenAIProvider("m", key="", base_url=server.openai_url).send(REQUEST).text == "hello"
    with pytest.raises(RefusedRequestError, match="no key"):
        OpenAIProvider("m", key="")


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://here/v1", "http://me:secret@here/v1", "http://[::1"]
)
def test_an_address_that_is_none_is_told_before_anything_is_sent(address: str) -> None:
    with pytest.raises(RefusedRequestError) as raised:
        OpenAIProvider("m", key="k", base_url=address)
    assert "secret" not in raised.value.message + raised.value.hint


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = [
    "message", "content", "refusal", "tool_calls", "function", "function_call", "name", "arguments",
    "id", "finish_reason", "logprobs", "token", "logprob", "usage", "prompt_tokens",
    "prompt_tokens_details", "cached_tokens", "model",
]  # fmt: skip
SHAPED = st.recursive(
    JSON,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(SHAPED.filter(lambda value: isinstance(value, dict)))
def test_whatever_stands_in_the_answer_a_reply_has_the_types_it_promises(value: Any) -> None:
    reply = read_chat(value, value, "")
    assert isinstance(reply.text, str)
    assert isinstance(reply.tokens.input, int)
    assert all(isinstance(call.arguments, str) for call in reply.calls)


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
    ],
)
def test_a_schema_is_closed_only_if_every_object_in_it_is(
    schema: dict[str, Any],
    closed: bool,  # noqa: FBT001
) -> None:
    assert is_closed(schema) is closed


def test_one_provider_serves_many_threads() -> None:
    with language_models(lambda asked: Answer(asked.last_words)) as server:
        provider = OpenAIProvider("m", key=server.key, base_url=server.openai_url)

        def ask(number: int) -> str:
            return provider.send(Request((), (Message("user", f"case {number}"),))).text

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(ask, range(64))) == [f"case {number}" for number in range(64)]
