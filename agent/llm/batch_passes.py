"""Work through cases in batches: run all, hand in what they ask, wait, and run them again.

Each pass brings every case one question further, so three to six passes (consult, decide, critic,
repair) end most of them. Nothing here knows what a case is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.llm.batch import AwaitingBatchError, LeftOpenError, OpenBatch, Result
from agent.llm.batch_office import BatchOffice, BatchOutcome
from agent.llm.batched import BatchedProvider
from agent.llm.exchange import ProviderError, Reply
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


def work_in_batches(
    cases: int,
    attempt: Callable[[int], object],
    *,
    provider: BatchedProvider,
    office: BatchOffice,
    tell: Callable[[Progress], None] = _silent,
) -> BatchOutcome:
    """Bring every case to its end, and return what that took.

    Args:
        cases: How many there are; they are numbered from 0.
        attempt: Runs one case with `provider`, to its end or until AwaitingBatchError.
        provider: What the cases ask.
        office: Where the questions go. Batches of an earlier run are waited for, not repeated.
        tell: Told how far the work is, after every look at the open batches.

    Raises:
        LeftOpenError: Somebody pressed Ctrl-C while batches were open.
        RefusedBatchError: The provider refused a batch as a whole.
        ProviderError: The provider cannot be reached. Open batches stay open in the journal.
    """
    try:
        office.recover()
        _pass_after_pass(cases, attempt, provider, office, tell)
    except KeyboardInterrupt:
        left = office.open_batches()
        if not left:
            raise
        raise _left_open(left, office.service.name) from None
    return office.outcome


def _pass_after_pass(
    cases: int,
    attempt: Callable[[int], object],
    provider: BatchedProvider,
    office: BatchOffice,
    tell: Callable[[Progress], None],
) -> None:
    left: Sequence[int] = range(cases)
    came: set[str] = set()

    def deliver(results: Mapping[str, Result]) -> None:
        provider.came(results)
        came.update(key for key, result in results.items() if isinstance(result, Reply))

    for number in itertools.count(1):
        if number >= MOST_PASSES:
            provider.give_up()
        left = [case for case in left if not _ends(case, attempt)]
        office.outcome.passes = number
        noted, asked_for = provider.taken()
        progress = Progress(number, cases, cases - len(left))
        tell(progress)
        if not left:
            return
        _check_same_questions(came, asked_for, provider.name)
        came.clear()
        office.ask(noted, deliver, _looking(progress, tell))
        came &= noted.keys()


def _looking(progress: Progress, tell: Callable[[Progress], None]) -> Callable[[int, int], None]:
    return lambda asked, answered: tell(replace(progress, asked=asked, answered=answered))


def _ends(case: int, attempt: Callable[[int], object]) -> bool:
    try:
        attempt(case)
    except AwaitingBatchError:
        return False
    return True


def _check_same_questions(came: Collection[str], asked_for: Collection[str], name: str) -> None:
    """Stop when no case asks again what it asked before, as that would cost money for ever."""
    if came and set(came).isdisjoint(asked_for):
        raise ProviderError(
            f"no case asked again for any of the {len(came)} answers that {name} gave",
            hint="this is a fault of Amicus: a question is not the same in two runs of a case",
        )


def _left_open(left: Sequence[OpenBatch], name: str) -> LeftOpenError:
    named = [f"{shown(b.id or b.label)} ({len(b.keys)} requests)" for b in left[:_MOST_NAMED]]
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return LeftOpenError(
        f"interrupted; at {name} these batches go on: {', '.join(named)}{more}",
        hint="they are paid for in any case: run the same command again to read their answers",
    )
