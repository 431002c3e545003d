"""What moved: a flip for each case whose verdict is another, sorted by how much it matters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.verdict import Verdict, Violation
from evals.outcome import Outcome
from evals.wording.difference import Difference
from evals.wording.judging import Item, Judged, surest
from policies.rulebook import ACTIONS, SEVERITIES

FlipKind = Literal[
    "became_violating",
    "became_allowed",
    "began_to_abstain",
    "ceased_to_abstain",
    "other_section",
    "other_severity",
    "other_action",
]
Effect = Literal["broken", "fixed", "neither", "unknown"]

_EFFECTS: tuple[Effect, ...] = ("broken", "unknown", "fixed", "neither")
_KINDS: tuple[FlipKind, ...] = (
    "became_allowed",
    "became_violating",
    "ceased_to_abstain",
    "began_to_abstain",
    "other_action",
    "other_severity",
    "other_section",
)
"""A decision that was turned round matters most, and a miss more than a removal."""


@dataclass(frozen=True)
class Flip:
    """A case whose verdict is another under the new wording."""

    item: Item
    kind: FlipKind
    effect: Effect
    """Against the known answer: right before and wrong now, or the other way round."""
    section: str
    """The edited section that it turns on."""
    old: Verdict
    new: Verdict


def flips_of(judged: Sequence[Judged], edited: Difference) -> list[Flip]:
    """Return the cases that moved, what matters most first."""
    changed = _changed(edited)
    found = [flip for one in judged if (flip := _flip(one, changed)) is not None]
    return sorted(found, key=_weight)


def _changed(edited: Difference) -> frozenset[str]:
    return frozenset(edited.changed)


def _flip(one: Judged, changed: Collection[str]) -> Flip | None:
    old, new = one.old, one.new
    kind = None if one.failed else kind_of(old, new)
    if kind is None:
        return None
    return Flip(one.item, kind, _effect(one, kind), _turns_on(old, new, changed), old, new)


def kind_of(old: Verdict, new: Verdict) -> FlipKind | None:
    """Return how two verdicts on a case differ; None where they say the same."""
    if old.decision != new.decision:
        if new.decision == "abstain":
            return "began_to_abstain"
        if old.decision == "abstain":
            return "ceased_to_abstain"
        return "became_violating" if new.decision == "violating" else "became_allowed"
    if surest(old) != surest(new):
        return "other_section"
    if old.severity != new.severity:
        return "other_severity"
    return "other_action" if old.action != new.action else None


def _turns_on(old: Verdict, new: Verdict, changed: Collection[str]) -> str:
    """The edited section that a case turns on.

    The one that is cited now or was before; where the edit moved another section to the front,
    the edited one that came first when the rules were looked up.
    """
    cited = [surest(new), surest(old), *_cited(new), *_cited(old)]
    seen = [*cited, *new.sections_considered, *old.sections_considered]
    named = [section for section in seen if section]
    own = [section for section in named if section in changed]
    if not own and len(changed) == 1:
        own = list(changed)
    return next(iter([*own, *named]), "")


def _cited(verdict: Verdict) -> list[str]:
    return [ground.section for ground in verdict.violations]


def _effect(one: Judged, kind: FlipKind) -> Effect:
    outcomes = one.outcomes()
    if outcomes is None:
        return "unknown"
    before, after = (_rightness(outcome, kind) for outcome in outcomes)
    if before == after:
        return "neither"
    return "fixed" if after else "broken"


def _rightness(outcome: Outcome, kind: FlipKind) -> bool:
    if kind == "other_section":
        return bool(outcome.cited) and outcome.cited[0] in outcome.sections
    if kind in ("other_severity", "other_action"):
        return outcome.severity == outcome.expected_severity
    return outcome.decided == outcome.expected


def _weight(flip: Flip) -> tuple[object, ...]:
    """What matters most first: broken before fixed, turned round before doubt, severe, far seen."""
    severities = [SEVERITIES.index(v.severity) for v in (flip.old, flip.new) if v.severity]
    step = abs(ACTIONS.index(flip.old.action) - ACTIONS.index(flip.new.action))
    return (
        _EFFECTS.index(flip.effect),
        _KINDS.index(flip.kind),
        -max(severities, default=-1),
        -step,
        -(flip.item.case.reach or 0),
        flip.item.case.id,
    )


def flip_data(flip: Flip) -> dict[str, object]:
    """Return a flip as JSON data, with both quotes and both rationales."""
    golden = flip.item.golden
    return {
        "case_id": flip.item.case.id,
        "kind": flip.kind,
        "effect": flip.effect,
        "old": flip.old.decision,
        "new": flip.new.decision,
        "section": flip.section,
        "expected": golden.expected.decision if golden else None,
        "slices": dict(golden.slices) if golden else {},
        "old_verdict": _side(flip.old),
        "new_verdict": _side(flip.new),
    }


def _side(verdict: Verdict) -> dict[str, object]:
    return {
        "decision": verdict.decision,
        "action": verdict.action,
        "severity": verdict.severity,
        "abstain_reason": verdict.abstain_reason,
        "grounds": [_ground(ground) for ground in verdict.violations],
        "rationale": verdict.rationale,
        "counterargument": verdict.counterargument,
    }


def _ground(ground: Violation) -> dict[str, object]:
    return {
        "section": ground.section,
        "policy_quote": ground.policy_quote,
        "content_quote": ground.content_quote,
        "why": ground.why,
    }
