"""Answers of language models that were paid for once, kept so that nobody pays for them twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from records.database import insert_into
from records.exchange_tables import batch_replies, exchanges
from records.store import Records


@dataclass(frozen=True)
class KeptExchange:
    """One question, by its key, and what came back."""

    key: str
    model: str
    run: str
    case_id: str
    reply: Mapping[str, Any]
    usage: Mapping[str, Any]
    made_at: float
    """Seconds since 1970."""


def find_exchange(records: Records, key: str, *, since: float) -> KeptExchange | None:
    """Return the answer to a question that was asked at `since` (seconds since 1970) or later."""
    query = select(exchanges).where(exchanges.c.key == key, exchanges.c.made_at >= since)
    with records.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return KeptExchange(
        key=row.key,
        model=row.model,
        run=row.run,
        case_id=row.case_id,
        reply=json.loads(row.reply),
        usage=json.loads(row.usage),
        made_at=row.made_at,
    )


def keep_exchange_in(connection: Connection, kept: KeptExchange) -> None:
    """Keep an answer, in a transaction of `records.writing()`; a newer one replaces an older."""
    row = {
        "model": kept.model,
        "run": kept.run,
        "case_id": kept.case_id,
        "reply": json.dumps(dict(kept.reply)),
        "usage": json.dumps(dict(kept.usage)),
        "made_at": kept.made_at,
    }
    insertion = insert_into(connection, exchanges).values(key=kept.key, **row)
    connection.execute(insertion.on_conflict_do_update(index_elements=["key"], set_=row))


def forget_exchanges_in(connection: Connection, case_id: str) -> int:
    """Delete the answers about a case, those out of batches too; returns how many there were."""
    ours = select(exchanges.c.key).where(exchanges.c.case_id == case_id)
    connection.execute(delete(batch_replies).where(batch_replies.c.key.in_(ours)))
    return connection.execute(delete(exchanges).where(exchanges.c.case_id == case_id)).rowcount
