"""Bring your own data: accounts, lists of links, decided cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.group import group
from commands.opening import read_settings, records_for
from commands.options import AsJson, Policies, SkipBad
from commands.output import progress_bar, tell_import

accounts = group("Bring your own accounts.")
urls = group("Bring your own lists of malicious links.")
precedents = group("Bring your own decided cases.")


@accounts.command("import")
def accounts_import(
    file: Annotated[Path, typer.Argument(help="A CSV or JSONL file of accounts.")],
    *,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Load accounts and their history; the same file again changes nothing.

    Example: amicus accounts import accounts.csv
    """
    from records.accounts import import_accounts

    with records_for(read_settings()) as records, progress_bar("Importing") as progress:
        report = import_accounts(records, file, skip_bad=skip_bad, progress=progress)
    tell_import(report, skip_bad=skip_bad, as_json=as_json)


@urls.command("import")
def urls_import(
    file: Annotated[Path, typer.Argument(help="A hosts file, a plain list, or a CSV file.")],
    *,
    list_name: Annotated[
        str | None, typer.Option("--list", help="Name of the list; the file's name by default.")
    ] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Load a list of malicious hosts or links; an earlier list of that name is replaced.

    Example: amicus urls import blocklist.txt --list our-own
    """
    from records.links import import_urls

    with records_for(read_settings()) as records, progress_bar("Importing") as progress:
        report = import_urls(
            records, file, list_name=list_name or file.stem, skip_bad=skip_bad, progress=progress
        )
    tell_import(report, skip_bad=skip_bad, as_json=as_json)


@precedents.command("add")
def precedents_add(
    file: Annotated[Path, typer.Argument(help="A JSONL file of decided cases.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace precedents that are known by the same id.")
    ] = False,
    skip_bad: SkipBad = False,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Load decided cases, each bound to the wording of its section as it stands today.

    Example: amicus precedents add decided.jsonl
    """
    from policies.reading import load_rulebook
    from records.precedents import add_precedents

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)

    def version_of(section_id: str) -> str | None:
        section = rulebook.section(section_id)
        return section.version if section else None

    with records_for(settings) as records:
        report = add_precedents(
            records, file, version_of=version_of, skip_bad=skip_bad, replace=replace
        )
    tell_import(report, skip_bad=skip_bad, as_json=as_json)
