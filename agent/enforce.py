"""The last node: code decides what follows, and what a machine must leave to a person.

The model has said which sections, how severe, on what words. The action comes from the policy's
enforcement table, the doubts from rules that stand here, and no answer of a
model can change either.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.brief import answers_so_far, sections_shown
from agent.case import Case
from agent.doubts import Ruling, doubts_of
from agent.floors import abstention, over_the_floors
from agent.phrases import phrases
from agent.state import Desk, ReviewState
from agent.verdict import (
    Draft,
    Evidence,
    PrecedentReference,
    Provenance,
    Usage,
    Verdict,
    Violation,
)
from policies.rulebook import ACTIONS, SEVERITIES, Action, Rulebook


def enforce(state: ReviewState, desk: Desk) -> ReviewState:
    """Make the verdict: the action by table, the floors, and who has to look at it.

    Reads: everything. Writes: verdict.
    """
    case = Case.model_validate(state["case"])
    answers = answers_so_far(state)
    opinion = over_the_floors(_opinion(state), signs=state["signs"], answers=answers)
    proved = tuple(Violation.model_validate(v) for v in state["proved"])
    violations = tuple(_worst_first(proved)) if opinion.decision == "violating" else ()
    action = action_for(opinion, violations, desk.rulebook)
    doubts = doubts_of(Ruling(case, opinion, violations, action), state, desk)
    verdict = Verdict(
        case_id=case.id,
        decision=opinion.decision,
        action=action,
        severity=max((v.severity for v in violations), key=SEVERITIES.index, default=None),
        violations=violations,
        abstain_reason=opinion.abstain_reason,
        confidence=opinion.confidence,
        rationale=opinion.rationale,
        counterargument=opinion.counterargument,
        needs_human=bool(doubts),
        needs_human_because=tuple(doubts),
        evidence=tuple(Evidence(tool=a.call.tool, finding=a.finding) for a in answers),
        sections_considered=tuple(section.id for section in sections_shown(state, desk)),
        precedents=tuple(PrecedentReference.model_validate(p) for p in state["precedents"]),
        provenance=Provenance(
            rulebook=desk.rulebook.id,
            model=desk.model.name,
            prompts=desk.prompts,
            tools={tool.name: tool.version for tool in desk.tools},
        ),
        usage=Usage.model_validate(
            state["usage"] | {"seconds": round(desk.clock() - state["started"], 3)}
        ),
    )
    return {"verdict": verdict.model_dump(mode="json", by_alias=True, exclude={"agreement"})}


def action_for(opinion: Draft, violations: Sequence[Violation], rulebook: Rulebook) -> Action:
    """Return the heaviest action that the enforcement tables prescribe for these violations.

    A case without a verdict is escalated, never left alone: `none` would read as "allowed".
    """
    if opinion.decision == "abstain":
        return "escalate"
    actions: list[Action] = ["none"]
    for violation in violations:
        section = rulebook.section(violation.section)
        policy = rulebook.policy(section.policy) if section else None
        actions.append(policy.enforcement[violation.severity] if policy else "escalate")
    return max(actions, key=ACTIONS.index)


def _opinion(state: ReviewState) -> Draft:
    """The draft that was proved, or the abstention that code puts in its place."""
    stopped = state["stopped"]
    if stopped is not None:
        phrase = phrases("verdicts")["stopped"]
        return abstention(
            stopped["reason"],
            rationale=phrase["rationale"].format(why=stopped["why"]),
            counterargument=phrase["counterargument"],
        )
    return Draft.model_validate(state["draft"])


def _worst_first(violations: Sequence[Violation]) -> list[Violation]:
    return sorted(
        violations, key=lambda v: (-SEVERITIES.index(v.severity), -v.confidence, v.section)
    )
