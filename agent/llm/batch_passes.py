"""Work through cases in batches: run all, hand in what they ask, wait, and run them again.

Each pass brings every case one question further, so three to six passes (consult, decide, critic,
repair) end most of them. Nothing here knows what a case is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.llm.batch import AwaitingBatchError, LeftOpenError, OpenBatch, Result, Tally
from agent.llm.batch_office import BatchOffice
from agent.llm.batched import BatchDesk, Noted
from agent.llm.exchange import ProviderError, RefusedRequestError, Reply
from errors import shown

MOST_PASSES = 24
"""After so many, what is still open fails, so that no loop costs money for ever."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class Progress:
    """How far the work is, for whoever watches."""

    number: int
    """The pass, from 1."""
    cases: int
    finished: int
    """Cases that came to their end."""
    asked: int = 0
    """Requests in the batches that are waited for."""
    answered: int = 0
    """Those of them that came to an end."""


def _silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class BatchOutcome:
    """What the work came to."""

    passes: int
    tally: Tally


def work_in_batches(
    cases: int,
    attempt: Callable[[int], object],
    *,
    desk: BatchDesk,
    offices: Sequence[BatchOffice],
    tell: Callable[[Progress], None] = _silent,
) -> BatchOutcome:
    """Bring every case to its end, and return what that took.

    Args:
        cases: How many there are; they are numbered from 0.
        attempt: Runs one case, which asks at `desk`, to its end or until AwaitingBatchError.
        desk: What the cases ask.
        offices: Where the questions go, one office for each model. Batches of an earlier run are
            waited for and not repeated. The first says how long the pauses are.
        tell: Told how far the work is, after every look at the open batches.

    Raises:
        LeftOpenError: Somebody pressed Ctrl-C while batches were open.
        RefusedBatchError: A provider refused a batch as a whole.
        ProviderError: A provider cannot be reached. Open batches stay open in the journal.
    """
    work = _Work(desk, {office.service.name: office for office in offices}, tell)
    try:
        for office in offices:
            office.recover(desk.came)
        passes = work.run(cases, attempt)
    except KeyboardInterrupt:
        left = [batch for office in offices for batch in office.open_batches()]
        if not left:
            raise
        raise _left_open(left) from None
    return BatchOutcome(passes, sum((office.tally for office in offices), Tally()))


@dataclass
class _Work:
    desk: BatchDesk
    offices: Mapping[str, BatchOffice]
    tell: Callable[[Progress], None]
    came: set[str] = field(default_factory=set)
    """The keys of the replies that came since the last pass."""

    def run(self, cases: int, attempt: Callable[[int], object]) -> int:
        left: Sequence[int] = range(cases)
        for number in itertools.count(1):
            if number >= MOST_PASSES:
                self.desk.give_up()
            left = [case for case in left if not _ends(case, attempt)]
            noted, asked_for = self.desk.taken()
            progress = Progress(number, cases, cases - len(left))
            self.tell(progress)
            if not left:
                return number
            self._check_same_questions(asked_for)
            self._ask(noted, progress)
        raise AssertionError("unreachable: the last pass ends every case")

    def _ask(self, noted: Noted, progress: Progress) -> None:
        """Have all that was noted come to its end, at all offices side by side."""
        self.came.clear()
        if not noted:
            raise AssertionError("a case waits for an answer that it did not ask for")
        for model, requests in noted.items():
            self._office(model).take(requests, self._deliver)
        busy = [self._office(model) for model in noted]
        for pause in busy[0].waiting.pauses():
            looks = [office.look(self._deliver) for office in busy]
            asked, answered = (sum(column) for column in zip(*looks, strict=True))
            self.tell(replace(progress, asked=asked, answered=answered))
            if all(office.is_done for office in busy):
                break
            busy[0].waiting.sleep(pause)
        self.came &= {key for requests in noted.values() for key in requests}

    def _office(self, model: str) -> BatchOffice:
        if model not in self.offices:
            raise RefusedRequestError(
                f"{model} is asked in batches, and nobody hands them in",
                hint="review without batches, or let one model do all the asking",
            )
        return self.offices[model]

    def _deliver(self, results: Mapping[str, Result]) -> None:
        self.desk.came(results)
        self.came |= {key for key, result in results.items() if isinstance(result, Reply)}

    def _check_same_questions(self, asked_for: Collection[str]) -> None:
        """Stop when no case asks again what it asked before: that would cost money for ever."""
        if self.came and self.came.isdisjoint(asked_for):
            raise ProviderError(
                f"no case asked again for any of the {len(self.came)} answers that came",
                hint="this is a fault of Amicus: a question is not the same in two runs of a case",
            )


def _ends(case: int, attempt: Callable[[int], object]) -> bool:
    try:
        attempt(case)
    except AwaitingBatchError:
        return False
    return True


def _left_open(left: Sequence[OpenBatch]) -> LeftOpenError:
    named = [f"{shown(b.id or b.label)} ({len(b.keys)} requests)" for b in left[:_MOST_NAMED]]
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    models = " and ".join(sorted({batch.provider for batch in left}))
    return LeftOpenError(
        f"interrupted; at {models} these batches go on: {', '.join(named)}{more}",
        hint="they are paid for in any case: run the same command again to read their answers",
    )
