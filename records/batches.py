"""Batches that are open at a provider, and the replies that came out of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from records.database import insert_into
from records.exchange_tables import batch_replies, batches
from records.store import Records


@dataclass(frozen=True)
class BatchRow:
    """A batch as it is journaled; `remote_id` is empty until the provider has named it."""

    label: str
    provider: str
    keys: tuple[str, ...]
    submitted_at: float
    """Seconds since 1970."""
    remote_id: str = ""


def open_batches(records: Records) -> Sequence[BatchRow]:
    """Return the batches that were opened and not closed, the oldest first."""
    query = select(batches).order_by(batches.c.submitted_at, batches.c.label)
    with records.reading() as connection:
        return [
            BatchRow(label, provider, tuple(json.loads(keys)), submitted_at, remote_id)
            for label, provider, keys, submitted_at, remote_id in connection.execute(query)
        ]


def keep_batch(records: Records, batch: BatchRow) -> None:
    """Keep a batch, instead of what was kept under its label before; on disk on return."""
    values = vars(batch) | {"keys": json.dumps(batch.keys)}
    with records.writing() as connection:
        insertion = insert_into(connection, batches).values(values)
        connection.execute(insertion.on_conflict_do_update(index_elements=["label"], set_=values))


def close_batch(records: Records, label: str) -> None:
    """Forget a batch; it is no error if there is none."""
    with records.writing() as connection:
        connection.execute(delete(batches).where(batches.c.label == label))


def find_reply(records: Records, key: str, *, since: float) -> Mapping[str, Any] | None:
    """Return the reply that came at `since` (seconds since 1970) or later, or None."""
    query = select(batch_replies.c.reply).where(
        batch_replies.c.key == key, batch_replies.c.came_at >= since
    )
    with records.reading() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        return None
    reply: dict[str, Any] = json.loads(found)
    return reply


def keep_replies(
    records: Records, replies: Mapping[str, Mapping[str, Any]], *, at: float, since: float
) -> None:
    """Keep the replies of a batch, all or none; on disk on return.

    One that is there already stays as it is, unless it came before `since` and is too old.
    """
    rows = [
        {"key": key, "reply": json.dumps(dict(reply)), "came_at": at}
        for key, reply in replies.items()
    ]
    if not rows:
        return
    with records.writing() as connection:
        connection.execute(
            delete(batch_replies).where(
                batch_replies.c.key.in_(list(replies)), batch_replies.c.came_at < since
            )
        )
        connection.execute(insert_into(connection, batch_replies).on_conflict_do_nothing(), rows)
