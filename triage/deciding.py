"""What a person decides: checked, and written with all that follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.case import Case
from agent.own_call import OwnCall, agreement
from agent.verdict import Verdict
from errors import InputError, UsageError, shown
from policies.rulebook import ACTIONS, SEVERITIES, Action, Rulebook, Section, Severity
from records.decisions import Decision
from records.docket.entries import Closed, Loan, Settlement
from records.docket.people import Overturning, overturn, settle_one
from records.docket.reading import DocketCase, read_case
from records.precedents import Precedent
from records.store import Records
from records.verdicts import VerdictRecord
from triage.people import Person, agreement_data, presented

DECISION_RECORD = "decision"
"""The kind of ledger record that holds what a person decided."""


@dataclass(frozen=True)
class Ruling:
    """What a person decides, under which rules."""

    call: OwnCall
    rulebook: Rulebook
    note: str = ""


@dataclass(frozen=True)
class _Ground:
    section: Section
    severity: Severity


@dataclass(frozen=True)
class _Decided:
    """A ruling on a case, with what the rules make of it."""

    case: Case
    ruling: Ruling
    grounds: Sequence[_Ground]
    action: Action
    at: datetime

    def told(self, kind: str) -> dict[str, object]:
        """What the world learns: no word of the content, and not who decided."""
        severities = [ground.severity for ground in self.grounds]
        return {
            "type": kind,
            "case_id": self.case.id,
            "account_id": self.case.account_id,
            "decision": self.ruling.call.decision,
            "action": self.action,
            "severity": max(severities, key=SEVERITIES.index, default=None),
            "sections": sorted(ground.section.id for ground in self.grounds),
            "decided_by": "person",
            "decided_at": self.at.isoformat(timespec="milliseconds"),
            "rulebook": self.ruling.rulebook.id,
        }

    def closed(self, *, agrees: bool | None = None) -> Closed:
        """What the docket keeps of it."""
        sections = tuple(ground.section.id for ground in self.grounds)
        return Closed(self.ruling.call.decision, self.action, "person", sections, agrees)

    def made(self) -> tuple[Decision, ...]:
        """What the account is remembered for."""
        if not self.grounds:
            return (Decision(self.case.id, "allowed", self.at),)
        return tuple(
            Decision(
                self.case.id,
                "violating",
                self.at,
                section=ground.section.id,
                action=self.action,
                severity=ground.severity,
            )
            for ground in self.grounds
        )


def decide(records: Records, case_id: str, person: Person, ruling: Ruling, *, now: float) -> Action:
    """Decide a case, and return the action; account, precedents and outbox learn of it at once.

    Raises:
        UsageError: The call decides nothing, or names no section.
        InputError: There is no such case, it is decided or dead, or somebody else holds it.
    """
    taken: list[Action] = []

    def judge(loan: Loan) -> Settlement:
        before = presented(loan)
        decided = _decided(before.case, before.verdict, ruling, now)
        taken.append(decided.action)
        payload = {
            **decided.told("case.decided"),
            "by": person.name,
            "call": ruling.call.said,
            "own_call": loan.own_call,
            "agreement": agreement_data(before.verdict, ruling.call),
            "note": ruling.note,
        }
        return Settlement(
            loan.lease,
            DECISION_RECORD,
            VerdictRecord(case_id, payload),
            decided.closed(agrees=_agrees(before.verdict, ruling)),
            account_id=before.case.account_id,
            made=decided.made(),
            precedent=_precedent(decided, before.verdict),
            event=decided.told("case.decided"),
        )

    settle_one(records, case_id, person.terms, judge, now=now)
    return taken[0]


def overturn_decision(
    records: Records, case_id: str, person: Person, ruling: Ruling, *, now: float
) -> Action:
    """Put a person's decision in the place of one that did not stand; return the action.

    Raises:
        UsageError: As in `decide`.
        InputError: There is no such case, or it is not decided.
    """
    found = read_case(records, case_id)
    if found is None:
        raise InputError(
            f"the docket holds no case {shown(case_id)}", hint="add it: amicus triage add FILE"
        )
    case = Case.model_validate_json(found.content)
    decided = _decided(case, None, ruling, now)
    told = decided.told("case.overturned")
    before = {"decision": found.decision, "action": found.action, "record": found.record}
    new = Overturning(
        decided.closed(),
        payload={**told, "by": person.name, "before": before, "note": ruling.note},
        event=told,
        account_id=case.account_id,
        made=decided.made(),
    )
    overturn(records, case_id, new, now=now)
    return decided.action


def as_golden(found: DocketCase) -> Mapping[str, object] | None:
    """Return an overturned case as a golden one, or None where it was not overturned."""
    if not found.overturned:
        return None
    case: dict[str, object] = json.loads(found.content)
    sections = found.sections.split(",") if found.sections else []
    return {
        **case,
        "expected": {"decision": found.decision, "sections": sections},
        "slices": {},
        "source": "overturned on the docket",
    }


def _decided(case: Case, verdict: Verdict | None, ruling: Ruling, now: float) -> _Decided:
    grounds = _grounds(ruling, verdict)
    action = _action(ruling, grounds)
    return _Decided(case, ruling, grounds, action, datetime.fromtimestamp(now, UTC))


def _agrees(verdict: Verdict | None, ruling: Ruling) -> bool | None:
    """Whether the person came to what the machine had said, if it had said anything."""
    if verdict is None or verdict.decision == "abstain":
        return None
    return agreement(verdict, ruling.call).agrees


def _grounds(ruling: Ruling, verdict: Verdict | None) -> list[_Ground]:
    """The sections that a decision rests on: those that were named, else those of the opinion."""
    call = ruling.call
    if call.decision == "abstain":
        raise UsageError(
            f"{shown(call.said)} decides nothing",
            hint="decide, such as remove:hate.1 or allowed; or pass it on: amicus triage ask ID",
        )
    if call.decision == "allowed":
        return []
    opined = {v.section: v.severity for v in verdict.violations} if verdict is not None else {}
    found = (ruling.rulebook.section(name) for name in call.sections or opined)
    grounds = [
        _Ground(section, opined.get(section.id, section.severities[-1]))
        for section in found
        if section is not None
    ]
    if not grounds:
        raise UsageError(
            f"{shown(call.said)} names no section",
            hint="people are owed the rule that they broke: write it as remove:hate.1",
        )
    return grounds


def _action(ruling: Ruling, grounds: Sequence[_Ground]) -> Action:
    """The action that was called for, or the heaviest that the enforcement tables prescribe."""
    if ruling.call.action is not None:
        return ruling.call.action
    actions: list[Action] = ["none"]
    for ground in grounds:
        policy = ruling.rulebook.policy(ground.section.policy)
        if policy is not None:
            actions.append(policy.enforcement[ground.severity])
    return max(actions, key=ACTIONS.index)


def _precedent(decided: _Decided, verdict: Verdict | None) -> Precedent | None:
    """What later reviews may learn from it: only a person's word, and only about a section."""
    rulebook = decided.ruling.rulebook
    section = decided.grounds[0].section if decided.grounds else _acquitted(verdict, rulebook)
    if section is None or not decided.case.text.strip():
        return None
    return Precedent(
        case_id=decided.case.id,
        text=decided.case.text,
        decision="violating" if decided.grounds else "allowed",
        section=section.id,
        section_version=section.version,
        decided_at=decided.at,
        note=decided.ruling.note,
        overturned=False,
    )


def _acquitted(verdict: Verdict | None, rulebook: Rulebook) -> Section | None:
    """The section under which the machine would have condemned what a person allows."""
    cited = verdict.violations if verdict is not None else ()
    return rulebook.section(cited[0].section) if cited else None
