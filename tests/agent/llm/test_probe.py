from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.llm.anthropic_provider import AnthropicProvider
from agent.llm.exchange import RefusedRequestError, UnavailableError
from agent.llm.openai_provider import OpenAIProvider
from agent.llm.probe import Capabilities, best_mode, probe
from tests.wire.answers import HANG_UP, Answer, Asked, Call, Reaction, Refused
from tests.wire.language_models import language_models, obedient

EVERYTHING = Capabilities(
    tools=True, forced_tools=True, json_schema=True, json_mode=True, logprobs=True
)
NOTHING = Capabilities(
    tools=False, forced_tools=False, json_schema=False, json_mode=False, logprobs=False
)


def able(asked: Asked) -> Answer:
    """A server that can do everything that OpenAI's can."""
    if asked.body.get("tools") and asked.forced_tool is None:
        return Answer(None, calls=(Call("note_colour", '{"colour": "ultramarine"}'),))
    if asked.body.get("logprobs"):
        return Answer("hello", logprobs=(("hello", -0.1),))
    return obedient(asked)


def deaf(_: Asked) -> Answer:
    """A server that ignores whatever it does not know, and lets the model greet."""
    return Answer("hello")


def pedantic(asked: Asked) -> Reaction:
    """A server that refuses whatever it does not know."""
    asked_for = {"tools", "response_format", "logprobs"} & set(asked.body)
    return Refused(400, f"unknown: {asked_for}") if asked_for else Answer("hello")


def clumsy(asked: Asked) -> Reaction:
    """A server that breaks on whatever it does not know."""
    reaction = pedantic(asked)
    return replace(reaction, status=500) if isinstance(reaction, Refused) else reaction


def chatty(asked: Asked) -> Answer:
    """A server that calls another tool than the forced one, and talks beside its JSON."""
    if asked.body.get("tools"):
        return Answer("Sure!", calls=(Call("greet"), Call("note_colour", '{"colour": "red"}')))
    return Answer('Sure! {"greeting": "hello"}')


def probed(script: Callable[[Asked], Reaction]) -> tuple[Capabilities, int]:
    with language_models(script) as server:
        provider = OpenAIProvider("m", key=server.key, base_url=server.openai_url)
        found = probe(provider)
        provider.close()
        return found, len(server.asked)


def test_a_server_that_can_do_everything_is_found_to_in_six_requests() -> None:
    assert probed(able) == (EVERYTHING, 6)


@pytest.mark.parametrize("script", [deaf, pedantic, clumsy, chatty])
def test_a_server_is_not_trusted_to_do_what_it_does_not_show(
    script: Callable[[Asked], Reaction],
) -> None:
    assert probed(script)[0] == NOTHING


def test_anthropic_is_probed_in_its_own_words() -> None:
    with language_models(able) as server:
        provider = AnthropicProvider("m", key=server.key, base_url=server.anthropic_url)
        found = probe(provider)
        provider.close()
    # It has no JSON mode and tells no probabilities; a schema is more than both.
    assert found == replace(EVERYTHING, json_mode=False, logprobs=False)
    assert best_mode(found) == "json_schema"


@pytest.mark.parametrize(
    ("reaction", "error"), [(Refused(401), RefusedRequestError), (HANG_UP, UnavailableError)]
)
def test_a_server_that_does_not_even_greet_is_not_called_unable(
    reaction: Reaction, error: type[Exception]
) -> None:
    with pytest.raises(error):
        probed(lambda _: reaction)


def test_a_server_that_goes_away_in_between_is_not_called_unable() -> None:
    with pytest.raises(UnavailableError):
        probed(lambda asked: HANG_UP if asked.number else Answer("hello"))


@pytest.mark.parametrize(
    ("found", "mode"),
    [
        (EVERYTHING, "json_schema"),
        (replace(EVERYTHING, json_schema=False), "tools"),
        (replace(NOTHING, tools=True, json_mode=True), "json"),
        (NOTHING, "text"),
    ],
)
def test_the_mode_that_binds_the_model_most_is_the_best(found: Capabilities, mode: str) -> None:
    assert best_mode(found) == mode
