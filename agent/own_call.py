"""A person's own call on a case, and how the verdict stands to it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.verdict import Agreement, Decision, Verdict
from errors import UsageError, shown
from policies.rulebook import ACTIONS, Action, Rulebook

DECISION_OF: dict[Action, Decision] = {
    "none": "allowed",
    "label": "violating",
    "limit": "violating",
    "remove": "violating",
    "suspend": "violating",
    "escalate": "abstain",
}
"""What somebody who calls for an action holds of the case."""

HINT = "write --mine remove:hate.1, --mine violating:hate.1, --mine allowed or --mine abstain"


@dataclass(frozen=True)
class OwnCall:
    """What a person would do, and under which sections."""

    said: str
    decision: Decision
    action: Action | None
    sections: tuple[str, ...]


def own_call(said: str, rulebook: Rulebook) -> OwnCall:
    """Read a call such as `remove:hate.1`, `violating:hate.1,hate.2` or `allowed`.

    Raises:
        UsageError: It names no decision or action, or a section that this rulebook does not have.
    """
    call, _, cited = said.strip().partition(":")
    action, decision = _action(call), decision_said(said)
    sections = tuple(part.strip() for part in cited.split(",") if part.strip())
    for section in sections:
        if rulebook.section(section) is None:
            raise UsageError(
                f"--mine {shown(said)}: this rulebook has no section {shown(section)}",
                hint="see the sections with: amicus policy list",
            )
    if sections and decision != "violating":
        raise UsageError(
            f"--mine {shown(said)}: {call} breaks no section, but {sections[0]} is named", hint=HINT
        )
    return OwnCall(said.strip(), decision, action, sections)


def decision_said(said: str) -> Decision:
    """Return what a call decides, whatever sections it names.

    Raises:
        UsageError: It names no decision or action.
    """
    call = said.strip().partition(":")[0]
    action = _action(call)
    return DECISION_OF[action] if action else _decision(call)


def _action(call: str) -> Action | None:
    return next((known for known in ACTIONS if known == call), None)


def _decision(call: str) -> Decision:
    decisions: tuple[Decision, ...] = ("violating", "allowed", "abstain")
    for known in decisions:
        if known == call:
            return known
    raise UsageError(f"--mine {shown(call)}: neither a decision nor an action", hint=HINT)


def agreement(verdict: Verdict, call: OwnCall) -> Agreement:
    """Return where the verdict and the person's call differ.

    Sections agree when the verdict cites at least one that the person named. Nothing is compared
    that the person did not say.
    """
    cited = {violation.section for violation in verdict.violations}
    differences = {
        "decision": verdict.decision != call.decision,
        "action": call.action is not None and verdict.action != call.action,
        "section": bool(call.sections) and not cited & set(call.sections),
    }
    return Agreement.model_validate(
        {
            "with": call.said,
            "agrees": not any(differences.values()),
            "differs_on": tuple(name for name, differs in differences.items() if differs),
        }
    )
