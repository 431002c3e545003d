"""Say what works."""

from __future__ import annotations

import typer

from commands.opening import options_for, read_settings
from commands.options import AsJson
from commands.output import print_json


def doctor(*, as_json: AsJson = False) -> None:
    """Say what is configured, what works and what is missing.

    Example: amicus doctor
    """
    from agent.doctor import examine
    from agent.masking import printable

    settings = read_settings()
    checks = examine(options_for(settings, None, None), lookups=settings.url_lookup)
    if as_json:
        print_json([vars(check) for check in checks], None)
    else:
        for check in checks:
            typer.echo(f"{check.state:8} {check.name:12} {printable(check.told)}")
            if check.hint:
                typer.echo(f"{'':22}{check.hint}")
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)
