"""What is wrong with a rulebook: in which file, on which line, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ProblemRule = Literal[
    "unreadable",
    "does-not-parse",
    "unknown-signal",
    "double-id",
    "reused-id",
    "severity-without-enforcement",
]


@dataclass(frozen=True)
class Problem:
    """One reason why a rulebook cannot be used."""

    file: str
    line: int
    """Counted from 1; 0 means the file or folder as a whole."""
    rule: ProblemRule
    message: str
    hint: str

    @property
    def place(self) -> str:
        """`file:line`, as editors and terminals open it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass
class Problems:
    """The problems of one file, collected while it is read, so that all are reported at once."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(
        self, line: int, message: str, hint: str, *, rule: ProblemRule = "does-not-parse"
    ) -> None:
        """Note a problem on `line` of this file."""
        self.found.append(Problem(self.file, line, rule, message, hint))
