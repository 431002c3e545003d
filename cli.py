"""The commands: parse, call one function, print. Heavy imports wait until a command needs them."""

from __future__ import annotations

import typer

app = typer.Typer(name="amicus", no_args_is_help=True, add_completion=False)
