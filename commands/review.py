"""Ask for a second opinion."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.group import complain
from commands.opening import Asked, options_for, read_settings, reviewer_for
from commands.options import AsJson, Budget, Fresh, Model, Out, Policies, Route, Samples
from commands.output import print_json, progress_bar
from errors import InputError, UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.case import Case
    from agent.llm.batch_passes import BatchOutcome, Progress
    from agent.review_file import CaseFile
    from agent.reviewer import Options, Reviewer
    from policies.rulebook import Rulebook
    from records.store import Records
    from settings import Settings


def review(  # noqa: PLR0913 - one parameter for each option of the contract
    text: Annotated[
        str | None, typer.Argument(help="The content, or - to read standard input.")
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="A JSONL file of cases; goes on where it stopped.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", help="Who wrote the text; without a text, the account itself."),
    ] = None,
    mine: Annotated[
        str | None, typer.Option("--mine", help="Your own call, such as remove:hate.1 or allowed.")
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Ask for your own call before showing the verdict.")
    ] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the content uncovered.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="With --file, show every verdict in full.")
    ] = False,
    as_json: AsJson = False,
    out: Out = None,
    policies: Policies = None,
    model: Model = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, help="Reviews side by side, with --file.")
    ] = 1,
    samples: Samples = None,
    route: Route = "straight",
    budget: Budget = None,
    fresh: Fresh = False,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch", help="With --file: in a provider's batches, half the price, within a day."
        ),
    ] = False,
) -> None:
    """Review one piece of content, an account, or a file of cases.

    Example: amicus review "Send me your password and I will double your coins"
    """
    settings = read_settings()
    asked = Asked(samples=samples, cascade=route == "cascade", budget=budget, fresh=fresh)
    if file is not None:
        if text is not None or account is not None or mine is not None or blind:
            raise UsageError(
                "--file goes with neither a text nor --account, --mine or --blind",
                hint="put the account_id into the cases of the file",
            )
        from agent.review_file import check_case_file

        checked = check_case_file(file, max_text_chars=settings.max_text_chars)
        with reviewer_for(settings, policies, model, asked) as reviewer:
            show: Callable[[Case, str], None] = _print_line if as_json else _print_summary
            if full and not as_json:
                show = _view_printer(reviewer.desk.rulebook, reveal=reveal)
            if batch:
                lines = _batched(checked, reviewer, options_for(settings, policies, model, asked))
                _hand_out(checked, lines, out=out, show=show)
            else:
                _review_file(checked, reviewer, settings, out=out, workers=workers, show=show)
        return
    if batch:
        raise UsageError("--batch needs --file", hint="a single case is answered at once")
    if out is not None and not as_json:
        raise UsageError("--out needs --json or --file", hint="add --json")
    case = _one_case(text, account, settings)
    with reviewer_for(settings, policies, model, asked) as reviewer:
        _review_one(case, reviewer, mine=mine, blind=blind, reveal=reveal, as_json=as_json, out=out)


def _one_case(text: str | None, account: str | None, settings: Settings) -> Case:
    from agent.reading_cases import read_case

    if text is None and account is None:
        raise UsageError(
            "nothing to review", hint='give a text, -, --file F or --account ID: amicus review "…"'
        )
    fields: dict[str, object] = {}
    if text is not None:
        fields["text"] = _stdin_text(settings.max_text_chars) if text == "-" else text
    if account is not None:
        fields["account_id"] = account
        if text is None:
            fields["kind"] = "account"
    return read_case(fields, max_text_chars=settings.max_text_chars, where="the case")


def _stdin_text(limit: int) -> str:
    """Standard input as text; of an endless one no more is read than a case may hold."""
    raw = sys.stdin.buffer.read(4 * limit + 5)
    try:
        return raw.decode("utf-8-sig").removesuffix("\n")
    except UnicodeDecodeError as error:
        if len(raw) > 4 * limit:
            raise InputError(
                f"standard input: more than {limit:,} characters",
                hint="split the content, or raise AMICUS_MAX_TEXT_CHARS",
            ) from None
        raise InputError(
            f"standard input: not UTF-8 (byte {raw[error.start]:#04x} at offset {error.start})",
            hint="convert it first, for example: iconv -f latin1 -t utf-8",
        ) from None


def _review_one(  # noqa: PLR0913 - the options of one review
    case: Case,
    reviewer: Reviewer,
    *,
    mine: str | None,
    blind: bool,
    reveal: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    from agent.own_call import own_call
    from agent.reviewer import verdict_data
    from agent.view import render, terminal

    rulebook = reviewer.desk.rulebook
    own = own_call(mine, rulebook) if mine is not None else None
    if case.account_id is not None:
        _known_account(reviewer.records, case.account_id)
    if blind and own is None:
        own = _ask_own_call(case, reviewer, reveal=reveal)
    verdict = reviewer.review(case, own=own)
    if as_json:
        print_json(verdict_data(verdict), out)
    else:
        terminal().print(render(verdict, case, rulebook, reveal=reveal))


def _known_account(records: Records, account_id: str) -> None:
    from records.accounts import find_account

    if find_account(records, account_id) is None:
        raise InputError(
            f"--account {shown(account_id)}: no such account in the records",
            hint="import it first: amicus accounts import FILE",
        )


def _ask_own_call(case: Case, reviewer: Reviewer, *, reveal: bool) -> Any:
    """Show the case, and ask until the answer is a call that can be compared."""
    from agent.masking import masked, printable
    from agent.own_call import own_call

    typer.echo((printable if reveal else masked)(case.text), err=True)
    while True:
        said = typer.prompt("Your call (such as remove:hate.1, allowed, abstain)", err=True)
        try:
            return own_call(said, reviewer.desk.rulebook)
        except UsageError as error:
            complain(error.message, error.hint)


def _review_file(  # noqa: PLR0913 - the options of one file
    checked: CaseFile,
    reviewer: Reviewer,
    settings: Settings,
    *,
    out: Path | None,
    workers: int,
    show: Callable[[Case, str], None],
) -> None:
    from agent.review_file import review_file

    with progress_bar("Reviewing") as progress:
        lines = review_file(
            checked,
            reviewer=reviewer,
            journals=settings.home / "runs",
            workers=workers,
            on_progress=lambda done: progress(done, checked.cases),
        )
        _hand_out(checked, lines, out=out, show=show)


def _hand_out(
    checked: CaseFile, lines: Iterator[str], *, out: Path | None, show: Callable[[Case, str], None]
) -> None:
    """Write the verdicts to a file, or show each with its case."""
    from agent.reading_cases import read_cases
    from agent.review_file import write_whole

    if out is not None:
        write_whole(out, lines)
        return
    cases = read_cases(checked.path, max_text_chars=checked.max_text_chars)
    for (_, case), line in zip(cases, lines, strict=True):
        show(case, line)


def _batched(checked: CaseFile, reviewer: Reviewer, options: Options) -> Iterator[str]:
    """The verdicts of a file that is reviewed in batches; what happens is told on stderr."""
    from agent.review_batches import review_in_batches

    def tell(progress: Progress) -> None:
        waits = f", {progress.answered} of {progress.asked} answered" if progress.asked else ""
        told = f"pass {progress.number}: {progress.finished} of {progress.cases} cases{waits}"
        typer.echo(told, err=True)

    def done(outcome: BatchOutcome) -> None:
        tally = outcome.tally
        for note in tally.notes:
            typer.echo(f"note: {note}", err=True)
        typer.echo(
            f"{outcome.passes} passes, {tally.batches} batches, {tally.requests} requests, "
            f"{tally.failures} of them failed at least once",
            err=True,
        )

    return review_in_batches(
        checked,
        reviewer=reviewer,
        options=options.language,
        journals=options.home / "runs",
        tell=tell,
        done=done,
    )


def _print_line(_: Case, line: str) -> None:
    """A verdict as it stands in the file of verdicts."""
    typer.echo(line)


def _print_summary(_: Case, line: str) -> None:
    """One line for a person; the content stays out of it."""
    import json

    from agent.masking import printable

    verdict = json.loads(line)
    sections = ", ".join(v["section"] for v in verdict["violations"])
    told = sections or (verdict["abstain_reason"] or "").replace("_", " ")
    person = "  a person decides" if verdict["needs_human"] else ""
    typer.echo(
        f"{printable(verdict['case_id'])[:24]:24}  {verdict['decision']:9}  "
        f"{verdict['action']:8}  {told}{person}"
    )


def _view_printer(rulebook: Rulebook, *, reveal: bool) -> Callable[[Case, str], None]:
    """Bind what the full view needs."""
    from agent.masking import masked, printable
    from agent.verdict import Verdict
    from agent.view import render, terminal

    console = terminal()

    def show(case: Case, line: str) -> None:
        console.print((printable if reveal else masked)(case.text or f"account {case.account_id}"))
        console.print(render(Verdict.model_validate_json(line), case, rulebook, reveal=reveal))
        console.print()

    return show
