from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.llm.anthropic_provider import AnthropicProvider, messages_body, read_message
from agent.llm.exchange import (
    CalledTool,
    Message,
    OfferedTool,
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
    tool_messages,
)
from agent.llm.structured import verdict_form
from tests.wire.answers import HANG_UP, NOT_JSON, Answer, Broken, Call, Reaction, Refused
from tests.wire.language_models import LanguageModels, language_models

LOOK_UP = OfferedTool(
    "search_policy",
    "Look up the sections that apply to a question.",
    {"type": "object", "properties": {"question": {"type": "string"}}},
)
CASE = Message("user", "Is this allowed?")
SYSTEM = ("You review content.", "hate.1 Do not dehumanise.", "The sections of this case.")
REQUEST = Request(system=SYSTEM, messages=(CASE,))


@contextmanager
def asking(*reactions: Reaction) -> Iterator[tuple[AnthropicProvider, LanguageModels]]:
    with language_models(list(reactions)) as server:
        provider = AnthropicProvider("small", key=server.key, base_url=server.anthropic_url)
        yield provider, server
        provider.close()


def test_an_answer_comes_back_with_all_the_tokens_that_were_read() -> None:
    answer = Answer(
        "It breaks hate.1.",
        input_tokens=900,
        output_tokens=12,
        cached_tokens=700,
        cache_written_tokens=100,
    )
    with asking(answer) as (provider, _):
        reply = provider.send(REQUEST)
    assert reply == Reply(
        "It breaks hate.1.",
        (),
        "stop",
        Tokens(input=900, output=12, cached=700, cache_written=100),
        model="small",
        request_id="req_0",
    )


def test_the_parts_that_many_cases_share_end_in_a_cache_breakpoint() -> None:
    with asking(Answer("yes")) as (provider, server):
        provider.send(REQUEST)
    blocks = server.bodies[0]["system"]
    assert [block["text"] for block in blocks] == list(SYSTEM)
    assert [block.get("cache_control") for block in blocks] == [
        {"type": "ephemeral"},
        {"type": "ephemeral"},
        None,
    ]


def test_no_more_breakpoints_are_set_than_are_allowed() -> None:
    parts = tuple(f"part {number}" for number in range(9))
    with asking(Answer("yes")) as (provider, server):
        provider.send(Request(parts, (CASE,)))
    marked = [at for at, block in enumerate(server.bodies[0]["system"]) if "cache_control" in block]
    assert marked == [4, 5, 6, 7]


def test_what_these_models_refuse_is_never_sent() -> None:
    body = messages_body(Request((), (CASE,), temperature=0.0, seed=1, logprobs=True), "m")
    assert set(body) == {"model", "max_tokens", "messages"}


def test_the_sdk_authorises_and_names_the_version() -> None:
    with asking(Answer("yes")) as (provider, server):
        provider.send(REQUEST)
    headers = server.asked[0].headers
    assert headers["authorization"] == f"Bearer {server.key}"
    assert headers["anthropic-version"]


def test_tools_are_called_and_answered_in_turns_that_alternate() -> None:
    calls = (Call("search_policy", '{"question": "a"}'), Call("search_policy", '{"question": "ß"}'))
    with asking(Answer("Let me see.", calls=calls), Answer("hate.1")) as (provider, server):
        asked = provider.send(Request(SYSTEM, (CASE,), tools=(LOOK_UP,)))
        answers = [(call, "hate.1 Dehumanising") for call in asked.calls]
        turns = (
            CASE,
            Message("assistant", asked.text, asked.calls),
            *tool_messages(answers),
            Message("user", "What do you conclude?"),
        )
        assert provider.send(Request(SYSTEM, turns, tools=(LOOK_UP,))).text == "hate.1"
    assert asked.finish == "tool_calls"
    assert asked.calls[1] == CalledTool("toolu_0_1", "search_policy", '{"question": "ß"}')
    turn = server.bodies[1]["messages"][-1]
    assert [block["type"] for block in turn["content"]] == ["tool_result", "tool_result", "text"]


def test_a_forced_tool_is_forced_alone() -> None:
    with asking(Answer(None, calls=(Call("search_policy"),))) as (provider, server):
        provider.send(Request((), (CASE,), tools=(LOOK_UP,), forced_tool="search_policy"))
    assert server.bodies[0]["tool_choice"] == {
        "type": "tool",
        "name": "search_policy",
        "disable_parallel_tool_use": True,
    }


def test_the_schema_of_the_verdict_is_one_that_the_api_takes() -> None:
    with asking(Answer("{}")) as (provider, server):
        provider.send(Request((), (CASE,), answer_schema=verdict_form().schema, mode="json_schema"))
    assert server.bodies[0]["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("something new", "other"),
    ],
)
def test_every_way_to_end_is_told_apart(said: str, meant: str) -> None:
    with asking(Answer("x", finish=said)) as (provider, _):
        assert provider.send(REQUEST).finish == meant


@pytest.mark.parametrize(
    ("reaction", "error"),
    [
        (Refused(400, "bad"), RefusedRequestError),
        (Refused(402, "no credit"), RefusedRequestError),
        (Refused(413, "too large"), RefusedRequestError),
        (Refused(429, "slow down"), RateLimitedError),
        (Refused(529, "overloaded"), RateLimitedError),
        (Refused(500, "oops"), UnavailableError),
        (Refused(504, "too slow"), UnavailableError),
        (HANG_UP, UnavailableError),
        (NOT_JSON, UnavailableError),
        (Broken(b'{"content": "text"}'), UnavailableError),
        (Broken(b'{"content": [{"type": "text", "te'), UnavailableError),
        (Broken(b'{"content": []}', cut_at=5), UnavailableError),
        (Broken(b'{"content": [{"input": {"a": 1, "a": 2}}]}'), UnavailableError),
        (Broken(b'{"content": [' + b"9" * 5_000 + b"]}"), UnavailableError),
    ],
)
def test_every_failure_is_one_of_ours_and_keeps_nothing_of_the_sdk(
    reaction: Reaction, error: type[ProviderError]
) -> None:
    with asking(reaction) as (provider, _), pytest.raises(ProviderError) as raised:
        provider.send(REQUEST)
    assert type(raised.value) is error
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_an_overloaded_provider_says_when_to_come_back() -> None:
    refused = Refused(529, headers={"retry-after": "12"})
    with asking(refused) as (provider, _), pytest.raises(RateLimitedError) as raised:
        provider.send(REQUEST)
    assert raised.value.retry_after == 12.0


def test_arguments_that_are_no_object_come_back_as_what_they_are() -> None:
    with asking(Answer(None, calls=(Call("search_policy", "[1, NaN"),))) as (provider, _):
        assert provider.send(REQUEST).calls[0].arguments == '"[1, NaN"'


def test_empty_turns_are_filled_because_the_api_takes_none() -> None:
    turns = (Message("user", " "), Message("assistant", ""), Message("user", "well?"))
    with asking(Answer("yes")) as (provider, _):
        assert provider.send(Request(("", " "), turns)).text == "yes"


def test_a_key_is_needed_by_anthropic_and_not_by_a_server_of_ones_own() -> None:
    with language_models([Answer("hello")], key="") as server:
        provider = AnthropicProvider("m", key="", base_url=server.anthropic_url)
        assert provider.send(REQUEST).text == "hello"
        provider.close()
    with pytest.raises(RefusedRequestError, match="no key"):
        AnthropicProvider("m", key="")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "tool_use", "thinking"]) | JSON,
        "text": JSON,
        "id": JSON,
        "name": JSON,
        "input": JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "content": st.lists(BLOCK | JSON, max_size=4) | JSON,
        "stop_reason": JSON,
        "usage": st.fixed_dictionaries({}, optional={"input_tokens": JSON, "output_tokens": JSON}),
        "model": JSON,
        "id": JSON,
    },
)


@given(MESSAGE)
def test_whatever_stands_in_the_answer_a_reply_has_the_types_it_promises(value: Any) -> None:
    reply = read_message(value, "")
    assert isinstance(reply.text, str)
    assert isinstance(reply.request_id, str)
    assert reply.tokens.input >= 0
    assert all(isinstance(call.arguments, str) for call in reply.calls)
