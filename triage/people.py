"""A person's side of the docket: take the case that most needs one, and call it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.case import Case
from agent.own_call import OwnCall, agreement
from agent.verdict import Verdict
from records.docket.entries import Loan
from records.docket.leases import Terms, claim_for_person
from records.docket.people import Handover, note_own_call
from records.store import Records


@dataclass(frozen=True)
class Person:
    """Who decides, and for how long a case is theirs."""

    name: str
    lease_seconds: float

    @property
    def terms(self) -> Terms:
        """How cases are lent to them."""
        return Terms(self.name, self.lease_seconds)


@dataclass(frozen=True)
class Presented:
    """A case before a person."""

    loan: Loan
    case: Case
    verdict: Verdict | None
    """The machine's opinion; None where it has not given one."""


def next_case(records: Records, person: Person, *, now: float) -> Presented | None:
    """Lend a person the case that most needs one, or None where nothing waits for anybody."""
    loan = claim_for_person(records, person.terms, now=now)
    return None if loan is None else presented(loan)


def presented(loan: Loan) -> Presented:
    """Return what is lent as a person sees it."""
    verdict = None if loan.verdict is None else Verdict.model_validate_json(loan.verdict)
    return Presented(loan, Case.model_validate_json(loan.content), verdict)


def say_own_call(
    records: Records, shown: Presented, person: Person, call: OwnCall, *, now: float
) -> None:
    """Keep a person's call from before they saw the opinion, and how the two agree."""
    payload = {
        "by": person.name,
        "call": call.said,
        "agreement": agreement_data(shown.verdict, call),
    }
    note_own_call(records, shown.loan.lease, call.said, payload, now=now)


def agreement_data(verdict: Verdict | None, call: OwnCall) -> object:
    """Return how a call and the opinion agree, as JSON data; None where there is no opinion."""
    if verdict is None:
        return None
    return agreement(verdict, call).model_dump(mode="json", by_alias=True)


def asking(person: Person, *, to: str, note: str) -> Handover:
    """Return a request for a second look; the colleague calls without knowing the first."""
    return Handover(to, note, asked={"by": person.name, "to": to, "note": note})
