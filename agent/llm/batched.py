"""A provider that answers from what came back, and notes what has to be asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn

from agent.llm.batch import AskedDifferentlyError, AwaitingBatchError, Replies, Result
from agent.llm.exchange import (
    Deadline,
    ProviderError,
    RefusedRequestError,
    Reply,
    Request,
    UnavailableError,
)

TRIES = 3
"""How often a request may fail before its failure is the answer."""


class BatchedProvider:
    """Implements `Provider` without ever asking anybody; safe to share between threads.

    A review that is run with it either comes to its verdict from the replies that are there, or
    stops at the first question without one and is run again after the next batch.
    """

    def __init__(
        self, name: str, *, key_of: Callable[[Request], str], replies: Replies, tries: int = TRIES
    ) -> None:
        """Start with nothing noted.

        Args:
            name: Provider and model, as `BatchService.name` has them.
            key_of: The key of a request: the same for the same question in every run, so nothing
                random may be in it; 1 to 64 letters, digits, `-` and `_`.
            replies: What came back so far.
            tries: How often a request may fail before its failure is the answer.
        """
        self._name = name
        self._key_of = key_of
        self._replies = replies
        self._tries = tries
        self._lock = threading.Lock()
        self._noted: dict[str, Request] = {}
        self._read: set[str] = set()
        self._failed: dict[str, int] = {}
        self._final: dict[str, ProviderError] = {}
        self._is_over = False

    @property
    def name(self) -> str:
        """Provider and model."""
        return self._name

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        """Return the reply that came back; waiting is not its business, so no deadline passes.

        Raises:
            AwaitingBatchError: There is none yet; the request is noted.
            ProviderError: The request failed for good.
        """
        del deadline
        key = self._key_of(request)
        with self._lock:
            self._read.add(key)
        reply = self._replies.reply(key)
        if reply is not None:
            return reply
        with self._lock:
            return self._note(key, request)

    def _note(self, key: str, request: Request) -> NoReturn:
        if key in self._final:
            raise self._final[key].with_traceback(None)
        if self._is_over:
            raise UnavailableError(
                f"{self._name} was asked in batch after batch, and the review came to no end",
                hint="review this case without batches",
            )
        self._noted[key] = request
        raise AwaitingBatchError(f"{self._name} is asked in the next batch")

    def taken(self) -> tuple[Mapping[str, Request], Collection[str]]:
        """Return what was noted, by key, and every key that was asked for; start afresh."""
        with self._lock:
            taken = self._noted, self._read
            self._noted, self._read = {}, set()
        return taken

    def came(self, results: Mapping[str, Result]) -> None:
        """Keep the replies, and count the failures; a refused request is not asked again."""
        self._replies.keep(
            {key: result for key, result in results.items() if isinstance(result, Reply)}
        )
        with self._lock:
            for key, result in results.items():
                if isinstance(result, ProviderError):
                    self._count(key, result)

    def _count(self, key: str, error: ProviderError) -> None:
        if isinstance(error, AskedDifferentlyError):
            return
        self._failed[key] = self._failed.get(key, 0) + 1
        if isinstance(error, RefusedRequestError) or self._failed[key] >= self._tries:
            self._final[key] = error

    def give_up(self) -> None:
        """Note nothing more: whatever has no reply now has failed."""
        self._is_over = True
