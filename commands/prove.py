"""Prove what was decided and why: replay and the ledger."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from commands.group import group
from commands.opening import read_settings, records_for
from commands.options import AsJson
from commands.output import print_json
from errors import InputError, UsageError, shown

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


@ledger.command("cost")
def ledger_cost(
    *,
    by: Annotated[
        Literal["day", "run", "case", "model"], typer.Option("--by", help="What to sum over.")
    ] = "day",
    since: Annotated[
        str, typer.Option("--since", help="The first day, such as 2026-11-01 (UTC).")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most lines.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Say what language models have cost, the costliest first; days in their order.

    Example: amicus ledger cost --by model --since 2026-11-01
    """
    from dataclasses import asdict

    from agent.masking import printable
    from records.spending import sums

    with records_for(read_settings()) as records:
        found = sums(records, "case_id" if by == "case" else by, since=_day(since), limit=limit)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    width = min(32, max((len(row.name) for row in found), default=0))
    for row in found:
        open_ends = f"  {row.unsettled} without an end" if row.unsettled else ""
        typer.echo(
            f"{printable(row.name)[:32]:{width}}  ${row.cost_usd:.4f}  {row.exchanges:,} calls  "
            f"{row.input_tokens:,} in ({row.cached_tokens:,} cached)  {row.output_tokens:,} out"
            f"{open_ends}"
        )
    if not found:
        typer.echo("nothing was paid for", err=True)


def _day(said: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(said).isoformat() if said else ""
    except ValueError:
        raise UsageError(
            f"--since {shown(said)} is no day", hint="write it like 2026-11-01"
        ) from None


@ledger.command("forget")
def ledger_forget(
    case_id: Annotated[str, typer.Argument(help="The case whose content is to go.")],
) -> None:
    """Delete the content of a case that the ledger keeps apart (AMICUS_LEDGER_CONTENT=apart).

    The record that the case was decided stays, and the chain stays whole. Backups are yours.

    Example: amicus ledger forget c-17
    """
    from records.ledger import entries_of
    from records.verdicts import APART, VERDICT_RECORD, forget_content

    with records_for(read_settings()) as records:
        entries = entries_of(records, case_id, VERDICT_RECORD)
        inside = [entry.seq for entry in entries if APART not in entry.payload]
        contents, answers = forget_content(records, case_id)
    typer.echo(f"{contents} contents and {answers} kept answers deleted", err=True)
    if not entries:
        raise InputError(
            f"the ledger holds no verdict on {shown(case_id)}", hint="check the id of the case"
        )
    if inside:
        raise InputError(
            f"{shown(case_id)}: records {', '.join(map(str, inside[:5]))} hold its content inside",
            hint="what was written with AMICUS_LEDGER_CONTENT=inside cannot be taken out",
        )
