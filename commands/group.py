"""What all commands share in running: one way to fail, one look of the help."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from errors import AmicusError

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


class AmicusGroup(TyperGroup):
    """Commands whose foreseeable failures end in `error:` and `hint:` lines, not tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and translate what went wrong for a person."""
        try:
            return super().invoke(ctx)
        except AmicusError as error:
            complain(error.message, error.hint)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("interrupted", "nothing that was finished is lost; run the command again")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough; closing keeps Python from complaining.
            sys.stderr.close()
            raise typer.Exit(0) from None


def complain(message: str, hint: str) -> None:
    """Print the two lines of an error on stderr, one line each."""
    print("error: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201
    if hint:
        print("hint: " + " ".join(hint.split()), file=sys.stderr)  # noqa: T201


def group(help_text: str) -> typer.Typer:
    """Return a group of commands that shows its help when it is called alone."""
    return typer.Typer(cls=AmicusGroup, no_args_is_help=True, rich_markup_mode=None, help=help_text)
