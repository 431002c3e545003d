"""How every program of `training` ends: with a code, and an error in two lines."""

from __future__ import annotations

import sys
from collections.abc import Callable

from errors import AmicusError


def ended(work: Callable[[], None]) -> int:
    """Do the work; returns the exit code, after saying on stderr what was wrong and what helps."""
    try:
        work()
    except AmicusError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0
