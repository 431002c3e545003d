"""One verdict for all copies: the first is reviewed, some others too, the rest take it over.

A copy takes over nothing that was not checked against it (`is_copy`, `verdict_for`). The first copy
and a random sample of the others are reviewed all the same; once such a review comes to something
else, the group is broken up and every later copy is reviewed by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.case import Case
from agent.record import verdict_data
from agent.reviewer import Opinion
from agent.verdict import Verdict
from policies.rulebook import Rulebook
from triage.duplicates.nearby import Nearby, bands_of
from triage.duplicates.requoting import verdict_for
from triage.duplicates.shape import Shape, is_copy, shape_of

_log = logging.getLogger(__name__)

MOST_GROUPS = 50_000
REVIEWED_FIRST = 1
"""So many copies of a group are reviewed before any takes the verdict over."""
_ALL = 1 << 64


@dataclass
class _Group:
    original: Case
    shape: Shape
    ready: threading.Event = field(default_factory=threading.Event)
    opinion: Opinion | None = None
    """None, once ready: the review failed."""
    copies: int = 0
    broken: bool = False


@dataclass
class CopyTally:
    """What became of the cases."""

    reviewed: int = 0
    copied: int = 0
    sampled: int = 0
    """Copies that were reviewed all the same."""
    broken: int = 0
    """Groups whose copies turned out to need another verdict."""


@dataclass(frozen=True)
class Sampling:
    """Which copies are reviewed all the same."""

    share: float
    key: bytes
    """Secret, so that nobody can write a copy that is surely not looked at."""

    def draws(self, case_id: str) -> bool:
        """Return whether a copy is reviewed; fixed for each case."""
        digest = hmac.new(self.key, case_id.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big") < self.share * _ALL


class Copies:
    """Gives opinions in the place of a reviewer. Safe to share between threads."""

    def __init__(  # noqa: PLR0913 - what copying rests on
        self,
        review: Callable[[Case], Opinion],
        rulebook: Rulebook,
        sampling: Sampling,
        *,
        on_copy: Callable[[str, str], None] = lambda *_: None,
        still_stands: Callable[[str], bool] = lambda _: True,
        most: int = MOST_GROUPS,
    ) -> None:
        """Put copying before a reviewer.

        Args:
            review: Gives the opinion on a case; what it raises is raised here too.
            rulebook: The one that it reviews under.
            sampling: Which copies are reviewed all the same.
            on_copy: Told the ids of copy and original before a verdict is taken over.
            still_stands: Whether the decision on an original, by its id, was not overturned.
            most: How many originals are remembered.
        """
        self._review = review
        self._rulebook = rulebook
        self._sampling = sampling
        self._on_copy = on_copy
        self._still_stands = still_stands
        self._groups: Nearby[_Group] = Nearby(most)
        self._lock = threading.Lock()
        self.tally = CopyTally()

    def opinion(self, case: Case) -> Opinion:
        """Return the opinion on a case: taken over from its original, or a review of its own."""
        shape = shape_of(case)
        if shape is None or not shape.words:
            return self._reviewed(case)
        group, number, place = self._group_of(case, shape)
        if place == 0:
            return self._as_original(case, group, number)
        group.ready.wait()
        if group.opinion is None or group.broken or case.id == group.original.id:
            return self._reviewed(case)
        if place <= REVIEWED_FIRST or self._sampling.draws(case.id):
            return self._sampled(case, group, group.opinion)
        taken = self._taken_over(case, group, group.opinion)
        return self._as_new_original(case, shape, group) if taken is None else taken

    def _group_of(self, case: Case, shape: Shape) -> tuple[_Group, int, int]:
        """The group of a case, its number, and the place of the case in it; 0 is the original's."""
        bands = bands_of(shape.text)
        with self._lock:
            for number, group in self._groups.candidates(bands):
                if is_copy(shape, group.shape):
                    self._groups.use(number)
                    group.copies += 1
                    return group, number, group.copies
            group = _Group(case, shape)
            return group, self._groups.add(bands, group), 0

    def _as_original(self, case: Case, group: _Group, number: int) -> Opinion:
        try:
            opinion = self._reviewed(case)
            group.opinion = _without_tape(opinion)
            return opinion
        finally:
            if group.opinion is None:
                with self._lock:
                    self._groups.forget(number)
            group.ready.set()

    def _taken_over(self, case: Case, group: _Group, opinion: Opinion) -> Opinion | None:
        """The original's opinion as one on this copy; None where the copy needs its own review."""
        original = group.original
        if opinion.verdict.case_id != original.id:
            return None  # the original was changed in this moment
        verdict = verdict_for(case, original, opinion.verdict, self._rulebook)
        if verdict is None:
            return None
        if not self._still_stands(original.id):
            self._break(group, case.id)
            return None
        self._on_copy(case.id, original.id)
        with self._lock:
            self.tally.copied += 1
        return copied(opinion, verdict, case, original.id)

    def _as_new_original(self, case: Case, shape: Shape, group: _Group) -> Opinion:
        """Review a copy that the verdict did not fit; those that come may be more like it."""
        own = self._reviewed(case)
        with self._lock:
            before = group.opinion
            if before is not None and not _differ(own.verdict, before.verdict):
                group.original, group.shape, group.opinion = case, shape, _without_tape(own)
        return own

    def _sampled(self, case: Case, group: _Group, opinion: Opinion) -> Opinion:
        own = self._reviewed(case)
        with self._lock:
            self.tally.sampled += 1
        if _differ(own.verdict, opinion.verdict):
            self._break(group, case.id)
        return own

    def _break(self, group: _Group, case_id: str) -> None:
        with self._lock:
            group.broken = True
            self.tally.broken += 1
        _log.warning(
            "copies of %s are no longer decided with it, see %s", group.original.id, case_id
        )

    def _reviewed(self, case: Case) -> Opinion:
        with self._lock:
            self.tally.reviewed += 1
        return self._review(case)


def copied(opinion: Opinion, verdict: Verdict, case: Case, original: str) -> Opinion:
    """Return an opinion on a copy, whose record names the original instead of a tape of its own."""
    whole = {
        "case": case.model_dump(mode="json"),
        "copy_of": original,
        "verdict": verdict_data(verdict),
    }
    record = opinion.record
    if record.apart is None:
        return Opinion(verdict, replace(record, case_id=case.id, payload=whole, texts={}))
    outcome = {**record.payload["outcome"], "case_id": case.id, "copy_of": original}
    payload = {"outcome": outcome}
    return Opinion(
        verdict, replace(record, case_id=case.id, payload=payload, texts={}, apart=whole)
    )


def _without_tape(opinion: Opinion) -> Opinion:
    """What copies take over of an opinion: a tape is long, and thousands are remembered."""
    record = opinion.record
    outcome = {} if record.apart is None else {"outcome": record.payload["outcome"]}
    apart: dict[str, object] | None = None if record.apart is None else {}
    return Opinion(opinion.verdict, replace(record, payload=outcome, texts={}, apart=apart))


def _differ(one: Verdict, other: Verdict) -> bool:
    """Whether two verdicts come to something else; a failure says nothing."""
    if {one.abstain_reason, other.abstain_reason} & {"model_error", "budget"}:
        return False
    return _outcome(one) != _outcome(other)


def _outcome(verdict: Verdict) -> tuple[object, ...]:
    cited = frozenset(violation.section for violation in verdict.violations)
    return verdict.decision, verdict.action, cited
