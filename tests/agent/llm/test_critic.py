"""The counter-argument comes from a second look; whatever becomes of it, the verdict stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from agent.llm.critic import Critic
from agent.llm.exchange import UnavailableError
from agent.llm.language_model import LanguageModel
from agent.model import Brief, NoConclusionError
from agent.verdict import Draft
from tests.agent.llm.scripted import (
    ALLOWED,
    VERDICT,
    ScriptedProvider,
    concludes,
    line_to,
    says,
)

MakeBrief = Callable[..., Brief]
MakeModel = Callable[..., LanguageModel]
OBJECTION = "garden.1 allows advice that was asked for, and “honestly” sounds like an answer."


def test_the_counter_argument_is_the_critics(model: MakeModel, brief: MakeBrief) -> None:
    critic = ScriptedProvider(says(f"  {OBJECTION}\n"))
    provider = ScriptedProvider(concludes())
    conclusion = model(provider, critic=Critic(line_to(critic))).decide(brief())

    assert conclusion.draft.counterargument == OBJECTION
    assert conclusion.draft == Draft.model_validate({**VERDICT, "counterargument": OBJECTION})
    assert conclusion.usage.model_calls == 2
    assert conclusion.usage.input_tokens == 200


def test_the_critic_sees_the_verdict_but_not_the_counter_argument_it_came_with(
    model: MakeModel, brief: MakeBrief
) -> None:
    critic = ScriptedProvider(says(OBJECTION))
    model(ScriptedProvider(concludes()), critic=Critic(line_to(critic))).decide(brief())
    request = critic.requests[0]

    assert "The words belittle" in request.messages[0].text
    assert "joke between friends" not in request.messages[0].text
    assert "argue" in request.system[0].lower() or "best honest case" in request.system[0]
    assert request.tools == ()


@pytest.mark.parametrize(
    "step",
    [
        UnavailableError("the server is down"),
        says("", "content_filter"),
        NoConclusionError("budget", "the day's budget is spent"),
    ],
)
def test_a_critic_that_fails_never_breaks_a_verdict(
    model: MakeModel, brief: MakeBrief, step: Any
) -> None:
    critic = Critic(line_to(ScriptedProvider(step)))
    draft = model(ScriptedProvider(concludes()), critic=critic).decide(brief()).draft

    assert draft.decision == "violating"
    assert draft.counterargument.startswith("It may be a joke between friends.")
    assert "No second look" in draft.counterargument


def test_what_a_failed_critic_cost_is_counted(model: MakeModel, brief: MakeBrief) -> None:
    critic = Critic(line_to(ScriptedProvider(says(""), says(""))))
    conclusion = model(ScriptedProvider(concludes()), critic=critic).decide(brief())

    assert conclusion.usage.model_calls == 3


def test_a_failure_told_at_length_keeps_within_the_limits_of_a_draft(
    model: MakeModel, brief: MakeBrief
) -> None:
    critic = Critic(line_to(ScriptedProvider(UnavailableError("x" * 9_000))))
    draft = model(ScriptedProvider(concludes()), critic=critic).decide(brief()).draft

    assert Draft.model_validate(draft.model_dump()) == draft


@pytest.mark.parametrize(
    ("when", "confidence", "looks"),
    [
        ("always", 1.0, True),
        ("near_the_line", 0.95, False),
        ("near_the_line", 0.85, True),
        ("never", 0.1, False),
    ],
)
def test_when_there_is_a_second_look_is_a_choice(
    model: MakeModel, brief: MakeBrief, when: Any, confidence: float, *, looks: bool
) -> None:
    second = ScriptedProvider(*[says(OBJECTION)] * looks)
    critic = Critic(line_to(second), when=when)
    model(ScriptedProvider(concludes(confidence=confidence)), critic=critic).decide(brief())

    second.done()


def test_an_abstention_is_near_the_line() -> None:
    critic = Critic(line_to(ScriptedProvider()), when="near_the_line")
    draft = Draft.model_validate(
        {**ALLOWED, "decision": "abstain", "abstain_reason": "policy_gap", "confidence": 1.0}
    )

    assert critic.wanted(draft)


def test_a_draft_that_will_be_refused_gets_no_second_look(
    model: MakeModel, brief: MakeBrief
) -> None:
    bad = {**VERDICT["violations"][0], "policy_quote": "Do not whistle at the plants, ever."}
    second = ScriptedProvider()
    model(ScriptedProvider(concludes(violations=[bad])), critic=Critic(line_to(second))).decide(
        brief()
    )

    assert second.requests == []


def test_the_critic_can_be_shown_the_whole_rulebook(model: MakeModel, brief: MakeBrief) -> None:
    second = ScriptedProvider(says(OBJECTION))
    critic = dataclasses.replace(Critic(line_to(second)), layout="whole")
    model(ScriptedProvider(concludes()), critic=critic).decide(brief())

    assert "well.1" in second.requests[0].system[0]
