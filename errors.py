"""The one family of errors.

    AmicusError
    ├── UsageError        a command was given something that makes no sense (exit code 2)
    ├── InputError        a case, a file, an import or a golden set cannot be read
    ├── RulebookError     a rulebook does not parse, or does not hold what was asked of it
    ├── RecordsError      a database, the ledger or a file of ours cannot be read or written
    ├── SettingsError     the environment names something impossible
    ├── ModelError        a reviewer model gave no usable answer
    ├── ToolError         a tool cannot answer; *the reviewer model* reads this message
    └── GateError         a gate that was asked for did not hold (exit code 3)

A message says what is wrong, with which value, and where; the hint says what to do next. Both are
one line and hold no more of a case than a short, escaped excerpt of the offending value.
"""

from __future__ import annotations

from typing import ClassVar


class AmicusError(Exception):
    """Something a user can put right: printed as `error: …` and `hint: …`, never as a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep `message` (what, which value, where) and `hint` (what to do next), one line each."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AmicusError):
    """A command was given something that makes no sense."""

    exit_code = 2


class InputError(AmicusError):
    """A case, a file of cases, an import or a golden set cannot be read."""


class RulebookError(AmicusError):
    """A rulebook does not parse, or does not hold what was asked of it."""


class RecordsError(AmicusError):
    """A database, the ledger or another file of ours cannot be read or written."""


class SettingsError(AmicusError):
    """The environment or `.env` names something impossible."""


class ModelError(AmicusError):
    """A reviewer model gave no usable answer; the review ends in an abstention."""


class ToolError(AmicusError):
    """A tool cannot answer; the reviewer model reads the message, so it says what to ask."""


class GateError(AmicusError):
    """A gate that was asked for did not hold."""

    exit_code = 3


def shown(value: object, limit: int = 60) -> str:
    r"""Return `value` as it may stand in a message: quoted, escaped, and cut at `limit`.

    >>> print(shown("a\\x1b[31mb"))
    'a\\x1b[31mb'
    """
    text = ascii(value) if not isinstance(value, str) else repr(value)
    escaped = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"
