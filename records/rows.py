"""Read the rows of a CSV or JSONL file one by one, each with the line on which it begins."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_core import from_json

from errors import InputError, shown
from records.imports import Progress
from records.lines import LONGEST_LINE, Line, read_lines

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = frozenset({".jsonl", ".ndjson"})


@dataclass(frozen=True)
class Row:
    """One row: its fields, or what keeps them from being read."""

    line: int
    fields: dict[str, object] = field(default_factory=dict)
    fault: str = ""


def read_rows(
    path: Path,
    *,
    columns: Sequence[str],
    json_columns: Sequence[str] = (),
    progress: Progress | None = None,
) -> Iterator[Row]:
    """Yield the rows of a file; in CSV an empty cell is left out.

    Args:
        path: What its name ends in says how it is read: .csv, .tsv, .jsonl or .ndjson.
        columns: What a CSV header may name; it must name the first of them.
        json_columns: Those of them whose cells hold JSON.
        progress: Told how many bytes have been read.

    Raises:
        InputError: The file cannot be read at all, holds no row, or names an unknown column.
    """
    kind, lines = path.suffix.lower(), read_lines(path, progress)
    if kind in _JSON_LINES:
        rows = json_rows(lines)
    elif kind in _DELIMITERS:
        told = csv_rows(lines, path, delimiter=_DELIMITERS[kind], columns=columns)
        rows = (_with_json(row, json_columns) for row in told)
    else:
        raise InputError(
            f"{shown(path.name)} ends in none of .csv, .tsv, .jsonl and .ndjson",
            hint="rename the file by what it holds; unpack it first if it is compressed",
        )
    return _at_least_one(rows, path)


def _at_least_one(rows: Iterator[Row], path: Path) -> Iterator[Row]:
    first = next(rows, None)
    if first is None:
        raise InputError(f"{path.name} holds no rows", hint="check how it was exported")
    yield first
    yield from rows


def json_rows(lines: Iterator[Line]) -> Iterator[Row]:
    """Yield a row for each line that is not blank."""
    for line in lines:
        if line.fault:
            yield Row(line.number, fault=line.fault)
        elif line.text.strip():
            yield _json_row(line)


def csv_rows(
    lines: Iterator[Line], path: Path, *, delimiter: str, columns: Sequence[str] = ()
) -> Iterator[Row]:
    """Yield the rows under a header; blank lines are passed over.

    Raises:
        InputError: The header names a column that is not among `columns` (where they are given)
            or one column twice, or there is none; or a quotation mark never closes.
    """
    # A limit of the csv module for the whole program; ours is the size of a row, checked below.
    csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST_LINE))
    records = _records(lines, path, delimiter)
    header = _header(next(records, None), path)
    if columns:
        _check_columns(header, columns, path)
    for line, cells, fault in records:
        if fault:
            yield Row(line, fault=fault)
        elif len(cells) != len(header):
            yield Row(line, fault=f"has {len(cells)} cells, and the header has {len(header)}")
        else:
            named = zip(header, cells, strict=True)
            yield Row(line, {name: cell for name, cell in named if cell})


class _Feed:
    """Hands lines to the csv module, and remembers where the present record begins."""

    def __init__(self, lines: Iterator[Line], path: Path) -> None:
        self._lines = lines
        self._path = path
        self.ended = False
        self.begin()

    def begin(self) -> None:
        """Begin another record."""
        self.line, self.fault, self._size = 0, "", 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.line = self.line or line.number
            self.fault = self.fault or line.fault
            self._size += len(line.text)
            if self._size > LONGEST_LINE:
                raise self.unclosed()
            yield line.text + "\n"
        self.ended = True

    def unclosed(self) -> InputError:
        """What to say when a record does not end."""
        return InputError(
            f"{self._path.name}:{self.line}: a quotation mark is opened and not closed",
            hint="close it, or write a quotation mark inside a cell twice",
        )


def _records(
    lines: Iterator[Line], path: Path, delimiter: str
) -> Iterator[tuple[int, list[str], str]]:
    """Yield line, cells and fault of each record that is not blank."""
    feed = _Feed(lines, path)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.begin()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if feed.ended:
                raise feed.unclosed() from None
            yield feed.line, [], feed.fault or f"is no CSV: {error}"
            continue
        if cells is None:
            return
        if cells or feed.fault:
            yield feed.line, cells, feed.fault


def _header(record: tuple[int, list[str], str] | None, path: Path) -> list[str]:
    hint = "the first line names the columns, each once"
    if record is None:
        raise InputError(f"{path.name} holds no rows", hint=hint)
    line, cells, fault = record
    names = [cell.strip() for cell in cells]
    if fault:
        raise InputError(f"{path.name}:{line}: the header {fault}", hint=hint)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path.name}:{line}: column {shown(twice[0])} stands twice", hint=hint)
    return names


def _check_columns(header: Sequence[str], columns: Sequence[str], path: Path) -> None:
    known = f"known are {', '.join(columns)}"
    unknown = [name for name in header if name not in columns]
    if unknown:
        raise InputError(
            f"{path.name}: unknown column {shown(unknown[0])}",
            hint=f"rename it or leave it out; {known}",
        )
    if columns[0] not in header:
        raise InputError(f"{path.name}: there is no column {shown(columns[0])}", hint=known)


def _with_json(row: Row, json_columns: Sequence[str]) -> Row:
    fields = dict(row.fields)
    for name in json_columns:
        cell = fields.get(name)
        if isinstance(cell, str):
            try:
                fields[name] = from_json(cell, allow_inf_nan=False)
            except ValueError:
                return Row(row.line, fault=f"{name}: is no JSON")
    return Row(row.line, fields, row.fault)


def _json_row(line: Line) -> Row:
    try:
        fields = from_json(line.text, allow_inf_nan=False)
    except ValueError as error:
        return Row(line.number, fault=f"is no JSON: {error}")
    if not isinstance(fields, dict):
        return Row(line.number, fault="is no JSON object")
    return Row(line.number, fields)
