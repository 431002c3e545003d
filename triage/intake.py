"""Fill the docket from lines of JSON: streaming, in batches, and as often as you like."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from errors import shown
from records.docket.intake import Intake, take_in
from records.store import Records
from triage.priority import Priority
from triage.reading_lines import Lines, Read, Rules, pieces
from triage.side_by_side import read_in_order

BATCH = 4_000
MOST_REFUSED = 1_000
"""So many refused lines are kept in full; the others are counted."""


@dataclass(frozen=True)
class Reading:
    """How lines become entries of the docket."""

    priority: Priority
    clock: Callable[[], float]
    max_text_chars: int


@dataclass
class AddReport:
    """What became of the lines."""

    new: int = 0
    known: int = 0
    """Cases that were there already, word for word."""
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    """Why, with file and line; the first thousand."""

    @property
    def lines(self) -> int:
        """How many cases were read, refused ones included."""
        return self.new + self.known + self.refused

    def refuse(self, fault: str) -> None:
        """Count a line that is not taken in."""
        self.refused += 1
        if len(self.faults) < MOST_REFUSED:
            self.faults.append(fault)


def add_cases(
    records: Records,
    lines: Lines,
    reading: Reading,
    *,
    batch: int = BATCH,
    on_progress: Callable[[AddReport], None] = lambda _: None,
) -> AddReport:
    """Take every good line in, a batch in a transaction, and say what was refused.

    A bad line keeps no other case out: they may be somebody's emergency. Cut off at any point and
    run again, it passes over what is there.

    Raises:
        RecordsError: The docket cannot be written; earlier batches are in.
    """
    report = AddReport()
    rules = Rules(reading.priority, reading.max_text_chars)
    # One thread reads while another writes: both databases do their work outside of Python.
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[Intake] | None = None
        for read in read_in_order(pieces(lines, batch, reading.clock), rules):
            if writing is not None:
                _count(report, writing.result(), lines.name)
                on_progress(report)
            _refuse(report, read)
            writing = writer.submit(take_in, records, read.cases, now=reading.clock())
        if writing is not None:
            _count(report, writing.result(), lines.name)
            on_progress(report)
    return report


def _refuse(report: AddReport, read: Read) -> None:
    for fault in read.faults:
        report.refuse(fault)


def _count(report: AddReport, intake: Intake, name: str) -> None:
    report.new += intake.new
    report.known += intake.known
    for case_id in intake.refused:
        report.refuse(f"{name}: the id {shown(case_id)} is in the docket with other content")
