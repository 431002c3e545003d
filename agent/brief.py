"""Make the brief of a review: all that the model is told, out of the state."""

from __future__ import annotations

from agent.case import Case
from agent.model import Brief, Fault, ToolAnswer, ToolCall
from agent.state import Desk, ReviewState
from agent.verdict import Draft, PrecedentReference
from policies.rulebook import Section


def brief_of(state: ReviewState, desk: Desk) -> Brief:
    """Return what the model is told at this point of the review."""
    sections = sections_shown(state, desk)
    policies = {section.policy for section in sections}
    draft = state["draft"]
    return Brief(
        case=Case.model_validate(state["case"]),
        sources=state["sources"],
        reading=state["reading"],
        language=state["language"],
        links=tuple(state["links"]),
        signs=tuple(state["signs"]),
        sections=sections,
        never_auto=frozenset(
            policy.id
            for policy in desk.rulebook.policies
            if policy.never_auto and policy.id in policies
        ),
        precedents=tuple(PrecedentReference.model_validate(p) for p in state["precedents"]),
        tools=desk.tools,
        answers=answers_so_far(state),
        calls_left=max(0, desk.limits.tool_calls - len(state["answers"])),
        draft=Draft.model_validate(draft) if draft and state["faults"] else None,
        faults=tuple(Fault(fault["code"], fault["message"]) for fault in state["faults"]),
    )


def sections_shown(state: ReviewState, desk: Desk) -> tuple[Section, ...]:
    """The sections that the model has been shown, in the order in which it saw them."""
    found = (desk.rulebook.section(section_id) for section_id in state["shown"])
    return tuple(section for section in found if section is not None)


def answers_so_far(state: ReviewState) -> tuple[ToolAnswer, ...]:
    """What the tools have answered, in order."""
    return tuple(
        ToolAnswer(
            ToolCall(answer["call"]["tool"], answer["call"]["arguments"]),
            answer["result"],
            answer["error"],
        )
        for answer in state["answers"]
    )
