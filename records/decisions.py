"""What was decided about an account's content before: from imports, and from the docket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict
from sqlalchemy import Connection, Row, select, update

from policies.rulebook import Action, Severity
from records.database import insert_into
from records.fields import Id, Moment, OptionalId, Outcome, can_be_stored
from records.store import Records
from records.tables import decisions

DecisionSource = Literal["import", "docket"]


@dataclass(frozen=True)
class Decision:
    """One past decision; a case may be decided under several sections."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")  # obeyed where it is imported

    case_id: Id
    decision: Outcome
    decided_at: Moment
    section: OptionalId = ""
    action: Action = "none"
    severity: Severity | None = None
    overturned: bool = False
    """Whether an appeal undid it."""


def add_decisions(records: Records, account_id: str, made: Iterable[Decision]) -> None:
    """Keep decisions of the docket on an account's content; the same one again replaces the old.

    Raises:
        RecordsError: They could not be written; then none was.
    """
    with records.writing() as connection:
        add_decisions_in(connection, account_id, made)


def add_decisions_in(connection: Connection, account_id: str, made: Iterable[Decision]) -> None:
    """Do the same in a transaction of `records.writing()`, together with what else stands in it."""
    add = insert_into(connection, decisions)
    told = {column.name: add.excluded[column.name] for column in decisions.columns}
    replace = add.on_conflict_do_update(index_elements=decisions.primary_key, set_=told)
    rows = [values_of(account_id, decision, "docket") for decision in made]
    if rows:
        connection.execute(replace, rows)


def overturn_decisions_in(connection: Connection, case_id: str) -> None:
    """Mark what was decided in a case as overturned, in a transaction of `records.writing()`."""
    connection.execute(
        update(decisions).where(decisions.c.case_id == case_id).values(overturned=True)
    )


def decisions_of(records: Records, account_id: str) -> tuple[Decision, ...]:
    """Return what was decided on an account's content, the latest first; known or not."""
    if not can_be_stored(account_id):
        return ()
    with records.reading() as connection:
        return read_decisions(connection, account_id)


def read_decisions(connection: Connection, account_id: str) -> tuple[Decision, ...]:
    """Do the same on a connection that is already there."""
    query = (
        select(decisions)
        .where(decisions.c.account_id == account_id)
        .order_by(decisions.c.decided_at.desc(), decisions.c.case_id, decisions.c.section)
    )
    return tuple(_decision(row) for row in connection.execute(query))


def values_of(account_id: str, decision: Decision, source: DecisionSource) -> dict[str, Any]:
    """Return the row that holds a decision."""
    return {"account_id": account_id, "source": source, **vars(decision)}


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        case_id=row.case_id,
        decision=row.decision,
        decided_at=row.decided_at,
        section=row.section,
        action=row.action,
        severity=row.severity,
        overturned=row.overturned,
    )
