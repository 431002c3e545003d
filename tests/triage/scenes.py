"""Cases, opinions and a village's rules for the tests of the docket."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from agent.case import Case
from agent.record import record_of
from agent.reviewer import Opinion
from agent.state import Limits
from agent.verdict import Verdict
from triage.closing import Closing
from triage.reading_lines import Lines

NOW = 1_800_000_000.0

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
Do not insult the plants that a neighbour has grown.
### Violates
- Your roses look like boiled socks.
### Allowed
- You asked me: the roses need more water.
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


class Clock:
    """The time, as a test says it is."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class EverythingCloses:
    """A closing policy that nobody should have."""

    def may_close(self, verdict: Verdict) -> Closing:
        """Close it."""
        del verdict
        return Closing(closes=True, because="the test says so")


def lines_of(*cases: Mapping[str, Any] | str) -> Lines:
    """Cases, or lines as they are, as a file of cases."""
    told = (case if isinstance(case, str) else json.dumps(case) for case in cases)
    return Lines(io.BytesIO("".join(f"{line}\n" for line in told).encode()), "cases.jsonl")


def a_case(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A case about a neighbour's plants."""
    return {"id": f"c-{number}", "text": f"Your rose number {number} is a disgrace.", **fields}


def verdict_on(case: Case, **changes: Any) -> Verdict:
    """A verdict that closes, were it allowed to; name what should be different."""
    ground = {
        "section": "garden.1",
        "severity": "medium",
        "confidence": 0.9,
        "policy_quote": "Do not insult the plants",
        "content_quote": case.text[:10],
        "content_span": [0, 10],
        "why": "It belittles what the neighbour has grown.",
    }
    fields: dict[str, Any] = {
        "case_id": case.id,
        "decision": "violating",
        "action": "limit",
        "severity": "medium",
        "violations": [ground | changes.pop("ground", {})],
        "abstain_reason": None,
        "confidence": 0.9,
        "rationale": "The words belittle a neighbour's plants.",
        "counterargument": "It may be a joke between friends.",
        "needs_human": False,
        "needs_human_because": [],
        "evidence": [],
        "sections_considered": ["garden.1"],
        "precedents": [],
        "provenance": {"rulebook": "sha256:0", "model": "quick", "prompts": "-", "tools": {}},
        "usage": {"model_calls": 1, "cost_usd": 0.001},
    }
    return Verdict.model_validate(fields | changes)


def abstention_on(case: Case, reason: str) -> Verdict:
    """An abstention, as the graph makes it of a failure."""
    return verdict_on(
        case,
        decision="abstain",
        action="escalate",
        severity=None,
        violations=[],
        abstain_reason=reason,
        confidence=0.0,
        needs_human=True,
        needs_human_because=["no opinion"],
    )


def opinion_on(case: Case, verdict: Verdict | None = None) -> Opinion:
    """The opinion of a reviewer that takes no time."""
    verdict = verdict or verdict_on(case)
    record = record_of(
        case,
        verdict,
        tape=[],
        limits=Limits(),
        own=None,
        exchanges=[],
        texts={},
        content_apart=False,
    )
    return Opinion(verdict, record)
