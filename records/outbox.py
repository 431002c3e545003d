"""What is to be told to the world: kept in the transaction of the decision that it tells of.

So there is never a message without a decision behind it, nor a decision whose message is lost.
Each is delivered at least once; its key lets the receiver drop what comes twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, func, literal_column, select, update

from records.documents import insert_rows
from records.store import Records
from records.tables import outbox

_DUE = outbox.c.state == literal_column("'due'")


@dataclass(frozen=True)
class Event:
    """A message that is not sent yet."""

    key: str
    """The same on every try; for a decision, the hash of its ledger record."""
    case_id: str
    body: Mapping[str, object]


@dataclass(frozen=True)
class Letter:
    """A message on its way."""

    key: str
    case_id: str
    body: str
    """JSON, the same bytes on every try."""
    tries: int
    """How often it was sent, this time included."""


def post_in(connection: Connection, events: Sequence[Event], *, now: float) -> None:
    """Put messages into the outbox, in a transaction of `records.writing()`."""
    rows = [
        {
            "key": event.key,
            "case_id": event.case_id,
            "body": json.dumps(event.body, sort_keys=True, separators=(",", ":")),
        }
        for event in events
    ]
    entering = {"made_at": now, "state": "due", "tries": 0, "next_at": now, "fault": ""}
    insert_rows(connection, outbox, rows, always=entering)


def collect(records: Records, *, limit: int, now: float, busy_until: float) -> list[Letter]:
    """Take messages that are due; nobody else gets them before `busy_until`."""
    picked = (
        select(outbox.c.key)
        .where(_DUE, outbox.c.next_at <= now)
        .order_by(outbox.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    with records.writing() as connection:
        taken = connection.execute(
            update(outbox)
            .where(outbox.c.key.in_(select(picked.c.key)))
            .values(tries=outbox.c.tries + 1, next_at=busy_until)
            .returning(outbox.c.key, outbox.c.case_id, outbox.c.body, outbox.c.tries)
        )
        return [Letter(row.key, row.case_id, row.body, row.tries) for row in taken]


def delivered(records: Records, letter: Letter) -> None:
    """Note that the receiver has it."""
    with records.writing() as connection:
        connection.execute(
            update(outbox).where(outbox.c.key == letter.key).values(state="sent", fault="")
        )


def not_delivered(records: Records, letter: Letter, *, fault: str, next_at: float | None) -> None:
    """Note why the receiver does not have it, and when to try again; None is never."""
    state: Literal["due", "given up"] = "given up" if next_at is None else "due"
    values: dict[str, object] = {"state": state, "fault": fault}
    if next_at is not None:
        values["next_at"] = next_at
    with records.writing() as connection:
        connection.execute(update(outbox).where(outbox.c.key == letter.key, _DUE).values(values))


def send_again(records: Records, *, now: float) -> int:
    """Let every message that was given up be tried anew; return how many."""
    with records.writing() as connection:
        again = connection.execute(
            update(outbox)
            .where(outbox.c.state == "given up")
            .values(state="due", tries=0, next_at=now)
        )
        return again.rowcount


def outbox_counts(records: Records) -> dict[str, int]:
    """Return how many messages are `due`, `sent` and `given up`."""
    counts = {"due": 0, "sent": 0, "given up": 0}
    with records.reading() as connection:
        number = func.count().label("number")
        rows = connection.execute(select(outbox.c.state, number).group_by(outbox.c.state))
        return counts | {row.state: row.number for row in rows}


def next_due(records: Records) -> float | None:
    """Return when the next message is due, or None."""
    with records.reading() as connection:
        first: float | None = connection.execute(
            select(func.min(outbox.c.next_at)).where(_DUE)
        ).scalar_one()
    return first
