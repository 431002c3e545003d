"""What a machine must leave to a person, and why, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.brief import answers_so_far, sections_shown
from agent.case import Case
from agent.floors import scores_over_floor
from agent.phrases import phrases
from agent.state import Desk, ReviewState
from agent.verdict import Draft, Violation
from policies.rulebook import Action

SURE_ENOUGH = 0.8
"""Under this confidence a violation is put before a person, whatever its action."""

HEAVY_ACTIONS: tuple[Action, ...] = ("suspend", "escalate")
"""What is never done to anybody on a machine's word."""

MOST_NAMED = 3
"""So many policies are named of those whose floor a score is over."""

STRONG_OBJECTIONS = 2
"""So many live precedents for the other answer put a verdict before a person."""


@dataclass(frozen=True)
class Ruling:
    """What has been decided so far: the opinion over the floors, its proved grounds, the action."""

    case: Case
    opinion: Draft
    violations: tuple[Violation, ...]
    action: Action

    @property
    def violating(self) -> bool:
        """Whether the content is held to break a rule."""
        return self.opinion.decision == "violating"


def doubts_of(ruling: Ruling, state: ReviewState, desk: Desk) -> list[str]:
    """Return why a person has to look at this case; an empty list asks for nobody."""
    phrase = phrases("verdicts")["needs_human"]
    signs = ", ".join(state["signs"])
    doubts = [phrase[key].format(**values) for key, values in _plain_doubts(ruling)]
    doubts += [phrase["never_auto"].format(policy=t) for t in _never_auto(ruling, state, desk)]
    if signs:
        doubts.append(phrase["steering"].format(signs=signs))
    if not ruling.violating:
        over = scores_over_floor(desk.rulebook, answers_so_far(state))
        if over:
            doubts.append(phrase["over_floor"].format(policies=", ".join(over[:MOST_NAMED])))
    against = _objections(ruling, state)
    if len(against) >= STRONG_OBJECTIONS:
        doubts.append(phrase["strong_objection"].format(cases=", ".join(against)))
    if ruling.violating and _overturned(state):
        doubts.append(phrase["overturned"])
    return doubts


def _plain_doubts(ruling: Ruling) -> Iterator[tuple[str, dict[str, object]]]:
    """The doubts that the ruling itself raises: key of the phrase, and its values."""
    opinion = ruling.opinion
    if opinion.decision == "abstain":
        yield "abstain", {"reason": str(opinion.abstain_reason).replace("_", " ")}
    if ruling.case.kind == "account":
        yield "account", {}
    if ruling.violating and ruling.action in HEAVY_ACTIONS:
        yield "heavy", {"action": ruling.action}
    if ruling.violating and opinion.confidence < SURE_ENOUGH:
        yield "unsure", {"confidence": opinion.confidence, "line": SURE_ENOUGH}


def _never_auto(ruling: Ruling, state: ReviewState, desk: Desk) -> list[str]:
    """The titles of the policies in play whose cases a machine never closes.

    For a violation those are the policies cited; otherwise the policy of the section that came
    first when the rules for this content were looked up.
    """
    ids = {violation.section.split(".")[0] for violation in ruling.violations}
    if not ruling.violating:
        ids = {section.policy for section in sections_shown(state, desk)[:1]}
    return [p.title for p in desk.rulebook.policies if p.never_auto and p.id in ids]


def _objections(ruling: Ruling, state: ReviewState) -> list[str]:
    """Live precedents that went the other way: on a cited section, or on any when allowed."""
    if ruling.opinion.decision == "abstain":
        return []
    cited: Sequence[str] = [violation.section for violation in ruling.violations]
    return [
        found["case_id"]
        for found in state["precedents"]
        if not found["stale"]
        and found["decision"] != ruling.opinion.decision
        and (not cited or found["section"] in cited)
    ]


def _overturned(state: ReviewState) -> bool:
    return any(
        answer.call.tool == "account_history"
        and answer.result is not None
        and bool(answer.result["overturned"])
        for answer in answers_so_far(state)
    )
