"""Work the docket: fill it, review what waits, see how it stands, write it out."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import calibrate, triage_people, triage_run
from commands.group import group
from commands.opening import read_settings, records_for
from commands.options import AsJson, Out, Policies
from commands.output import print_json, progress_bar
from commands.triage_people import PriorityPage
from errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.reading_lines import Lines

app = group("Work the queue of escalated cases: the docket.")
app.command("run")(triage_run.run)
app.command("next")(triage_people.triage_next)
app.command("decide")(triage_people.decide)
app.command("hold")(triage_people.hold)
app.command("assign")(triage_people.assign)
app.command("ask")(triage_people.ask)
app.command("release")(triage_people.release)
app.command("calibrate")(calibrate.calibrate)
app.command("audit")(calibrate.audit)
app.command("switch")(calibrate.switch)


@app.command()
def add(
    file: Annotated[str, typer.Argument(help="A JSONL file of cases, or - for standard input.")],
    *,
    priority: PriorityPage = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Put cases into the docket; what is in it already is passed over.

    Example: amicus triage add escalated.jsonl
    """
    from policies.reading import load_rulebook
    from triage.intake import Reading, add_cases
    from triage.priority import read_priority

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    reading = Reading(read_priority(priority, rulebook), time.time, settings.max_text_chars)
    with (
        _lines(file) as (lines, size),
        records_for(settings) as records,
        progress_bar("Adding") as progress,
    ):
        report = add_cases(
            records,
            lines,
            reading,
            on_progress=lambda _: progress(lines.file.tell(), size) if size else None,
        )
    for fault in report.faults:
        typer.echo(fault, err=True)
    if as_json:
        told = {"new": report.new, "known": report.known, "refused": report.refused}
        print_json({**told, "faults": report.faults})
    else:
        typer.echo(f"{report.new:,} new, {report.known:,} there already")
    if report.refused:
        raise InputError(
            f"{report.refused:,} lines were refused; the others are in the docket",
            hint="correct them and add the file again: what is there is passed over",
        )


@app.command()
def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.5, help="Seconds between two looks.")
    ] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Show what waits for whom, since when, how fast it goes and what it costs.

    Example: amicus triage status --watch
    """
    from triage.status import status_data, status_lines, status_of

    with records_for(read_settings()) as records:
        while True:
            now = status_of(records, now=time.time())
            if as_json:
                print_json(status_data(now))
            else:
                typer.echo("\n".join(status_lines(now)))
            if not watch:
                return
            time.sleep(every)
            typer.echo()


@app.command()
def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Dead cases; all of them where none is named.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Let dead cases wait for a worker again, and send again what no receiver took.

    Example: amicus triage retry
    """
    from records.docket.people import retry_dead
    from records.outbox import send_again

    with records_for(read_settings()) as records:
        cases = retry_dead(records, ids)
        messages = 0 if ids else send_again(records, now=time.time())
    if as_json:
        print_json({"cases": cases, "messages": messages})
    else:
        typer.echo(f"{cases:,} cases wait again, {messages:,} messages are sent again")


@app.command()
def export(  # noqa: PLR0913 - one parameter for each option of the contract
    *,
    out: Out = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only dead cases.")] = False,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write Parquet; needs pyarrow and --out.")
    ] = False,
    golden: Annotated[
        bool, typer.Option("--golden", help="Overturned cases as golden ones.")
    ] = False,
    statements: Annotated[
        bool, typer.Option("--statements", help="Statements of reasons (Article 17 DSA).")
    ] = False,
    platform: Annotated[
        Path | None,
        typer.Option("--platform", help="What the platform says of itself in its statements."),
    ] = None,
    policies: Policies = None,
) -> None:
    """Write the docket out, a line of JSON for each case, by id.

    Example: amicus triage export --out docket.jsonl
    """
    from agent.review_file import write_whole
    from records.docket.reading import read_docket
    from triage.export import write_parquet

    if sum((parquet, golden, statements)) > 1:
        raise UsageError("--parquet, --golden and --statements are three exports", hint="name one")
    if parquet and out is None:
        raise UsageError("--parquet writes no text", hint="name a file with --out")
    settings = read_settings()
    with records_for(settings) as records:
        cases = read_docket(records, states=("dead",) if dead else ())
        if parquet and out is not None:
            typer.echo(f"{write_parquet(out, cases):,} cases", err=True)
            return
        page = policies or settings.policies
        lines = _lines_of(cases, golden=golden, statements=statements, pages=(platform, page))
        if out is not None:
            write_whole(out, lines)
        else:
            for line in lines:
                typer.echo(line)


def _lines_of(
    cases: Any, *, golden: bool, statements: bool, pages: tuple[Path | None, Path | None]
) -> Iterator[str]:
    import json

    from triage.deciding import as_golden
    from triage.export import json_lines

    if golden:
        found = (as_golden(case) for case in cases)
        return (json.dumps(case, ensure_ascii=False) for case in found if case is not None)
    if statements:
        from policies.reading import load_rulebook
        from triage.statements import read_platform, reasons_for

        platform = read_platform(pages[0], load_rulebook(pages[1]))
        owed = (reasons_for(case, platform) for case in cases)
        return (json.dumps(vars(r), ensure_ascii=False) for r in owed if r is not None)
    return json_lines(cases)


@contextmanager
def _lines(file: str) -> Iterator[tuple[Lines, int]]:
    """Open a file of cases, and say how long it is; 0 where that cannot be told."""
    from triage.reading_lines import Lines

    if file == "-":
        yield Lines(sys.stdin.buffer, "standard input"), 0
        return
    path = Path(file)
    try:
        opened = path.open("rb")
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}", hint="name a JSONL file that you may read"
        ) from None
    with opened:
        yield Lines(opened, str(path)), path.stat().st_size if path.is_file() else 0
