"""What the ledger names by hash can be put back, can be forgotten, and cannot be changed unseen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from errors import RecordsError
from records.batches import find_reply, keep_replies
from records.exchange_tables import contents
from records.exchanges import KeptExchange, find_exchange, keep_exchange_in
from records.ledger import LedgerEntry, find_entry, verify
from records.store import Records
from records.verdicts import (
    VerdictRecord,
    forget_content,
    keep_verdict_in,
    kept_texts,
    text_id,
    whole_payload,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
APART = VerdictRecord(
    "c-1",
    {"outcome": {"decision": "allowed"}},
    {text_id("Rules."): "Rules."},
    apart={"case": {"text": "planted \x00 \ud800 words"}},
)


def keep(records: Records, record: VerdictRecord) -> LedgerEntry:
    with records.writing() as connection:
        entry = keep_verdict_in(connection, record, at=NOON)
    found = find_entry(records, entry.seq)
    assert found is not None
    return found


def test_content_kept_apart_is_not_in_the_ledger_and_comes_back_whole(records: Records) -> None:
    entry = keep(records, APART)

    assert "planted" not in str(entry.payload)
    whole = whole_payload(records, entry)
    assert whole == {"outcome": {"decision": "allowed"}, **(APART.apart or {})}
    assert kept_texts(records, APART.texts) == dict(APART.texts)


def test_forgotten_content_leaves_the_ledger_whole_and_says_so(records: Records) -> None:
    entry = keep(records, APART)
    with records.writing() as connection:
        keep_exchange_in(connection, KeptExchange("k", "m", "r", "c-1", {"text": "x"}, {}, 1.0))

    keep_replies(records, {"k": {"text": "x"}, "other": {"text": "y"}}, at=1.0, since=0.0)

    assert forget_content(records, "c-1") == (1, 1)
    assert find_reply(records, "k", since=0.0) is None
    assert find_reply(records, "other", since=0.0) == {"text": "y"}
    assert forget_content(records, "c-1") == (0, 0)
    assert find_exchange(records, "k", since=0.0) is None
    with pytest.raises(RecordsError, match="forgotten"):
        whole_payload(records, entry)


def test_content_that_was_changed_is_noticed(records: Records) -> None:
    entry = keep(records, APART)
    with records.writing() as connection:
        connection.execute(update(contents).values(body='{"case": {"text": "other words"}}'))

    with pytest.raises(RecordsError, match="was changed"):
        whole_payload(records, entry)


def test_the_ledger_verifies_with_content_apart(sqlite_records: Records) -> None:
    keep(sqlite_records, APART)
    forget_content(sqlite_records, "c-1")

    assert not verify(sqlite_records).faults


def test_an_answer_is_kept_until_it_is_too_old(records: Records) -> None:
    kept = KeptExchange("k", "openai:small", "r", "c-1", {"text": "a"}, {"cost_usd": 1.0}, 100.0)
    with records.writing() as connection:
        keep_exchange_in(connection, kept)

    assert find_exchange(records, "k", since=100.0) == kept
    assert find_exchange(records, "k", since=100.5) is None
    assert find_exchange(records, "other", since=0.0) is None


def test_a_newer_answer_replaces_an_older(records: Records) -> None:
    for moment, said in ((1.0, "old"), (2.0, "new")):
        with records.writing() as connection:
            exchange = KeptExchange("k", "m", "r", "c", {"text": said}, {}, moment)
            keep_exchange_in(connection, exchange)

    found = find_exchange(records, "k", since=0.0)
    assert found is not None
    assert found.reply == {"text": "new"}
