"""Hand in batches, look after them, and hand out what came: once each, whatever is killed when.

A batch is journaled before it is handed in, and again when the provider has named it. Whoever is
killed in between finds it on the next start, where the provider lets it be found; where that cannot
be told, the notes say what may be paid twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from agent.llm.batch import (
    BatchJournal,
    BatchService,
    BatchState,
    OpenBatch,
    RefusedBatchError,
    Result,
    Tally,
)
from agent.llm.batch_patience import Waiting
from agent.llm.exchange import (
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    UnavailableError,
)
from errors import shown

Deliver = Callable[[Mapping[str, Result]], None]
"""Keeps results where a killed process does not lose them."""
_UNKNOWN = 404
_GONE = BatchState(ended=True, done=0, total=0)


def fresh_label() -> str:
    """Return a label that no other batch has."""
    return f"amicus-{secrets.token_hex(16)}"


@dataclass
class BatchOffice:
    """Where the requests to one model are handed in and called for; one run, one thread."""

    service: BatchService
    journal: BatchJournal
    waiting: Waiting = field(default_factory=Waiting)
    draw: Callable[[], str] = fresh_label
    """Draws the label of a batch; no two may be alike."""
    tally: Tally = field(default_factory=Tally)
    _requests: Mapping[str, Request] = field(default_factory=dict, init=False)
    _due: dict[str, Request] = field(default_factory=dict, init=False)
    """What is still to be handed in."""
    _awaited: list[OpenBatch] = field(default_factory=list, init=False)
    _room: int | None = field(default=None, init=False)
    """How many requests fit into the provider's queue, where it was full once."""

    @property
    def is_done(self) -> bool:
        """Whether every request that was taken has come to an end."""
        return not self._due and not self._awaited

    def open_batches(self) -> list[OpenBatch]:
        """Return the open batches of this model, whoever opened them."""
        name = self.service.name
        return [batch for batch in self.journal.open_batches() if batch.provider == name]

    def recover(self, deliver: Deliver) -> None:
        """Take up what an earlier run left: find what it handed in, deliver what has ended.

        Raises:
            ProviderError: The provider does not say.
        """
        for batch in self.open_batches():
            if not batch.id and not self._found(batch):
                self.journal.closed(batch.label)
        self._awaited = self.open_batches()
        try:
            self.look(deliver)
        except RefusedBatchError as error:
            self.tally.notes.append(error.message)  # what was in it is asked again

    def take(self, requests: Mapping[str, Request], deliver: Deliver) -> None:
        """Hand in requests; what is in an open batch already is waited for and not repeated.

        Raises:
            ProviderError: The provider does not take them. Open batches stay open in the journal.
        """
        self._requests = requests
        others = self.open_batches()
        asked = {key for batch in others for key in batch.keys}
        self._awaited = [batch for batch in others if not requests.keys().isdisjoint(batch.keys)]
        self._due = {key: request for key, request in requests.items() if key not in asked}
        self._hand_in(deliver)

    def look(self, deliver: Deliver) -> tuple[int, int]:
        """Deliver what has ended; return how many requests are awaited, and how many have ended.

        Raises:
            RefusedBatchError: The provider refused a batch as a whole.
            ProviderError: The provider cannot be reached. Open batches stay open in the journal.
        """
        asked, answered = len(self._due), 0
        for batch in list(self._awaited):
            state = self._state(batch)
            asked += len(batch.keys)
            answered += min(state.done, len(batch.keys))
            if state.ended:
                self._settle(batch, state, deliver)
        if not self._awaited:
            self._hand_in(deliver)
        return asked, answered

    def _hand_in(self, deliver: Deliver) -> None:
        """Hand in all that is due, or the first batch of it where the provider's queue was full."""
        chunks = list(self._chunks(deliver))
        for chunk in chunks if self._room is None else chunks[:1]:
            self._awaited.append(self._handed_in(chunk))
            for key in chunk:
                del self._due[key]

    def _chunks(self, deliver: Deliver) -> Iterator[dict[str, Request]]:
        """What is due in as few batches as the limits allow; what fits into none has failed."""
        limits, chunk, size = self.service.limits, dict[str, Request](), 0
        most = min(limits.requests, self._room or limits.requests)
        for key, request in list(self._due.items()):
            weight = self.service.weight(key, request)
            if weight > limits.bytes:
                deliver({key: self._too_large(weight)})
                del self._due[key]
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
        batch = OpenBatch(self.draw(), self.service.name, tuple(chunk), self.waiting.now())
        self.journal.opened(batch)
        self.tally.batches += 1
        self.tally.requests += len(chunk)
        is_in_doubt = False

        def submitted() -> OpenBatch:
            nonlocal is_in_doubt
            # It may have been taken although we were not told.
            if is_in_doubt and (found := self._found(batch)):
                return found
            is_in_doubt = True
            return self._named(batch, self.service.submit(chunk, label=batch.label))

        try:
            return self.waiting.patiently(submitted)
        except (RateLimitedError, UnavailableError):
            raise  # nobody knows whether it was taken: the next start finds out
        except ProviderError:
            self.journal.closed(batch.label)
            raise

    def _named(self, batch: OpenBatch, batch_id: str) -> OpenBatch:
        named = replace(batch, id=batch_id)
        self.journal.opened(named)
        return named

    def _found(self, batch: OpenBatch) -> OpenBatch | None:
        """The batch at the provider that was meant to be handed in; it is open then."""
        known = {other.id for other in self.open_batches() if other.id}
        found = self.waiting.patiently(lambda: self.service.find(batch, known=known))
        if found.doubt:
            self.tally.notes.append(
                f"{len(batch.keys)} requests to {self.service.name} may be paid twice: their batch "
                f"may be {found.doubt}, and that cannot be told"
            )
        return self._named(batch, found.id) if found.id else None

    def _state(self, batch: OpenBatch) -> BatchState:
        try:
            return self.waiting.patiently(lambda: self.service.poll(batch.id))
        except RefusedRequestError as error:
            if error.status != _UNKNOWN:
                raise
        self.tally.notes.append(
            f"{self.service.name} knows no batch {shown(batch.id)} any more; its {len(batch.keys)} "
            "requests are asked again and may be paid twice"
        )
        return _GONE

    def _settle(self, batch: OpenBatch, state: BatchState, deliver: Deliver) -> None:
        """Deliver what came of a batch that has ended, then close it."""
        if state.problem:
            self._awaited.remove(batch)
            self.journal.closed(batch.label)
            self._bear(batch, state)
            return
        found: Mapping[str, Result] = {}
        if state is not _GONE:
            found = self.waiting.patiently(lambda: self._results(batch))
        results = {key: found.get(key) or self._missing(batch) for key in batch.keys}
        deliver(results)
        self.journal.closed(batch.label)
        self._awaited.remove(batch)
        replies = sum(isinstance(result, Reply) for result in results.values())
        self.tally.replies += replies
        self.tally.failures += len(results) - replies

    def _bear(self, batch: OpenBatch, state: BatchState) -> None:
        """Ask for less at once where the provider's queue was full; else give up."""
        if not state.is_too_much or len(batch.keys) == 1:
            raise RefusedBatchError(
                f"{self.service.name} refused a batch of {len(batch.keys)} requests: "
                f"{state.problem}",
                hint="nothing of it was paid; put right what it says",
            )
        self._room = min(self._room or len(batch.keys), len(batch.keys) // 2)
        wanted = self._requests.keys() & set(batch.keys)
        self._due.update((key, self._requests[key]) for key in batch.keys if key in wanted)

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
        self.tally.notes.extend(refused)
        return found

    def _missing(self, batch: OpenBatch) -> UnavailableError:
        return UnavailableError(
            f"batch {shown(batch.id)} of {self.service.name} ended without an answer to a request",
            hint="it is asked again",
        )
