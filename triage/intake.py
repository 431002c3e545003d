"""Fill the docket from lines of JSON: streaming, in batches, and as often as you like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

from agent.case import Case
from agent.reading_cases import (
    MAX_LINE_BYTES,
    case_id_for,
    checked,
    json_object,
    refuse_half_characters,
    refuse_long_texts,
)
from errors import InputError, shown
from records.docket.entries import NewCase
from records.docket.intake import Intake, take_in
from records.store import Records
from triage.priority import Priority

BATCH = 4_000
MOST_REFUSED = 1_000
"""So many refused lines are kept in full; the others are counted."""


@dataclass(frozen=True)
class Lines:
    """Where cases come from."""

    file: BinaryIO
    name: str
    """What messages call it."""


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
    # One thread reads while another writes: both databases do their work outside of Python.
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[Intake] | None = None
        for cases in _batches(lines, reading, report, size=batch):
            if writing is not None:
                _count(report, writing.result(), lines.name)
                on_progress(report)
            writing = writer.submit(take_in, records, cases, now=reading.clock())
        if writing is not None:
            _count(report, writing.result(), lines.name)
            on_progress(report)
    return report


def content_of(case: Case) -> str:
    """Return the case as the docket keeps it: the same case is always the same text."""
    if case.meta:  # whose keys may come in any order
        told = case.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return case.model_dump_json(exclude_defaults=True)


def entry_of(case: Case, priority: Priority, *, now: float) -> NewCase:
    """Return a case as it enters the docket."""
    content = content_of(case)
    urgency = priority.on_arrival(case, now=now)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    return NewCase(case.id, content, fingerprint, urgency.due, urgency.policy)


def _batches(
    lines: Lines, reading: Reading, report: AddReport, *, size: int
) -> Iterator[list[NewCase]]:
    batch: list[NewCase] = []
    for number, raw in _raw_lines(lines):
        where = f"{lines.name}:{number}"
        try:
            case = _read(raw, where, reading)
        except InputError as error:
            report.refuse(error.message)
            continue
        if case is not None:
            batch.append(entry_of(case, reading.priority, now=reading.clock()))
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def _raw_lines(lines: Lines) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        while raw := lines.file.readline(MAX_LINE_BYTES + 1):
            number += 1
            yield number, raw
            while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                raw = lines.file.readline(MAX_LINE_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"{lines.name}:{number}: {error.strerror or error}",
            hint="what was read until here is in; add the file again",
        ) from None


def _read(raw: bytes, where: str, reading: Reading) -> Case | None:
    """The case of a line, or None of a blank one; much of the time of an intake is spent here."""
    if len(raw) > MAX_LINE_BYTES:
        raise InputError(f"{where}: a line of more than {MAX_LINE_BYTES:,} bytes")
    try:
        line = raw.decode("utf-8-sig" if where.endswith(":1") else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 (byte {raw[error.start]:#04x})") from None
    if not line:
        return None
    fields = json_object(line, where=where)
    if "\\u" in line:  # halves of characters can come in no other way
        refuse_half_characters(fields, where=where)
    fields.setdefault("id", case_id_for(fields))
    case = checked(Case, fields, where=where)
    refuse_long_texts(case, max_text_chars=reading.max_text_chars, where=where)
    return case


def _count(report: AddReport, intake: Intake, name: str) -> None:
    report.new += intake.new
    report.known += intake.known
    for case_id in intake.refused:
        report.refuse(f"{name}: the id {shown(case_id)} is in the docket with other content")
