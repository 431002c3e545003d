"""A decided case of the docket, as `amicus triage export` writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.reading_cases import checked, json_lines
from agent.verdict import Decision, Usage
from errors import InputError, shown


class _Part(BaseModel):
    """Part of a line. An export says more than is read here, and more with every version."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Citation(_Part):
    section: str
    confidence: float = 0.0


class Opinion(_Part):
    """What is read of a verdict."""

    decision: Decision
    confidence: float = Field(ge=0.0, le=1.0)
    violations: tuple[_Citation, ...] = ()
    usage: Usage = Usage()

    @property
    def topic(self) -> str:
        """The policy of the surest ground; of an opinion without one, its decision."""
        if not self.violations:
            return self.decision
        return max(self.violations, key=lambda v: v.confidence).section.partition(".")[0]


class Audit(_Part):
    """What a person said about a closed case without knowing how it was closed."""

    decision: Decision | None = None
    """None where the closure was overturned before its audit."""
    wrong: bool | None = None
    """What the docket made of it; None where a line says only the decision."""


class DecidedCase(_Part):
    """A case that left the docket."""

    case_id: str
    state: str
    decided_by: str
    decision: Decision | None = None
    decided_at: AwareDatetime | float | None = None
    """With its time zone, or in seconds since 1970."""
    verdict: Opinion | None = None
    agrees: bool | None = None
    """Whether the person decided as the opinion had it; None where no person was asked."""
    overturned: bool = False
    """Whether an appeal or a second look undid the decision."""
    first_decided_by: str | None = None
    """Who made the decision that was overturned; `decided_by` is who decides it now."""
    audit: Audit | None = None
    person_seconds: float | None = Field(default=None, ge=0.0)
    """How long a person worked on it."""

    @property
    def by_machine(self) -> bool:
        """Whether no person decided it."""
        return self.decided_by == "machine"

    @property
    def audited_wrong(self) -> bool | None:
        """Whether the audit of a machine closure found it wrong; None without an answer."""
        if self.audit is None or self.first_by != "machine":
            return None
        if self.audit.wrong is not None:
            return self.audit.wrong
        if self.audit.decision is None or self.decision is None:
            return None
        return self.audit.decision != self.decision

    @property
    def first_by(self) -> str | None:
        """Who decided it first; None where a decision was overturned and nobody says whose."""
        if self.first_decided_by is None and self.overturned:
            return None
        return self.first_decided_by or self.decided_by

    @property
    def day(self) -> date | None:
        """The day of the decision, UTC."""
        if self.decided_at is None:
            return None
        if isinstance(self.decided_at, float):
            return datetime.fromtimestamp(self.decided_at, UTC).date()
        return self.decided_at.astimezone(UTC).date()

    @property
    def was_agreed(self) -> bool | None:
        """Whether a person and the opinion came to the same decision; None: cannot be told."""
        if self.by_machine or self.agrees is not None:
            return self.agrees
        if self.decision is None or self.verdict is None or self.verdict.decision == "abstain":
            return None
        return self.decision == self.verdict.decision


Side = Literal["machine", "person"]


def read_decided(path: Path) -> Sequence[DecidedCase]:
    """Return the decided cases of an export; what still waits is left out.

    Raises:
        InputError: The file cannot be read, a line is no line of an export, an id stands twice, or
            nothing in it is decided.
    """
    found: list[DecidedCase] = []
    first_line_of: dict[str, int] = {}
    for number, fields in json_lines(path):
        where = f"{path}:{number}"
        if fields.get("state") not in (None, "decided"):
            continue
        one = checked(DecidedCase, fields, where=where)
        earlier = first_line_of.setdefault(one.case_id, number)
        if earlier != number:
            raise InputError(
                f"{where}: the case {shown(one.case_id)} already stands on line {earlier}",
                hint="export the docket anew: amicus triage export --out FILE",
            )
        found.append(one)
    if not found:
        raise InputError(
            f"{path}: no decided case in this file",
            hint="write it with: amicus triage export --out FILE",
        )
    return found
