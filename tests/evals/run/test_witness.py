from __future__ import annotations

import pytest

from agent.case import Case
from agent.graph import judge
from agent.model import Brief, ToolAnswer, ToolCall
from agent.record import verdict_data
from agent.scripted import ScriptedModel, ScriptStep
from agent.state import Desk, Limits
from agent.tape import Tape, recorded
from agent.verdict import Draft
from errors import ModelError, ToolError
from evals.outcome import Grounding, Lookups
from evals.run.recorded import Seen
from evals.run.witness import lookups_of, seen_on_tape
from policies.reading import rulebook_from_files
from tools.list import use_tool
from tools.tool import Arguments, Result, Tool

SQUARE = """---
id: square
title: The square
version: 1
enforcement: {high: remove}
---
Keeps the square quiet.

## square.1 Shouting at night (high)
Do not shout in the square after ten o'clock.
"""
RULEBOOK = rulebook_from_files({"square.md": SQUARE})
TEXT = "I shouted at midnight"


class _Url(Arguments):
    url: str = ""


def _all_well(_: Arguments) -> Result:
    return Result(finding="all well")


def _silent(arguments: Arguments) -> Result:
    raise ToolError(f"nothing is known of {arguments}")


TOOLS = (
    Tool("url_reputation", "looks at links", "1", _Url, _all_well),
    Tool("account_history", "looks at accounts", "1", _Url, _silent),
)


def draft(quote: str = "shouted at midnight", rationale: str = "It shouts.") -> Draft:
    return Draft.model_validate(
        {
            "decision": "violating",
            "confidence": 0.9,
            "rationale": rationale,
            "counterargument": "It may be a joke.",
            "violations": [
                {
                    "section": "square.1",
                    "severity": "high",
                    "confidence": 0.9,
                    "policy_quote": "Do not shout in the square after ten o'clock",
                    "content_quote": quote,
                    "why": "It says so.",
                }
            ],
        }
    )


def desk(*steps: ScriptStep) -> Desk:
    return Desk(
        rulebook=RULEBOOK,
        model=ScriptedModel(*steps),
        tools=TOOLS,
        prompts="",
        sections=lambda _: RULEBOOK.sections,
        precedents=lambda _: (),
        account_texts=lambda _: {},
        signs=lambda _: (),
        language=lambda _: "en",
        use=use_tool(TOOLS),
        clock=lambda: 0.0,
        limits=Limits(),
    )


def seen(case: Case, *steps: ScriptStep) -> Seen:
    """What the tape of a scripted review tells."""
    tape = Tape()
    verdict = judge(case, recorded(desk(*steps), tape))
    payload = {"tape": tape.entries, "limits": vars(Limits()), "verdict": verdict_data(verdict)}
    return seen_on_tape(case, verdict, payload, RULEBOOK)


def calls(*named: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(name, {"url": "a"}) for name in named)


def test_a_quote_that_was_put_right_still_counts_as_made_up() -> None:
    told = seen(Case(id="c", text=TEXT), (), draft("screamed all night"), draft())
    assert told.grounding == Grounding(citations=1, refused=1, misquoted=1)


def test_a_draft_that_stands_at_once_has_nothing_refused() -> None:
    told = seen(Case(id="c", text=TEXT), (), draft())
    assert told.grounding == Grounding(citations=1)
    assert told.lookups == Lookups()


def test_prose_that_tells_of_a_tool_nobody_asked_is_noticed() -> None:
    invented = draft(rationale="The url reputation is bad.")
    told = seen(Case(id="c", text=TEXT), (), invented)
    assert told.grounding == Grounding(citations=1, names_unasked_tool=True)
    asked = seen(Case(id="c", text=TEXT), calls("url_reputation"), (), invented)
    assert asked.grounding == Grounding(citations=1)


def test_calls_are_sorted_into_needed_idle_and_failed() -> None:
    case = Case(id="c", text=TEXT, links=("https://shop.example/",))
    told = seen(
        case, calls("url_reputation"), calls("url_reputation", "account_history"), (), draft()
    )
    assert told.lookups == Lookups(calls=3, failed=1, unneeded=2, needed=1, missed=0)


def test_a_case_with_links_that_nobody_looked_up_is_a_missed_look_up() -> None:
    case = Case(id="c", text=TEXT, links=("https://shop.example/",))
    told = seen(case, (), draft())
    assert told.lookups == Lookups(needed=1, missed=1)


@pytest.mark.parametrize("result", [None, {"finding": "known"}])
def test_a_call_that_was_never_answered_has_failed(result: dict[str, str] | None) -> None:
    call = ToolCall("url_reputation", {"url": "a"})
    case = Case(id="c", text=TEXT)
    brief = Brief(
        case=case,
        sources={},
        reading="",
        language="",
        links=("x",),
        signs=(),
        sections=(),
        never_auto=frozenset(),
        precedents=(),
        tools=TOOLS,
        answers=(ToolAnswer(call, result, None if result else "nothing"),),
    )
    told = lookups_of(brief, [ToolCall("url_reputation", {"url": "b"})])
    assert (told.calls, told.failed) == (2, 1 if result else 2)


def test_a_review_that_never_came_to_a_draft_has_no_grounding() -> None:
    told = seen(Case(id="c", text=TEXT), ModelError("the model is away"))
    assert told.grounding is None
