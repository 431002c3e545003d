"""A verdict on the ledger: the record itself, and beside it what the record names by hash alone.

Prompts are long and the same in thousands of records, so they are kept once. Content can be kept
apart too: then the ledger holds its hash, and the content can be forgotten on request while the
chain of records stays whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from errors import RecordsError
from records.database import insert_into
from records.docket.forgetting import forget_case_in
from records.exchange_tables import contents, prompt_texts
from records.exchanges import forget_exchanges_in
from records.ledger import LedgerEntry, append_in
from records.store import Records

VERDICT_RECORD = "verdict"
"""The kind of ledger record that holds a review: the case, the tape and the verdict."""
APART = "kept_apart"
"""The field of a record that holds the hash of what is kept apart."""


@dataclass(frozen=True)
class VerdictRecord:
    """A review as it goes into the records."""

    case_id: str
    payload: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    """Prompts that the payload names by `text_id`."""
    apart: Mapping[str, Any] | None = None
    """What is kept outside of the ledger; its hash goes into the payload."""


def text_id(text: str) -> str:
    """Return the name of a text by its hash.

    >>> text_id("")[:20]
    'sha256:e3b0c44298fc1'
    """
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def keep_verdict_in(connection: Connection, record: VerdictRecord, *, at: datetime) -> LedgerEntry:
    """Append a review to the ledger, in a transaction of `records.writing()`.

    Call `records.ledger.move_anchor` after the commit.
    """
    payload = keep_beside_in(connection, record)
    return append_in(connection, VERDICT_RECORD, record.case_id, payload, at=at)


def keep_beside_in(connection: Connection, record: VerdictRecord) -> dict[str, Any]:
    """Keep what a record names by hash; return the payload that has still to be appended."""
    _keep_texts(connection, record.texts)
    payload = dict(record.payload)
    if record.apart is not None:
        body = json.dumps(record.apart, sort_keys=True)
        payload[APART] = text_id(body)
        row = {"id": payload[APART], "case_id": record.case_id, "body": body}
        connection.execute(insert_into(connection, contents).values(row).on_conflict_do_nothing())
    return payload


def whole_payload(records: Records, entry: LedgerEntry) -> dict[str, Any]:
    """Return the payload of a verdict record with what is kept apart put back in.

    Raises:
        RecordsError: It was forgotten on request, or it is not what its hash says.
    """
    payload: dict[str, Any] = dict(entry.payload)
    wanted = payload.pop(APART, None)
    if wanted is None:
        return payload
    with records.reading() as connection:
        query = select(contents.c.body).where(contents.c.id == wanted)
        body = connection.execute(query).scalar_one_or_none()
    if body is None:
        raise RecordsError(
            f"the content of record {entry.seq} was forgotten; what stands is that it was decided",
            hint="a forgotten case cannot be replayed",
        )
    if text_id(body) != wanted:
        raise RecordsError(
            f"the content kept for record {entry.seq} was changed",
            hint="the records were edited; see: amicus ledger verify",
        )
    kept: dict[str, Any] = json.loads(body)
    return payload | kept


def forget_content(records: Records, case_id: str) -> tuple[int, int]:
    """Delete what is kept of a case outside of the ledger, in the docket too once it is over.

    Returns:
        How many contents of the case, and how many answers of language models, were deleted.
    """
    with records.writing() as connection:
        deletion = delete(contents).where(contents.c.case_id == case_id)
        deleted = connection.execute(deletion).rowcount + forget_case_in(connection, case_id)
        return deleted, forget_exchanges_in(connection, case_id)


def kept_texts(records: Records, ids: Iterable[str]) -> dict[str, str]:
    """Return the prompts with these ids, as far as they are kept."""
    query = select(prompt_texts).where(prompt_texts.c.id.in_(list(ids)))
    with records.reading() as connection:
        return {row.id: row.text for row in connection.execute(query)}


def _keep_texts(connection: Connection, texts: Mapping[str, str]) -> None:
    if not texts:
        return
    rows = [{"id": name, "text": text} for name, text in sorted(texts.items())]
    connection.execute(insert_into(connection, prompt_texts).values(rows).on_conflict_do_nothing())
