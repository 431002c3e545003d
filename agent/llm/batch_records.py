"""Open batches and their replies, kept in the records where a killed process does not lose them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from agent.llm.batch import OpenBatch
from agent.llm.exchange import Reply
from agent.llm.purse import reply_of
from records.batches import (
    BatchRow,
    close_batch,
    find_reply,
    keep_batch,
    keep_replies,
    open_batches,
)
from records.store import Records


@dataclass(frozen=True)
class RecordedBatches:
    """Implements `BatchJournal` over the records."""

    records: Records

    def open_batches(self) -> Sequence[OpenBatch]:
        """Return the batches that were opened and not closed."""
        return [
            OpenBatch(row.label, row.provider, row.keys, row.submitted_at, row.remote_id)
            for row in open_batches(self.records)
        ]

    def opened(self, batch: OpenBatch) -> None:
        """Keep a batch, instead of what was kept under its label before."""
        row = BatchRow(batch.label, batch.provider, batch.keys, batch.submitted_at, batch.id)
        keep_batch(self.records, row)

    def closed(self, label: str) -> None:
        """Forget a batch; it is no error if there is none."""
        close_batch(self.records, label)


@dataclass(frozen=True)
class RecordedReplies:
    """Implements `Replies` over the records."""

    records: Records
    keep_seconds: float
    """How long a reply is good for."""
    now: Callable[[], float] = time.time
    """Seconds since 1970."""

    def reply(self, key: str) -> Reply | None:
        """Return the reply to a request, or None."""
        found = find_reply(self.records, key, since=self._since)
        return None if found is None else reply_of(found)

    def keep(self, replies: Mapping[str, Reply]) -> None:
        """Keep the replies of a batch, all or none; those that are kept already stay."""
        data = {key: asdict(reply) for key, reply in replies.items()}
        keep_replies(self.records, data, at=self.now(), since=self._since)

    @property
    def _since(self) -> float:
        return self.now() - self.keep_seconds
