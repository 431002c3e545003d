"""From an opinion to what is written: the case is closed, or it goes on to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.case import Case
from agent.record import verdict_data
from agent.reviewer import Opinion
from agent.verdict import Verdict
from records.decisions import Decision
from records.docket.entries import Closed, DecidedBy, ForPerson, Loan, Settlement
from records.verdicts import VERDICT_RECORD
from triage.closing import Closing, ClosingPolicy
from triage.priority import Priority


@dataclass(frozen=True)
class Bench:
    """Who says what becomes of an opinion."""

    closing: ClosingPolicy
    priority: Priority


def settlement_of(
    loan: Loan, case: Case, opinion: Opinion, bench: Bench, *, now: float
) -> Settlement:
    """Return all that is to be written about a case that a machine has looked at.

    Whatever the closing policy says, an abstention decides nothing.
    """
    verdict = opinion.verdict
    closing = bench.closing.may_close(verdict)
    if verdict.decision == "abstain" and closing.closes:
        closing = Closing(closes=False, because="an abstention decides nothing")
    told = {"closes": closing.closes, "because": closing.because}
    record = replace(opinion.record, payload={**opinion.record.payload, "closing": told})
    return Settlement(
        loan.lease,
        VERDICT_RECORD,
        record,
        _outcome(loan, case, verdict, closing, bench),
        verdict=json.dumps(verdict_data(verdict), ensure_ascii=False),
        cost=verdict.usage.cost_usd,
        account_id=case.account_id,
        made=made_by(verdict, now=now) if closing.closes else (),
        event=event_of(case, verdict, by="machine", now=now),
    )


def made_by(verdict: Verdict, *, now: float) -> tuple[Decision, ...]:
    """Return what an account is remembered for after a verdict; nothing after an abstention."""
    at = datetime.fromtimestamp(now, UTC)
    if verdict.decision == "allowed":
        return (Decision(verdict.case_id, "allowed", at),)
    if verdict.decision == "abstain":
        return ()
    worst: dict[str, Decision] = {}
    for found in verdict.violations:  # the worst first; a section may be broken twice
        made = Decision(
            verdict.case_id,
            "violating",
            at,
            section=found.section,
            action=verdict.action,
            severity=found.severity,
        )
        worst.setdefault(found.section, made)
    return tuple(worst.values())


def event_of(case: Case, verdict: Verdict, *, by: DecidedBy, now: float) -> Mapping[str, object]:
    """Return what the world is told of a decision: no word of the content."""
    return {
        "type": "case.decided",
        "case_id": case.id,
        "account_id": case.account_id,
        "decision": verdict.decision,
        "action": verdict.action,
        "severity": verdict.severity,
        "sections": sorted({violation.section for violation in verdict.violations}),
        "decided_by": by,
        "decided_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        "rulebook": verdict.provenance.rulebook,
    }


def _outcome(
    loan: Loan, case: Case, verdict: Verdict, closing: Closing, bench: Bench
) -> Closed | ForPerson:
    if closing.closes:
        sections = tuple(dict.fromkeys(violation.section for violation in verdict.violations))
        return Closed(verdict.decision, verdict.action, "machine", sections)
    urgency = bench.priority.for_person(case, verdict, arrived=loan.added_at)
    return ForPerson(urgency.due, closing.because, urgency.policy)
