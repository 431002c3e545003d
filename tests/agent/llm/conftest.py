"""A language model in front of the village's rulebook, and the brief of a case there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.case import Case
from agent.llm.critic import Critic
from agent.llm.language_model import Asking, LanguageModel
from agent.llm.samples import Sampling
from agent.model import Brief
from policies.rulebook import Rulebook
from tests.agent.llm.scripted import TEXT, ScriptedProvider, line_to, markers


@pytest.fixture
def model(village: Rulebook) -> Callable[..., LanguageModel]:
    """A language model over a provider; name what should be different."""

    def make(
        provider: ScriptedProvider,
        *,
        asking: Asking | None = None,
        critic: Critic | None = None,
        sampling: Sampling | None = None,
    ) -> LanguageModel:
        return LanguageModel(
            line_to(provider),
            village,
            markers(),
            asking=asking or Asking(),
            critic=critic,
            sampling=sampling or Sampling(),
        )

    return make


@pytest.fixture
def brief(village: Rulebook) -> Callable[..., Brief]:
    """What a model is told of the tulips; name what should be different."""

    def make(**changes: Any) -> Brief:
        fields: dict[str, Any] = {
            "case": Case(id="c-1", text=TEXT),
            "sources": {"text": TEXT},
            "reading": TEXT,
            "language": "en",
            "links": (),
            "signs": (),
            "sections": village.sections[:2],
            "never_auto": frozenset(),
            "precedents": (),
            "tools": (),
            "calls_left": 4,
        }
        return Brief(**(fields | changes))

    return make
