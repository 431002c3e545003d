"""The desk that answers from what came back, and notes what has to be asked in the next batch."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping

from agent.llm.batch import AskedDifferentlyError, AwaitingBatchError, Replies, Result
from agent.llm.exchange import (
    ProviderError,
    RefusedRequestError,
    Reply,
    Request,
    UnavailableError,
)

TRIES = 3
"""How often a request may fail before its failure is the answer."""

Noted = Mapping[str, Mapping[str, Request]]
"""Requests by their keys, by the names of the models that they are for."""


class BatchDesk:
    """Where the cases of a run ask, in the place of a provider; safe to share between threads.

    A review either comes to its verdict from the replies that are there, or stops at the first
    question without one and is run again after the next batch.
    """

    def __init__(self, replies: Replies, *, tries: int = TRIES) -> None:
        """Start with nothing noted.

        Args:
            replies: What came back so far.
            tries: How often a request may fail before its failure is the answer.
        """
        self._replies = replies
        self._tries = tries
        self._lock = threading.Lock()
        self._noted: dict[str, dict[str, Request]] = defaultdict(dict)
        self._asked_for: set[str] = set()
        self._failed: dict[str, int] = {}
        self._final: dict[str, ProviderError] = {}
        self._is_over = False

    def answer(self, model: str, key: str, request: Request) -> Reply:
        """Return the reply that came back to a request.

        Args:
            model: Provider and model, as `BatchService.name` has them.
            key: The same for the same question in every run, so nothing random may be in it; 1 to
                64 letters, digits, `-` and `_`.
            request: What is asked.

        Raises:
            AwaitingBatchError: There is none yet; the request is noted.
            ProviderError: The request failed for good.
        """
        with self._lock:
            self._asked_for.add(key)
        reply = self._replies.reply(key)
        if reply is not None:
            return reply
        with self._lock:
            raise self._why_not(model, key, request)

    def _why_not(self, model: str, key: str, request: Request) -> Exception:
        """Why there is no reply: the request failed for good, or it is noted now."""
        if key in self._final:
            return self._final[key].with_traceback(None)
        if self._is_over:
            return UnavailableError(
                f"{model} was asked in batch after batch, and the review came to no end",
                hint="review this case without batches",
            )
        self._noted[model][key] = request
        return AwaitingBatchError(f"{model} is asked in the next batch")

    def taken(self) -> tuple[Noted, Collection[str]]:
        """Return what was noted, and every key that was asked for; both start afresh."""
        with self._lock:
            taken = self._noted, self._asked_for
            self._noted, self._asked_for = defaultdict(dict), set()
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
