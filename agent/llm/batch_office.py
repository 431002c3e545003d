"""Hand in batches, wait for them, and hand out what came: once each, whatever is killed when.

A batch is journaled before it is handed in, and again when the provider has named it. Whoever is
killed in between finds it on the next start, where the provider lets it be found; where that cannot
be told, the notes say what may be paid twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agent.llm.batch import (
    BatchJournal,
    BatchService,
    BatchState,
    OpenBatch,
    RefusedBatchError,
    Result,
)
from agent.llm.exchange import (
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    UnavailableError,
)
from errors import shown

Answer = TypeVar("Answer")
Deliver = Callable[[Mapping[str, Result]], None]
"""Keeps results where a killed process does not lose them."""
Look = Callable[[int, int], None]
"""Told how many requests are in the open batches, and how many of them came to an end."""
_UNKNOWN = 404
_GONE = BatchState(ended=True, done=0, total=0)


@dataclass(frozen=True)
class Waiting:
    """How long is waited for what; seconds."""

    first: float = 5.0
    """Between the first two looks at the open batches."""
    longest: float = 60.0
    """Between two looks at most."""
    growth: float = 1.5
    failures: int = 30
    """How often in a row a provider may fail to say how far a batch is, or to take one."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def pauses(self) -> Iterator[float]:
        """Yield the pauses, from the first up to the longest, without an end."""
        pause = self.first
        while True:
            yield min(pause, self.longest)
            pause = min(pause * self.growth, self.longest)


@dataclass
class BatchOutcome:
    """What the work came to."""

    passes: int = 0
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


def fresh_label() -> str:
    """Return a label that no other batch has."""
    return f"amicus-{secrets.token_hex(16)}"


@dataclass
class BatchOffice:
    """Where requests are handed in and answers are called for; one run, one thread."""

    service: BatchService
    journal: BatchJournal
    waiting: Waiting = field(default_factory=Waiting)
    draw: Callable[[], str] = fresh_label
    """Draws the label of a batch; no two may be alike."""
    outcome: BatchOutcome = field(default_factory=BatchOutcome)
    _room: int = 0
    """How many requests fit into the provider's queue, once it was full; 0 is not known."""

    def open_batches(self) -> list[OpenBatch]:
        """Return the open batches of this provider and model."""
        name = self.service.name
        return [batch for batch in self.journal.open_batches() if batch.provider == name]

    def recover(self) -> None:
        """Find out what became of batches that were meant to be handed in.

        Raises:
            ProviderError: The provider does not say.
        """
        for batch in self.open_batches():
            if not batch.id and not self._is_found(batch):
                self.journal.closed(batch.label)

    def ask(self, requests: Mapping[str, Request], deliver: Deliver, look: Look) -> None:
        """Have every request come to an end; what is in an open batch is not handed in again.

        Raises:
            RefusedBatchError: The provider refused a batch as a whole.
            ProviderError: The provider cannot be reached. Open batches stay open in the journal.
        """
        others = self.open_batches()
        asked = {key for batch in others for key in batch.keys}
        waiting = [batch for batch in others if not requests.keys().isdisjoint(batch.keys)]
        due = {key: request for key, request in requests.items() if key not in asked}
        while waiting or due:
            chunks = list(self._chunks(due, deliver))
            now = chunks[:1] if self._room else chunks
            waiting += [self._handed_in(chunk) for chunk in now]
            back = self._wait_for(waiting, deliver, look)
            waiting = []
            later = back.union(*chunks[len(now) :])
            due = {key: requests[key] for key in requests if key in later}

    def _chunks(
        self, requests: Mapping[str, Request], deliver: Deliver
    ) -> Iterator[dict[str, Request]]:
        """The requests in as few batches as the limits allow; what fits into none has failed."""
        limits, chunk, size = self.service.limits, dict[str, Request](), 0
        most = min(limits.requests, self._room or limits.requests)
        for key, request in requests.items():
            weight = self.service.weight(key, request)
            if weight > limits.bytes:
                deliver({key: self._too_large(weight)})
                continue
            if len(chunk) >= most or size + weight > limits.bytes:
                yield chunk
                chunk, size = {}, 0
            chunk[key] = request
            size += weight
        if chunk:
            yield chunk

    def _too_large(self, weight: int) -> RefusedRequestError:
        return RefusedRequestError(
            f"a request of {weight} bytes is larger than a batch of {self.service.name} may be",
            hint="review this case without batches",
        )

    def _handed_in(self, chunk: Mapping[str, Request]) -> OpenBatch:
        now = self.waiting.now()
        batch = OpenBatch(self.draw(), self.service.name, tuple(chunk), now)
        self.journal.opened(batch)
        self.outcome.batches += 1
        self.outcome.requests += len(chunk)
        for failures, pause in enumerate(self.waiting.pauses(), 1):
            try:
                return self._named(batch, self.service.submit(chunk, label=batch.label))
            except (RateLimitedError, UnavailableError) as error:
                if failures >= self.waiting.failures:
                    raise
                wait = max(pause, error.retry_after or 0.0)
            except ProviderError:
                self.journal.closed(batch.label)
                raise
            self.waiting.sleep(wait)
            # It may have been taken although we were not told.
            if found := self._is_found(batch):
                return found
        raise AssertionError("unreachable: the pauses do not end")

    def _named(self, batch: OpenBatch, batch_id: str) -> OpenBatch:
        named = replace(batch, id=batch_id)
        self.journal.opened(named)
        return named

    def _is_found(self, batch: OpenBatch) -> OpenBatch | None:
        """The batch at the provider that was meant to be handed in; it is open then."""
        known = {other.id for other in self.open_batches() if other.id}
        found = self._patiently(lambda: self.service.find(batch, known=known))
        if found.doubt:
            self.outcome.notes.append(
                f"{len(batch.keys)} requests to {self.service.name} may be paid twice: their batch "
                f"may be {found.doubt}, and that cannot be told"
            )
        return self._named(batch, found.id) if found.id else None

    def _wait_for(self, batches: Iterable[OpenBatch], deliver: Deliver, look: Look) -> set[str]:
        """Wait until all have ended; the keys of those that have to be handed in again."""
        left = list(batches)
        total = sum(len(batch.keys) for batch in left)
        done: dict[str, int] = {}
        back: set[str] = set()
        for pause in self.waiting.pauses():
            for batch in list(left):
                state = self._state(batch)
                done[batch.label] = min(state.done, len(batch.keys))
                if state.ended:
                    left.remove(batch)
                    back |= self._settled(batch, state, deliver)
            look(total, sum(done.values()))
            if not left:
                break
            self.waiting.sleep(pause)
        return back

    def _state(self, batch: OpenBatch) -> BatchState:
        try:
            return self._patiently(lambda: self.service.poll(batch.id))
        except RefusedRequestError as error:
            if error.status != _UNKNOWN:
                raise
        self.outcome.notes.append(
            f"{self.service.name} knows no batch {shown(batch.id)} any more; its {len(batch.keys)} "
            "requests are asked again and may be paid twice"
        )
        return _GONE

    def _settled(self, batch: OpenBatch, state: BatchState, deliver: Deliver) -> set[str]:
        """Deliver what came of a batch and close it; its keys, if it is to be handed in again."""
        if state.problem:
            self.journal.closed(batch.label)
            return self._refused(batch, state)
        found = {} if state is _GONE else self._patiently(lambda: self._results(batch))
        results = {key: found.get(key) or self._missing(batch) for key in batch.keys}
        deliver(results)
        replies = sum(isinstance(result, Reply) for result in results.values())
        self.outcome.replies += replies
        self.outcome.failures += len(results) - replies
        self.journal.closed(batch.label)
        return set()

    def _refused(self, batch: OpenBatch, state: BatchState) -> set[str]:
        """Make room where less would have been taken; a full queue is no fault of the requests."""
        if state.is_too_much and len(batch.keys) > 1:
            self._room = min(self._room or len(batch.keys), len(batch.keys) // 2)
            return set(batch.keys)
        raise RefusedBatchError(
            f"{self.service.name} refused a batch of {len(batch.keys)} requests: {state.problem}",
            hint="nothing of it was paid; put right what it says",
        )

    def _results(self, batch: OpenBatch) -> dict[str, Result]:
        """The results by key; what is foreign, unreadable or contradictory is refused by name."""
        wanted, found, refused = frozenset(batch.keys), dict[str, Result](), list[str]()
        for key, result in self.service.results(batch.id):
            if key in wanted and key in found and found[key] != result:
                refused.append(f"batch {shown(batch.id)} answers {key} twice, and differently")
                found[key] = UnavailableError(refused[-1], hint="it is asked again")
            elif key in wanted:
                found[key] = result
            elif not key and isinstance(result, ProviderError):
                refused.append(result.message)
            else:
                refused.append(f"batch {shown(batch.id)} answers {shown(key)}, which is not in it")
        self.outcome.notes.extend(refused)
        return found

    def _missing(self, batch: OpenBatch) -> UnavailableError:
        return UnavailableError(
            f"batch {shown(batch.id)} of {self.service.name} ended without an answer to a request",
            hint="it is asked again",
        )

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """What the provider says, after as many failures as are allowed."""
        for failures, pause in enumerate(self.waiting.pauses(), 1):
            try:
                return ask()
            except (RateLimitedError, UnavailableError) as error:
                if failures >= self.waiting.failures:
                    raise
                wait = max(pause, error.retry_after or 0.0)
            self.waiting.sleep(wait)
        raise AssertionError("unreachable: the pauses do not end")
