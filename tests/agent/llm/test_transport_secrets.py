"""A key is planted, everything goes wrong, and the key is searched for everywhere."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator

import pytest

from agent.llm.anthropic_provider import AnthropicProvider
from agent.llm.breaker import CircuitBreaker
from agent.llm.exchange import Message, Provider, ProviderError, Request
from agent.llm.limiter import Limiter
from agent.llm.openai_provider import OpenAIProvider
from agent.llm.retrying import Patience, RetryingProvider
from tests.wire.answers import HANG_UP, NOT_JSON, Answer, Broken, Reaction, Refused
from tests.wire.language_models import language_models

PLANTED = "sk-planted-d0a1c9f3e7"
REQUEST = Request(system=("You review content.",), messages=(Message("user", "a post"),))
MISHAPS = [
    Refused(400, f"your header was Bearer {PLANTED}"),
    Refused(401, f"Incorrect API key provided: {PLANTED}"),
    Refused(429, PLANTED),
    Refused(500, PLANTED),
    Refused(418, code=PLANTED),
    HANG_UP,
    NOT_JSON,
    Broken(PLANTED.encode()),
    Broken(b"{}", cut_at=1),
    Answer("late", after=1.0),
]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that anybody logs, from DEBUG up."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider])
@pytest.mark.parametrize("mishap", MISHAPS, ids=[str(number) for number in range(len(MISHAPS))])
def test_a_planted_key_turns_up_nowhere(
    kind: type[OpenAIProvider | AnthropicProvider],
    mishap: Reaction,
    logged: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with language_models(lambda _: mishap, key=PLANTED) as server:
        url = server.openai_url if kind is OpenAIProvider else server.anthropic_url
        inner = kind("m", key=PLANTED, base_url=url, patience=0.2)
        provider = RetryingProvider(
            inner, Limiter(2), CircuitBreaker(inner.name), Patience(tries=2, first_pause=0.0)
        )
        found = told_everywhere(provider)
        assert server.asked[0].headers["authorization"] == f"Bearer {PLANTED}"
        inner.close()
    out, err = capfd.readouterr()
    for place in (*found, logged.getvalue(), out, err, repr(provider), repr(inner), str(inner)):
        assert "planted" not in place
    for place in (logged.getvalue(), out, err):
        assert "a post" not in place


def told_everywhere(provider: Provider) -> list[str]:
    """Whatever a failure tells, with the variables of every frame that it came through."""
    with pytest.raises(ProviderError) as raised:
        provider.send(REQUEST)
    chain: list[BaseException] = [raised.value]
    while (chained := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(chained)
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    return ["".join(frames.format()), *(f"{link!r} {vars(link)}" for link in chain)]


def test_a_key_that_cannot_be_one_is_refused_without_repeating_it() -> None:
    for odd in (f"{PLANTED}\n", f"{PLANTED} ", f"{PLANTED}\u00e9"):
        with pytest.raises(ProviderError) as raised:
            OpenAIProvider("m", key=odd, base_url="http://127.0.0.1:1/v1")
        assert "planted" not in f"{raised.value!r}{raised.value.hint}"
