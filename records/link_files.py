"""Read a block list in any of its usual forms: a hosts file, a plain list, or CSV.

A hosts file says `0.0.0.0 bad.example other.example # comment`; a plain list holds a host or a
link a line; CSV has a column `url`, `host` or `domain`, and perhaps `threat` or `category`. Links
may be defanged. CSV shows by the name of the file or by its header, hosts by their address.
"""

from __future__ import annotations

import csv
import ipaddress
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from errors import InputError, shown
from records.hosts import normalise_host, normalise_url, refang
from records.imports import Progress
from records.lines import Line, read_lines
from records.rows import Row, csv_rows

LinkKind = Literal["host", "url"]

_ADDRESS_COLUMNS = ("url", "host", "domain", "hostname")
_CATEGORY_COLUMNS = ("threat", "category")
_LONGEST_CATEGORY = 100
_COMMENT = re.compile(r"(?:^|\s)#.*$")
# What a hosts file says about the machine it lies on; no block list means these.
_LOCAL = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost"})


@dataclass(frozen=True)
class Entry:
    """One entry of a list, or what keeps it from being one."""

    line: int
    address: str = ""
    kind: LinkKind = "host"
    category: str = ""
    fault: str = ""


def read_entries(path: Path, progress: Progress | None = None) -> Iterator[Entry]:
    """Yield the entries of a block list, normalised.

    Raises:
        InputError: The file cannot be read, holds nothing but comments, or is CSV without a
            column of links.
    """
    lines = read_lines(path, progress)
    comment, first = _skip_comments(lines)
    if first is None:
        raise InputError(f"{path.name} holds no entries", hint="check how it was made")
    header = _csv_header(path, comment, first)
    if header is None:
        return _from_lines(itertools.chain([first], lines))
    lines = lines if header is first else itertools.chain([first], lines)
    lowered = Line(header.number, header.text.lstrip("# ").lower(), header.fault)
    delimiter = _delimiter(path)
    return _from_rows(csv_rows(itertools.chain([lowered], lines), path, delimiter=delimiter))


def _skip_comments(lines: Iterator[Line]) -> tuple[Line | None, Line | None]:
    """Return the last comment before the first line that is none, and that line."""
    comment = None
    for line in lines:
        if line.text.startswith("#"):
            comment = line
        elif line.text.strip() or line.fault:
            return comment, line
    return comment, None


def _csv_header(path: Path, comment: Line | None, first: Line) -> Line | None:
    """Return the line that names the columns, or None where the file is no CSV."""
    for line in (first, comment):  # some lists name their columns in a comment
        if line is not None and _names_addresses(line, _delimiter(path)):
            return line
    if path.suffix.lower() in {".csv", ".tsv"}:
        raise InputError(
            f"{path.name} has no column of links",
            hint=f"name one of its columns {', '.join(_ADDRESS_COLUMNS[:-1])}",
        )
    return None


def _names_addresses(line: Line, delimiter: str) -> bool:
    cells = next(csv.reader([line.text.lstrip("# ").lower()], delimiter=delimiter), [])
    return any(cell.strip() in _ADDRESS_COLUMNS for cell in cells)


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _from_rows(rows: Iterator[Row]) -> Iterator[Entry]:
    for row in rows:
        told = {name: str(value) for name, value in row.fields.items()}
        address = next((told[name] for name in _ADDRESS_COLUMNS if name in told), "")
        category = next((told[name] for name in _CATEGORY_COLUMNS if name in told), "")
        if row.fault:
            yield Entry(row.line, fault=row.fault)
        else:
            yield from _entry(row.line, address, " ".join(category.split())[:_LONGEST_CATEGORY])


def _from_lines(lines: Iterator[Line]) -> Iterator[Entry]:
    for line in lines:
        words = _COMMENT.sub("", line.text).split()
        if line.fault:
            yield Entry(line.number, fault=line.fault)
        elif len(words) > 1 and _is_address(words[0]):
            for word in words[1:]:
                yield from _entry(line.number, word)
        elif len(words) > 1:
            yield Entry(line.number, fault=f"{shown(' '.join(words))} is more than one word")
        elif words:
            yield from _entry(line.number, words[0])


def _entry(line: int, text: str, category: str = "") -> Iterator[Entry]:
    address = refang(text)
    if address.lower() in _LOCAL or address.lower().startswith("ip6-"):
        return
    host = normalise_host(address.removeprefix("*").removeprefix("."))
    url = normalise_url(address) if "/" in address or ":" in address else None
    if host is not None and ("." in host or ":" in host):
        yield Entry(line, host, "host", category)
    elif host is None and url is not None:
        yield Entry(line, url, "url", category)
    else:
        yield Entry(line, fault=f"{shown(text)} is neither a host nor a link")


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
