"""Prove what was decided and why: replay and the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.group import group
from commands.opening import read_settings, records_for
from commands.options import AsJson
from commands.output import print_json
from errors import InputError, UsageError

ledger = group("Prove what was decided.")


def replay(
    case_id: Annotated[str, typer.Argument(help="A case that was reviewed, or #N of the ledger.")],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the content uncovered.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a verdict again from its record, with no model and no network, and compare.

    Example: amicus replay c-17
    """
    from agent.replay import replay as run_again
    from agent.reviewer import verdict_data
    from agent.view import render, terminal

    settings = read_settings()
    with records_for(settings) as records:
        again = run_again(records, case_id)
        if as_json:
            print_json(verdict_data(again.replayed), None)
        else:
            terminal().print(render(again.replayed, again.case, again.rulebook, reveal=reveal))
    if not again.same:
        raise InputError(
            f"record {again.entry.seq} gives another verdict than it holds",
            hint="another version of Amicus made it, or it was edited: amicus ledger verify",
        )
    typer.echo(f"record {again.entry.seq}: the same verdict, byte for byte", err=True)


@ledger.command("verify")
def ledger_verify(*, as_json: AsJson = False) -> None:
    """Check the whole ledger: an edited, dropped, reordered or cut-off record is named.

    Example: amicus ledger verify
    """
    from dataclasses import asdict

    from records.ledger import verify

    with records_for(read_settings()) as records:
        report = verify(records)
    if as_json:
        print_json(asdict(report), None)
    else:
        for fault in report.faults:
            typer.echo(f"{fault.kind}: {fault.message}")
        told = "intact" if not report.faults else f"{len(report.faults)} faults"
        typer.echo(f"{report.entries:,} records, {told}", err=True)
    if report.faults:
        raise typer.Exit(1)


@ledger.command("anchor")
def ledger_anchor(
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="You have looked at what verify says.")
    ] = False,
) -> None:
    """Vouch for the ledger as it stands, after moving it or its home on purpose.

    Example: amicus ledger anchor --yes
    """
    from records.ledger import anchor_anew

    if not yes:
        raise UsageError(
            "whatever was changed in the ledger so far will count as its truth",
            hint="look at amicus ledger verify first; then add --yes",
        )
    with records_for(read_settings()) as records:
        anchor_anew(records)
