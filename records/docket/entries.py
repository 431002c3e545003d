"""What goes into the docket, what it lends out, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from records.decisions import Decision
from records.precedents import Precedent
from records.verdicts import VerdictRecord

State = Literal["waiting", "leased", "decided", "dead"]
Desk = Literal["machine", "person"]
DecidedBy = Literal["machine", "person"]

NOBODY = ""
"""Holds what rests between two tries; nobody signs a lease with it."""


@dataclass(frozen=True)
class NewCase:
    """A case as it enters; times are seconds since 1970."""

    case_id: str
    content: str
    """The whole case as JSON."""
    fingerprint: str
    """A hash of the content: the same id with another one is another case, and refused."""
    due: float
    """The case that is due first is served first."""
    policy: str = ""
    """The policy that its deadline was taken from, or nothing."""


@dataclass(frozen=True)
class Lease:
    """The right to work on a case until it expires; only the latest one of a case counts."""

    case_id: str
    fence: int
    """Grows with every lease of this case: what an older lease brings back is refused."""


@dataclass(frozen=True)
class Loan:
    """A case that is lent out."""

    lease: Lease
    content: str
    due: float
    added_at: float
    tries: int
    """How often it has been lent to a worker, this time included."""
    verdict: str | None = None
    """The opinion of the machine, where there is one."""
    own_call: str | None = None
    """What the person said before seeing the opinion."""
    reason: str = ""
    """Why it waits for a person, or what went wrong on the last try."""


@dataclass(frozen=True)
class Closed:
    """The case is decided."""

    decision: str
    action: str
    by: DecidedBy
    sections: tuple[str, ...] = ()
    agrees: bool | None = None
    """Whether the person who decided came to what the machine had said."""


@dataclass(frozen=True)
class ForPerson:
    """The case goes on to people."""

    due: float
    because: str
    policy: str = ""


@dataclass(frozen=True)
class Settlement:
    """What came of a lease: everything in it is written in one transaction, or nothing is."""

    lease: Lease
    kind: str
    """The kind of the ledger record."""
    record: VerdictRecord
    """What the ledger says of it."""
    outcome: Closed | ForPerson
    verdict: str | None = None
    """A new opinion of the machine, to be kept with the case."""
    cost: float = 0.0
    """What the opinion cost, in US dollars."""
    account_id: str | None = None
    made: tuple[Decision, ...] = ()
    """What the account is remembered for."""
    precedent: Precedent | None = None
    event: Mapping[str, object] = field(default_factory=dict)
    """What a closed case tells the world; the outbox adds the record's number and hash."""
