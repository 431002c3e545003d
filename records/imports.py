"""What an import tells: how many rows were new, and which were bad, on which line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from errors import shown

Progress = Callable[[int, int], None]
"""Told now and then how many bytes have been read, and how many there are."""

MOST_BAD = 1_000

# What people wrote is not repeated in a message; everything else helps to find the mistake.
_CONTENT = frozenset({"text", "bio", "display_name", "note"})


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be loaded: where it begins, and what is wrong with it."""

    line: int
    message: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did. Bad rows, unless they were to be skipped, mean that it did nothing."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    """Entries of an older import of the same list that are no longer in it."""
    bad: list[BadRow] = field(default_factory=list)
    """The first thousand, by line."""
    bad_rows: int = 0
    """How many there are in all."""


class BadRows:
    """Collects bad rows in bounded memory: the first ones in full, the rest by number."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[BadRow] = []

    def add(self, line: int, message: str) -> None:
        """Count a bad row, and keep it while there is room."""
        self.total += 1
        if len(self._kept) < MOST_BAD:
            self._kept.append(BadRow(line, message))

    def report(
        self, *, new: int = 0, changed: int = 0, unchanged: int = 0, removed: int = 0
    ) -> ImportReport:
        """Return the report of an import that met these rows."""
        bad = sorted(self._kept, key=lambda row: row.line)
        return ImportReport(new, changed, unchanged, removed, bad=bad, bad_rows=self.total)


def first_fault(error: ValidationError) -> str:
    """Return the first thing that is wrong with a row, in one line and without its content."""
    fault = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"unknown field {shown(place)}: rename it or leave it out"
    if fault["type"] == "missing":
        return f"{place} is missing"
    told = fault["msg"].removeprefix("Value error, ")
    value = fault["input"]
    if not place:
        return told
    if isinstance(value, dict | list) or fault["loc"][-1] in _CONTENT:
        return f"{place}: {told}"
    return f"{place}: {told}, not {shown(value)}"
