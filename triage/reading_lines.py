"""Lines of JSON become entries of the docket, a piece of a file at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
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
from errors import InputError
from records.docket.entries import NewCase
from triage.priority import Priority

MOST_BYTES = 8 * 1024 * 1024
"""A piece ends with the line that makes it this long."""


@dataclass(frozen=True)
class Lines:
    """Where cases come from."""

    file: BinaryIO
    name: str
    """What messages call it."""


@dataclass(frozen=True)
class Rules:
    """How lines become entries."""

    priority: Priority
    max_text_chars: int


@dataclass(frozen=True)
class Piece:
    """Some lines of a file, as they stand there."""

    name: str
    first: int
    """The number of its first line."""
    raw: tuple[bytes, ...]
    """Of a line that is too long only the beginning."""
    now: float
    """When it was read, in seconds since 1970."""


@dataclass(frozen=True)
class Read:
    """What the lines of a piece are."""

    cases: list[NewCase] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Why lines were refused, with file and line."""


def pieces(lines: Lines, size: int, clock: Callable[[], float]) -> Iterator[Piece]:
    """Yield the lines of a file, at most `size` together.

    Raises:
        InputError: The file cannot be read on; says from which line.
    """
    raw: list[bytes] = []
    number = length = 0
    for number, line in _raw_lines(lines):
        raw.append(line)
        length += len(line)
        if len(raw) >= size or length >= MOST_BYTES:
            yield Piece(lines.name, number - len(raw) + 1, tuple(raw), clock())
            raw, length = [], 0
    if raw:
        yield Piece(lines.name, number - len(raw) + 1, tuple(raw), clock())


def read_piece(piece: Piece, rules: Rules) -> Read:
    """Return the entries of a piece; a bad line keeps no other out."""
    found = Read()
    for number, raw in enumerate(piece.raw, start=piece.first):
        try:
            case = _read(raw, f"{piece.name}:{number}", rules.max_text_chars)
        except InputError as error:
            found.faults.append(error.message)
            continue
        if case is not None:
            found.cases.append(entry_of(case, rules.priority, now=piece.now))
    return found


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


def _read(raw: bytes, where: str, max_text_chars: int) -> Case | None:
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
    refuse_long_texts(case, max_text_chars=max_text_chars, where=where)
    return case
