"""The rows of a CSV or JSONL file, each with the line on which it stands."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.reading_cases import json_lines
from errors import InputError, shown

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class Row:
    """One row, and where it stands."""

    line: int
    fields: Mapping[str, Any]


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; its ending says what it is: `.csv`, `.tsv`, `.jsonl` or `.json`.

    The file is read as it is asked for, so that its size does not matter.

    Raises:
        InputError: The file cannot be read, or a line is no row; names `file:line`.
    """
    suffix = path.suffix.lower()
    if suffix in _DELIMITERS:
        yield from _table(path, _DELIMITERS[suffix])
    elif suffix in {".jsonl", ".json", ".ndjson"}:
        for line, fields in json_lines(path):
            yield Row(line, fields)
    else:
        raise InputError(
            f"{path}: what kind of file is {shown(suffix)}?",
            hint="name a file that ends in .csv, .tsv or .jsonl",
        )


def _table(path: Path, delimiter: str) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(reader, [])
            if not any(name.strip() for name in header):
                raise InputError(f"{path}:1: no header", hint="name the columns in the first line")
            for cells in reader:
                if cells:
                    yield Row(reader.line_num, _named(header, cells, f"{path}:{reader.line_num}"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}", hint="name a file that you may read"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 (byte {error.object[error.start]:#04x})",
            hint="save the file as UTF-8, for example: iconv -f latin1 -t utf-8 old > new",
        ) from None
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: not CSV ({error})",
            hint="is a quotation mark missing, or is it another kind of file?",
        ) from None


def _named(header: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    if len(cells) != len(header):
        raise InputError(
            f"{where}: {len(cells)} cells where the header has {len(header)}",
            hint="put a text that holds the separator into quotation marks",
        )
    return dict(zip(header, cells, strict=True))


def cell(fields: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """Return what the first of these columns holds that a row has; None where it has none of them.

    A dot goes into an object: `labels.hate`. An empty cell is none.

    >>> cell({"labels": {"hate": 1}}, ["H", "labels.hate"])
    1
    """
    for column in columns:
        value: Any = fields.get(column)
        if value is None and "." in column:
            value = fields
            for part in column.split("."):
                value = value.get(part) if isinstance(value, dict) else None
        if value is not None and value != "":
            return value
    return None


def has_column(fields: Mapping[str, Any], columns: Sequence[str]) -> bool:
    """Return whether a row names one of these columns, even if nothing stands in it."""
    return any(column in fields for column in columns) or cell(fields, columns) is not None
