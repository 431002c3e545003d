"""Undo as a unit: what was wrong for one copy is put right for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from errors import InputError
from records.copies import (
    mark_undone,
    note_copy_in,
    original_of,
    standing_copies,
    was_overturned,
)
from records.docket.reading import read_case
from records.store import Records
from records.together import Together
from triage.deciding import Ruling, overturn_decision
from triage.people import Person

_BELIEVED_SECONDS = 1.0


@dataclass(frozen=True)
class Undone:
    """What was put right."""

    original: str
    overturned: tuple[str, ...]
    """The original first, where it was still to be overturned, then its copies."""


def undo(records: Records, case_id: str, person: Person, ruling: Ruling, *, now: float) -> Undone:
    """Put a person's decision in the place of a machine's, for an original and all its copies.

    Each case gets its own ledger record and its own message. Stopped in between, the same call goes
    on with those that are left; no copy is decided anew by a machine meanwhile, because the
    original falls first.

    Args:
        records: Where the docket is.
        case_id: The original or any of its copies.
        person: Who decides.
        ruling: What they decide, for all of them.
        now: Seconds since 1970.

    Raises:
        UsageError: As in `overturn_decision`.
        InputError: The docket holds no such case, or the original is not decided.
    """
    original = original_of(records, case_id)
    done: list[str] = []
    if not was_overturned(records, original):
        overturn_decision(records, original, person, ruling, now=now)
        done.append(original)
    for copy in standing_copies(records, original):
        try:
            overturn_decision(records, copy, person, ruling, now=now)
        except InputError:
            found = read_case(records, copy)
            if found is not None and found.state == "decided":
                raise
            continue  # somebody took it up in this very moment: it is theirs
        mark_undone(records, copy)
        done.append(copy)
    return Undone(original, tuple(done))


class CopyBook:
    """Notes copies for many threads in shared transactions, and knows which originals fell."""

    def __init__(
        self,
        records: Records,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Bind the records."""
        self._records = records
        self._together = Together(records)
        self._clock = clock
        self._monotonic = monotonic
        self._stood: dict[str, float] = {}

    def note(self, copy: str, original: str) -> None:
        """Note a copy before its verdict is written (`Copies`, `on_copy`)."""
        now = self._clock()
        self._together.run(lambda connection: note_copy_in(connection, copy, original, now=now))

    def still_stands(self, original: str) -> bool:
        """Whether the decision on an original was not overturned, as of a second ago at most."""
        moment = self._monotonic()
        if moment - self._stood.get(original, float("-inf")) < _BELIEVED_SECONDS:
            return True
        if was_overturned(self._records, original):
            return False
        self._stood[original] = moment
        return True
