"""A small invented rulebook and a desk whose every seam a test can exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agent.case import Case
from agent.graph import judge
from agent.scripted import ScriptedModel
from agent.state import Desk, Limits
from agent.verdict import Draft, Verdict
from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook
from tools.list import use_tool

GARDEN = """---
id: garden
title: Garden manners
version: 2026-11-01
signals: [offensive]
enforcement: {low: label, medium: limit, high: remove}
never_auto: false
---
Neighbours should be able to sit outside in peace.

## garden.1 Insulting a neighbour's plants (low to high)
Do not insult the plants that a neighbour has grown. It does not matter whether the neighbour hears
it. Advice that was asked for is allowed.
### Violates
- Your roses look like boiled socks.
### Allowed
- You asked me: the roses need more water.

## garden.2 Throwing compost (high)
Do not throw compost, soil or leaves over a fence.
### Violates
- I tipped a bucket of soil over his fence.
### Allowed
- I carried my soil to the tip.
"""

WELL = """---
id: well
title: The village well
version: 2026-11-01
signals: [violence]
enforcement: {critical: suspend}
never_auto: true
---
Everybody drinks from it.

## well.1 Poisoning the well (critical)
Do not put anything into the well, and do not ask others to put anything into it.
### Violates
- Let us all pour paint into the well tonight.
### Allowed
- The well was repainted on the outside.
"""

ReviewWith = Callable[..., Verdict]


@pytest.fixture(scope="session")
def village() -> Rulebook:
    """Two policies, three sections; the policy of the well is never closed by a machine."""
    return rulebook_from_files({"garden.md": GARDEN, "well.md": WELL})


@pytest.fixture
def draft() -> Callable[..., Draft]:
    """A draft that stands, on the content of `review`; name what should be different."""

    def make(**changes: Any) -> Draft:
        ground = {
            "section": "garden.1",
            "severity": "low",
            "confidence": 0.9,
            "policy_quote": "Do not insult the plants that a neighbour has grown.",
            "content_quote": "Your tulips are a disgrace",
            "why": "It belittles what the neighbour has grown.",
        }
        fields: dict[str, Any] = {
            "decision": "violating",
            "violations": [ground | changes.pop("ground", {})],
            "confidence": 0.9,
            "rationale": "The words belittle a neighbour's plants.",
            "counterargument": "It may be a joke between friends.",
        }
        return Draft.model_validate(fields | changes)

    return make


@pytest.fixture
def desk(village: Rulebook) -> Callable[..., Desk]:
    """A desk with nothing on it but the village's rules; name what should be different."""

    def make(model: ScriptedModel, **changes: Any) -> Desk:
        seconds = iter(range(10_000))
        fields: dict[str, Any] = {
            "rulebook": village,
            "model": model,
            "tools": (),
            "prompts": "sha256:0",
            "sections": lambda _: [village.section("garden.1"), village.section("garden.2")],
            "precedents": lambda _: [],
            "account_texts": _no_account,
            "signs": lambda _: [],
            "language": lambda _: "en",
            "clock": lambda: float(next(seconds)),
            "limits": Limits(tool_calls=4, tool_seconds=100.0),
        }
        fields |= changes
        return Desk(**({"use": use_tool(fields["tools"])} | fields))

    return make


def _no_account(account_id: str) -> Mapping[str, str]:
    return {"display name": f"gardener {account_id}", "post 1": "Your tulips are a disgrace!"}


@pytest.fixture
def review(desk: Callable[..., Desk]) -> ReviewWith:
    """Review one case with a scripted model, and see that the script was played to its end."""

    def run(*steps: Any, case: Mapping[str, Any] | None = None, **changes: Any) -> Verdict:
        model = ScriptedModel(*steps)
        fields = {"id": "c-1", "text": "Hello there. Your tulips are a disgrace, honestly."}
        checked = Case.model_validate(case or fields)
        verdict = judge(checked, desk(model, **changes))
        model.done()
        return verdict

    return run
