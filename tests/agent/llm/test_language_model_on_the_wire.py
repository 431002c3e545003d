"""A whole review through both real SDKs, against a server that speaks their protocols."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.case import Case
from agent.graph import judge
from agent.llm.anthropic_provider import AnthropicProvider
from agent.llm.critic import Critic
from agent.llm.exchange import Provider
from agent.llm.language_model import Asking, LanguageModel
from agent.state import Desk
from policies.rulebook import Rulebook
from tests.agent.llm.scripted import TEXT, VERDICT, line_to
from tests.wire.answers import Answer, Asked, Call, calls
from tests.wire.language_models import LanguageModels, language_models
from tools.search_policy import search_policy

OBJECTION = "Between neighbours that may be a joke."
CASE = Case(id="c-1", text=TEXT)


def provider_at(server: LanguageModels, wire: str) -> Provider:
    if wire == "anthropic":
        return AnthropicProvider("small", key=server.key, base_url=server.anthropic_url)
    from agent.llm.openai_provider import OpenAIProvider

    return OpenAIProvider("small", key=server.key, base_url=server.openai_url)


def answers(asked: Asked) -> Answer:
    """Ask one question, then conclude; object where an objection is wanted."""
    if "argue against" in asked.last_words:
        return Answer(OBJECTION)
    if asked.forced_tool == "verdict":
        return Answer(None, calls=(Call("verdict", json.dumps(VERDICT)),))
    if "Before you conclude" in asked.last_words:
        known = "search_policy]]" in asked.last_words
        return Answer("READY") if known else calls("search_policy", question="wells?")
    return Answer(f"```json\n{json.dumps(VERDICT)}\n```")


@pytest.fixture
def review_at(desk: Callable[..., Desk], village: Rulebook) -> Callable[..., Any]:
    """Review the tulips with a model on the wire and a critic on the same line."""

    def run(server: LanguageModels, wire: str, **asking: Any) -> Any:
        numbers = itertools.count(1)
        line = line_to(provider_at(server, wire))
        model = LanguageModel(
            line,
            village,
            lambda: f"m{next(numbers)}",
            asking=Asking(**asking),
            critic=Critic(line),
        )
        tools = (search_policy(lambda _: village.sections[2:], version="1"),)
        return judge(CASE, desk(model, tools=tools))

    return run


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("mode", ["tools", "json_schema", "json", "text"])
@pytest.mark.parametrize("layout", ["retrieved", "whole"])
def test_a_review_runs_through_the_real_sdk(
    review_at: Callable[..., Any], wire: str, mode: str, layout: str
) -> None:
    with language_models(answers) as server:
        verdict = review_at(server, wire, mode=mode, layout=layout)

    assert verdict.decision == "violating"
    assert verdict.counterargument == OBJECTION
    assert verdict.violations[0].content_span == (13, 39)
    assert verdict.provenance.model == f"{wire}:small@{layout},{mode},critic"
    assert verdict.usage.model_calls == len(server.asked)
    assert len(verdict.evidence) == (layout == "retrieved")


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_cut_answer_is_asked_for_again_through_the_real_sdk(
    review_at: Callable[..., Any], wire: str
) -> None:
    whole = json.dumps(VERDICT)
    first = iter([Answer(whole[:200], finish="length" if wire == "openai" else "max_tokens")])

    def cut_once(asked: Asked) -> Answer:
        usual = answers(asked)
        return next(first, usual) if (usual.text or "").startswith("```") else usual

    with language_models(cut_once) as server:
        verdict = review_at(server, wire, mode="json_schema", calls_tools=False)

    assert verdict.decision == "violating"
    assert any("cut off" in asked.last_words for asked in server.asked)
