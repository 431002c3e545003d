"""The command line: every command and every group of commands, on one screen."""

from __future__ import annotations

import typer

from commands import (
    bring,
    doctor,
    evaluate,
    measure,
    policy,
    prove,
    review,
    triage,
    tune,
    wording,
)
from commands.group import AmicusGroup

app = typer.Typer(
    name="amicus",
    cls=AmicusGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A second opinion on content-moderation cases, every ground of it checked by code.",
)
app.command()(review.review)
app.command()(prove.replay)
app.command()(doctor.doctor)
wording.register(policy.app)
app.add_typer(policy.app, name="policy")
app.add_typer(bring.accounts, name="accounts")
app.add_typer(bring.urls, name="urls")
app.add_typer(bring.precedents, name="precedents")
app.add_typer(prove.ledger, name="ledger")
evaluate.app.command("confidence")(tune.confidence)
evaluate.app.command("cascade")(tune.cascade)
measure.register(evaluate.app)
app.add_typer(evaluate.app, name="eval")
app.add_typer(triage.app, name="triage")
