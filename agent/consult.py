"""The middle nodes: the model asks, the tools answer, within a number of calls and a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.brief import brief_of
from agent.model import NoConclusionError
from agent.phrases import phrases
from agent.state import Desk, ReviewState
from agent.verdict import Usage
from errors import AmicusError, ModelError, ToolError


def consult(state: ReviewState, desk: Desk) -> ReviewState:
    """Ask the model what else it needs to know.

    Reads: all that a brief holds, rounds. Writes: calls, rounds, usage; or stopped.
    """
    if state["rounds"] >= desk.limits.rounds:
        return _stop("budget", "rounds")
    try:
        consultation = desk.model.consult(brief_of(state, desk))
    except ModelError as error:
        return stopped_by_model(error, state)
    calls = [{"tool": call.tool, "arguments": dict(call.arguments)} for call in consultation.calls]
    changes: ReviewState = {
        "calls": calls,
        "rounds": state["rounds"] + 1,
        "usage": add_usage(state["usage"], consultation.usage),
    }
    if len(state["answers"]) + len(calls) > desk.limits.tool_calls:
        changes |= _stop("budget", "tool_budget", calls=desk.limits.tool_calls)
    return changes


def use_tools(state: ReviewState, desk: Desk) -> ReviewState:
    """Answer the model's calls, each checked against the list and the arguments of its tool.

    A tool that cannot answer tells the model why. A tool that is *broken* stops the review: a
    verdict without the evidence that was asked for would be a guess.

    Reads: calls, answers, shown. Writes: calls, answers, shown; or stopped.
    """
    answers = list(state["answers"])
    shown = list(state["shown"])
    deadline = desk.clock() + desk.limits.tool_seconds - _spent(state)
    for call in state["calls"]:
        if desk.clock() >= deadline:
            return _stop("budget", "tool_time", seconds=desk.limits.tool_seconds)
        started = desk.clock()
        answer: dict[str, Any] = {"call": call, "result": None, "error": None}
        try:
            answer["result"] = dict(desk.use(str(call["tool"]), call["arguments"]))
        except ToolError as error:
            answer["error"] = error.message
        except AmicusError as error:
            return _stop("missing_context", "tool_broken", tool=call["tool"], error=error.message)
        answers.append(answer | {"seconds": round(desk.clock() - started, 6)})
        shown += [found for found in _sections_in(answer) if found not in shown]
    return {"calls": [], "answers": answers, "shown": shown}


def _sections_in(answer: Mapping[str, Any]) -> list[str]:
    """The sections that an answer of `search_policy` has shown to the model."""
    if answer["result"] is None or answer["call"]["tool"] != "search_policy":
        return []
    return [section["id"] for section in answer["result"]["sections"]]


def _spent(state: ReviewState) -> float:
    return sum(float(answer["seconds"]) for answer in state["answers"])


def _stop(reason: str, phrase: str, **values: object) -> ReviewState:
    why = phrases("verdicts")["stopped"][phrase].format(**values)
    return {"calls": [], "stopped": {"reason": reason, "why": why}}


def stopped_by_model(error: ModelError, state: ReviewState) -> ReviewState:
    """The state after a model that gave no usable answer: it abstains, with the reason it names."""
    reason = error.reason if isinstance(error, NoConclusionError) else "model_error"
    spent = error.usage if isinstance(error, NoConclusionError) else Usage()
    return _stop(reason, "model_error", error=error.message) | {
        "usage": add_usage(state["usage"], spent),
    }


def add_usage(total: Mapping[str, float], usage: Usage) -> dict[str, float]:
    """Return what the review has cost so far; seconds are measured as a whole, not added."""
    added = usage.model_dump(exclude={"seconds"})
    return {name: total.get(name, 0) + value for name, value in added.items()}
