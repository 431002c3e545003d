"""Say what works."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.opening import options_for, read_settings
from commands.options import AsJson, Model
from commands.output import print_json


def doctor(
    *,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Ask the server of the language model what it can do."),
    ] = False,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Say what is configured, what works and what is missing.

    Example: amicus doctor --probe --model openai:gpt-oss-safeguard-20b
    """
    from agent.doctor import examine
    from agent.masking import printable

    settings = read_settings()
    checks = examine(options_for(settings, None, model), lookups=settings.url_lookup, probe=probe)
    if as_json:
        print_json([vars(check) for check in checks], None)
    else:
        for check in checks:
            typer.echo(f"{check.state:8} {check.name:12} {printable(check.told)}")
            if check.hint:
                typer.echo(f"{'':22}{check.hint}")
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)
