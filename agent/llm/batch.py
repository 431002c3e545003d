"""Batches: many requests handed in at once, for half the price, answered within a day.

A provider's `BatchService` takes them and gives the answers back, a `BatchJournal` remembers which
ones are open, and `Replies` keeps what came. `agent.llm.batch_passes` works with the three.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from agent.llm.exchange import ProviderError, Reply, Request
from errors import AmicusError

Result = Reply | ProviderError


class AwaitingBatchError(Exception):
    """The answer is not there yet; the question is noted for the next batch.

    Not one of our family of errors, so that no part of a review can make a verdict of it.
    """


class LeftOpenError(AmicusError):
    """Somebody stopped the work while batches were open; they go on without us."""

    exit_code: ClassVar[int] = 130  # as shells have it after Ctrl-C


class RefusedBatchError(ProviderError):
    """The provider refused a batch as a whole; nothing of it was answered or paid."""


class AskedDifferentlyError(ProviderError):
    """A request was refused for a part that is left out from now on; asking again is no repeat."""


@dataclass(frozen=True)
class BatchLimits:
    """What a provider takes in one batch."""

    requests: int
    bytes: int


@dataclass(frozen=True)
class BatchState:
    """How far a batch is."""

    ended: bool
    done: int
    """Requests that came to an end, well or badly."""
    total: int
    problem: str = ""
    """Why the provider refused the batch as a whole; empty where it did not."""
    is_too_much: bool = False
    """Whether it was refused because less of it would have been taken."""


@dataclass(frozen=True)
class OpenBatch:
    """A batch that is meant to be handed in (no id yet), or that is at the provider."""

    label: str
    """Our own name for it, fixed before it is handed in."""
    provider: str
    keys: tuple[str, ...]
    submitted_at: float
    """Seconds since the epoch."""
    id: str = ""
    """The provider's name for it."""


@dataclass(frozen=True)
class Found:
    """What became of a batch that was meant to be handed in."""

    id: str = ""
    """The batch at the provider; empty where none was found."""
    doubt: str = ""
    """What may be this batch, and cannot be told; empty where there is no doubt."""


@dataclass
class Tally:
    """What the batches of a run came to."""

    batches: int = 0
    """Batches that were handed in."""
    requests: int = 0
    """Requests in them."""
    replies: int = 0
    """Replies that came, those to batches of an earlier run included."""
    failures: int = 0
    """Requests that came back without one; most of them are asked again."""
    notes: list[str] = field(default_factory=list)
    """What a person should know: what was refused, and what may be paid twice."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.batches + other.batches,
            self.requests + other.requests,
            self.replies + other.replies,
            self.failures + other.failures,
            self.notes + other.notes,
        )


class BatchService(Protocol):
    """The batch API of one provider, for one model. Used by one thread."""

    @property
    def name(self) -> str:
        """Provider and model, as `Provider.name` has them."""

    @property
    def limits(self) -> BatchLimits:
        """What one batch may hold."""

    def weight(self, key: str, request: Request) -> int:
        """Return how many bytes a request takes of a batch."""

    def submit(self, requests: Mapping[str, Request], *, label: str) -> str:
        """Hand in a batch and return its id.

        Args:
            requests: What is asked, by key: 1 to 64 letters, digits, `-` and `_`.
            label: Our own name for the batch, by which `find` finds it again.

        Raises:
            ProviderError: It was refused, or nobody knows whether it was taken.
        """

    def find(self, batch: OpenBatch, *, known: Collection[str]) -> Found:
        """Return what became of a batch after `submit` did not come to its end.

        Args:
            batch: What was meant to be handed in.
            known: Ids of other batches, which it cannot be.

        Raises:
            ProviderError: The provider did not say.
        """

    def poll(self, batch_id: str) -> BatchState:
        """Return how far a batch is.

        Raises:
            ProviderError: The provider did not say; status 404 where it knows no such batch.
        """

    def results(self, batch_id: str) -> Iterator[tuple[str, Result]]:
        """Yield the results of a batch that has ended, by key, in any order.

        Whatever cannot be read comes under the key "", as an error that names file and line.

        Raises:
            ProviderError: The results could not be fetched to their end.
        """

    def cancel(self, batch_id: str) -> None:
        """Ask the provider to stop a batch; what is answered by then is kept and paid.

        Raises:
            ProviderError: The provider did not take the wish.
        """


class BatchJournal(Protocol):
    """Which batches are open, kept where a killed process does not lose it.

    What `opened` and `closed` were told has to be on disk when they return. One process at a time.
    """

    def open_batches(self) -> Sequence[OpenBatch]:
        """Return the batches that were opened and not closed."""

    def opened(self, batch: OpenBatch) -> None:
        """Keep a batch, instead of what was kept under its label before."""

    def closed(self, label: str) -> None:
        """Forget a batch; it is no error if there is none."""


class Replies(Protocol):
    """What came back so far, kept where a killed process does not lose it."""

    def reply(self, key: str) -> Reply | None:
        """Return the reply to a request, or None."""

    def keep(self, replies: Mapping[str, Reply]) -> None:
        """Keep the replies of a batch, all or none; those that are kept already stay as they are.

        They have to be on disk when this returns, because the batch is closed then.
        """


def checked_keys(requests: Mapping[str, Any]) -> None:
    """Refuse keys that a provider does not take as names of requests.

    Raises:
        ValueError: There is such a key.
    """
    for key in requests:
        plain = key.replace("-", "").replace("_", "")
        if not (1 <= len(key) <= LONGEST_KEY and plain.isascii() and plain.isalnum()):
            raise ValueError(f"a batch takes keys of 1 to 64 letters, digits, - and _, not {key!r}")


LONGEST_KEY = 64
