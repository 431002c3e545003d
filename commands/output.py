"""How commands speak: JSON, what an import did, and progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from errors import InputError

if TYPE_CHECKING:
    from records.imports import ImportReport


def print_json(value: object, out: Path | None = None) -> None:
    """Print one JSON document, or write it to a file, whole or not at all."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    if out is None:
        typer.echo(text)
    else:
        from agent.review_file import write_whole

        write_whole(out, iter([text]))


def tell_import(report: ImportReport, *, skip_bad: bool, as_json: bool) -> None:
    """Say what an import did; bad rows that were not skipped are an error."""
    from dataclasses import asdict

    if as_json:
        print_json(asdict(report), None)
    for bad in report.bad:
        typer.echo(f"line {bad.line}: {bad.message}", err=True)
    if report.bad and not skip_bad:
        raise InputError(
            f"{report.bad_rows:,} bad rows, nothing was loaded",
            hint="correct them, or load the others with --skip-bad",
        )
    if not as_json:
        typer.echo(f"{report.new} new, {report.changed} changed, {report.unchanged} unchanged")


@contextmanager
def progress_bar(title: str) -> Iterator[Any]:
    """Show a bar on stderr where a person is watching; yield the function that moves it."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from agent.view import terminal

    console = terminal(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
