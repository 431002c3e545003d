"""Read an imported file line by line, in bounded memory, whatever is in it."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from errors import InputError, shown
from records.imports import Progress

LONGEST_LINE = 1_000_000
_REPORT_EVERY = 1 << 18  # bytes


@dataclass(frozen=True)
class Line:
    """One line of a file, and what keeps it from being read."""

    number: int
    text: str
    """Without the end of line; bytes that are not UTF-8 stand in it as lone surrogates."""
    fault: str = ""


def read_lines(path: Path, progress: Progress | None = None) -> Iterator[Line]:
    """Yield the lines of a UTF-8 file, numbered from 1; a line that is too long comes empty.

    Raises:
        InputError: The file cannot be read, is empty, or is not UTF-8 from its first bytes on.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(file, path, progress or _silent)
    except OSError as error:
        raise InputError(
            f"cannot read {shown(str(path), 200)}: {error.strerror}",
            hint="check the name of the file and that you may read it",
        ) from None


def _lines(file: BinaryIO, path: Path, progress: Progress) -> Iterator[Line]:
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode):
        raise InputError(
            f"{shown(str(path), 200)} is not a file", hint="save what you import to a file first"
        )
    _refuse_other_encodings(file, path)
    done = reported = file.tell()
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        done += len(raw)
        if len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
            done += _skip_line(file)
            yield Line(number, "", f"the line is longer than {LONGEST_LINE:,} bytes")
        else:
            yield _decoded(number, raw.rstrip(b"\r\n"))
        if done - reported >= _REPORT_EVERY:
            progress(done, max(done, state.st_size))
            reported = done
    progress(done, done)


def _refuse_other_encodings(file: BinaryIO, path: Path) -> None:
    """Step over a byte order mark of UTF-8; refuse one of UTF-16, and a file without a byte."""
    start = file.read(len(codecs.BOM_UTF8))
    if not start:
        raise InputError(f"{shown(str(path), 200)} is empty", hint="check how it was exported")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{shown(str(path), 200)} is UTF-16", hint="save it as UTF-8")
    if start != codecs.BOM_UTF8:
        file.seek(0)


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while raw := file.readline(LONGEST_LINE):
        skipped += len(raw)
        if raw.endswith(b"\n"):
            break
    return skipped


def _decoded(number: int, raw: bytes) -> Line:
    text = raw.decode("utf-8", "surrogateescape")
    return Line(number, text, fault_of(text))


def fault_of(text: str) -> str:
    """Return what keeps decoded text from being read, or nothing."""
    if "\0" in text:
        return "the line holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the line is not UTF-8"
    return ""


def _silent(_done: int, _total: int) -> None:
    return
