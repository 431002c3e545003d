"""The commands: parse, call one function, print. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from errors import AmicusError, InputError, UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.case import Case
    from agent.review_file import CaseFile
    from agent.reviewer import Options, Reviewer
    from agent.verdict import Verdict
    from policies.rulebook import Rulebook
    from records.imports import ImportReport
    from records.store import Records
    from settings import Settings

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


class AmicusGroup(TyperGroup):
    """Commands whose foreseeable failures end in `error:` and `hint:` lines, not tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and translate what went wrong for a person."""
        try:
            return super().invoke(ctx)
        except AmicusError as error:
            complain(error.message, error.hint)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("interrupted", "nothing that was finished is lost; run the command again")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough; closing keeps Python from complaining.
            sys.stderr.close()
            raise typer.Exit(0) from None


def complain(message: str, hint: str) -> None:
    """Print the two lines of an error on stderr, one line each."""
    print("error: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201
    if hint:
        print("hint: " + " ".join(hint.split()), file=sys.stderr)  # noqa: T201


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(cls=AmicusGroup, no_args_is_help=True, rich_markup_mode=None, help=help_text)


app = typer.Typer(
    name="amicus",
    cls=AmicusGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A second opinion on content-moderation cases, every ground of it checked by code.",
)
policy_app = _group("Read, search and check a rulebook.")
accounts_app = _group("Bring your own accounts.")
urls_app = _group("Bring your own lists of malicious links.")
precedents_app = _group("Bring your own decided cases.")
ledger_app = _group("Prove what was decided.")
eval_app = _group("Measure how good the reviewer is.")
app.add_typer(policy_app, name="policy")
app.add_typer(accounts_app, name="accounts")
app.add_typer(urls_app, name="urls")
app.add_typer(precedents_app, name="precedents")
app.add_typer(ledger_app, name="ledger")
app.add_typer(eval_app, name="eval")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
Policies = Annotated[
    Path | None, typer.Option("--policies", help="Folder of another rulebook.", show_default=False)
]
Model = Annotated[str | None, typer.Option("--model", help="The reviewer model.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Load the good rows even if there are bad ones.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Write there instead of to stdout, whole or not at all."),
]


@app.command()
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
        int, typer.Option("--workers", min=1, max=64, help="Reviews side by side, with --file.")
    ] = 1,
) -> None:
    """Review one piece of content, an account, or a file of cases.

    Example: amicus review "Send me your password and I will double your coins"
    """
    settings = _settings()
    if file is not None:
        if text is not None or account is not None or mine is not None or blind:
            raise UsageError(
                "--file goes with neither a text nor --account, --mine or --blind",
                hint="put the account_id into the cases of the file",
            )
        from agent.review_file import check_case_file

        checked = check_case_file(file, max_text_chars=settings.max_text_chars)
        with _reviewer(settings, policies, model) as reviewer:
            show: Callable[[Case, str], None] = _print_line if as_json else _print_summary
            if full and not as_json:
                show = _view_printer(reviewer.desk.rulebook, reveal=reveal)
            _review_file(checked, reviewer, settings, out=out, workers=workers, show=show)
        return
    if out is not None and not as_json:
        raise UsageError("--out needs --json or --file", hint="add --json")
    case = _one_case(text, account, settings)
    with _reviewer(settings, policies, model) as reviewer:
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
        _print_json(verdict_data(verdict), out)
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
    from agent.reading_cases import read_cases
    from agent.review_file import review_file, write_whole

    with _progress("Reviewing") as progress:
        lines = review_file(
            checked,
            reviewer=reviewer,
            journals=settings.home / "runs",
            workers=workers,
            on_progress=lambda done: progress(done, checked.cases),
        )
        if out is not None:
            write_whole(out, lines)
            return
        cases = read_cases(checked.path, max_text_chars=checked.max_text_chars)
        for (_, case), line in zip(cases, lines, strict=True):
            show(case, line)


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


@app.command()
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

    settings = _settings()
    with _records(settings) as records:
        again = run_again(records, case_id)
        if as_json:
            _print_json(verdict_data(again.replayed), None)
        else:
            terminal().print(render(again.replayed, again.case, again.rulebook, reveal=reveal))
    if not again.same:
        raise InputError(
            f"record {again.entry.seq} gives another verdict than it holds",
            hint="another version of Amicus made it, or it was edited: amicus ledger verify",
        )
    typer.echo(f"record {again.entry.seq}: the same verdict, byte for byte", err=True)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Say what is configured, what works and what is missing.

    Example: amicus doctor
    """
    from agent.doctor import examine
    from agent.masking import printable

    settings = _settings()
    checks = examine(_options(settings, None, None), lookups=settings.url_lookup)
    if as_json:
        _print_json([vars(check) for check in checks], None)
    else:
        for check in checks:
            typer.echo(f"{check.state:8} {check.name:12} {printable(check.told)}")
            if check.hint:
                typer.echo(f"{'':22}{check.hint}")
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)


@policy_app.command("list")
def policy_list(*, policies: Policies = None, as_json: AsJson = False) -> None:
    """List the policies and their sections.

    Example: amicus policy list
    """
    from policies.listing import policy_data, severity_label
    from policies.reading import load_rulebook

    rulebook = load_rulebook(policies or _settings().policies)
    if as_json:
        _print_json([policy_data(policy) for policy in rulebook.policies], None)
        return
    for policy in rulebook.policies:
        brake = "  (a machine never closes these)" if policy.never_auto else ""
        typer.echo(f"{policy.id}  {policy.title}{brake}")
        for section in policy.sections:
            typer.echo(f"  {section.id:18} {section.title} ({severity_label(section)})")


@policy_app.command("show")
def policy_show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A policy or a section.")],
    *,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Show a policy or one of its sections, word for word.

    Example: amicus policy show hate.1
    """
    from policies.listing import policy_data, section_data, severity_label
    from policies.reading import load_rulebook

    rulebook = load_rulebook(policies or _settings().policies)
    policy, section = rulebook.policy(wanted), rulebook.section(wanted)
    if policy is not None and as_json:
        _print_json(policy_data(policy), None)
    elif policy is not None:
        typer.echo(rulebook.files[policy.file].rstrip())
    elif section is not None and as_json:
        _print_json(section_data(section), None)
    elif section is not None:
        typer.echo(f"{section.id} ({severity_label(section)})\n\n{section.text}")
    else:
        raise InputError(
            f"this rulebook has no policy or section {shown(wanted)}",
            hint="see them all with: amicus policy list",
        )


@policy_app.command("search")
def policy_search(
    words: Annotated[list[str], typer.Argument(help="What to look for, in plain words.")],
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="Most sections.")] = 5,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Find the sections that bear on a question.

    Example: amicus policy search "is paid praise allowed?"
    """
    from policies.reading import load_rulebook
    from retrieval.embedder import open_embedder
    from retrieval.index import open_policy_index
    from retrieval.index import search as search_index

    settings = _settings()
    rulebook = load_rulebook(policies or settings.policies)
    embedder = open_embedder(threads=settings.threads)
    index = open_policy_index(rulebook, embedder, settings.home)
    hits = search_index(index, " ".join(words), limit=limit)
    if as_json:
        _print_json(
            [{"section": h.section.id, "title": h.section.title, "score": h.score} for h in hits],
            None,
        )
        return
    for hit in hits:
        typer.echo(f"{hit.score:5.2f}  {hit.section.id:18} {hit.section.title}")
    if not hits:
        typer.echo("no section bears on that", err=True)


@policy_app.command("lint")
def policy_lint(*, policies: Policies = None, as_json: AsJson = False) -> None:
    """Check a rulebook as an editor would; exit code 1 if there are errors.

    Example: amicus policy lint --policies my-rules/
    """
    from policies.lint import lint

    findings = lint(policies or _settings().policies)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        _print_json([vars(finding) for finding in findings], None)
    else:
        for finding in findings:
            place = f"{finding.file}:{finding.line}"
            typer.echo(f"{finding.level}: {place}: {finding.message} [{finding.rule}]")
            typer.echo(f"  hint: {finding.hint}")
        typer.echo(f"{errors} errors, {len(findings) - errors} warnings", err=True)
    if errors:
        raise typer.Exit(1)


@accounts_app.command("import")
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

    with _records(_settings()) as records, _progress("Importing") as progress:
        report = import_accounts(records, file, skip_bad=skip_bad, progress=progress)
    _report(report, skip_bad=skip_bad, as_json=as_json)


@urls_app.command("import")
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

    with _records(_settings()) as records, _progress("Importing") as progress:
        report = import_urls(
            records, file, list_name=list_name or file.stem, skip_bad=skip_bad, progress=progress
        )
    _report(report, skip_bad=skip_bad, as_json=as_json)


@precedents_app.command("add")
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

    settings = _settings()
    rulebook = load_rulebook(policies or settings.policies)

    def version_of(section_id: str) -> str | None:
        section = rulebook.section(section_id)
        return section.version if section else None

    with _records(settings) as records:
        report = add_precedents(
            records, file, version_of=version_of, skip_bad=skip_bad, replace=replace
        )
    _report(report, skip_bad=skip_bad, as_json=as_json)


@ledger_app.command("verify")
def ledger_verify(*, as_json: AsJson = False) -> None:
    """Check the whole ledger: an edited, dropped, reordered or cut-off record is named.

    Example: amicus ledger verify
    """
    from dataclasses import asdict

    from records.ledger import verify

    with _records(_settings()) as records:
        report = verify(records)
    if as_json:
        _print_json(asdict(report), None)
    else:
        for fault in report.faults:
            typer.echo(f"{fault.kind}: {fault.message}")
        told = "intact" if not report.faults else f"{len(report.faults)} faults"
        typer.echo(f"{report.entries:,} records, {told}", err=True)
    if report.faults:
        raise typer.Exit(1)


@eval_app.command("run")
def eval_run(  # noqa: PLR0913 - one parameter for each option of the contract
    golden: Annotated[Path, typer.Option("--golden", help="A JSONL file of golden cases.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")],
    *,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", help="The accounts that the golden cases name.")
    ] = None,
    precedents: Annotated[
        Path | None, typer.Option("--precedents", help="Decided cases that the reviewer may see.")
    ] = None,
    model: Model = None,
    policies: Policies = None,
    by: Annotated[str, typer.Option("--by", help="The slice to show beside the whole.")] = "policy",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Most cases.")] = None,
    as_json: AsJson = False,
) -> None:
    """Review golden cases and say how many were decided right, wrongly removed, wrongly allowed.

    The run has records of its own: nothing of it enters yours.

    Example: amicus eval run --golden evals/sets/golden.jsonl --out results/
    """
    from evals.golden import read_golden
    from evals.run import metrics_data, run
    from evals.scratch import scratch_reviewer
    from evals.table import table

    settings = _settings()
    options = _options(settings, policies, model)
    with scratch_reviewer(options, accounts=accounts, precedents=precedents) as reviewer:
        cases = read_golden(golden, reviewer.desk.rulebook, max_text_chars=settings.max_text_chars)[
            :limit
        ]
        with _progress("Reviewing") as progress:
            metrics = run(cases, lambda asked: _reviewed(reviewer, asked, progress), out)
    if as_json:
        _print_json(metrics_data(metrics), None)
    else:
        typer.echo(table(metrics, by=by))


def _reviewed(reviewer: Reviewer, cases: Sequence[Case], progress: Any) -> Iterator[Verdict]:
    for done, case in enumerate(cases, start=1):
        yield reviewer.review(case)
        progress(done, len(cases))


@ledger_app.command("anchor")
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
    with _records(_settings()) as records:
        anchor_anew(records)


def _report(report: ImportReport, *, skip_bad: bool, as_json: bool) -> None:
    """Say what an import did; bad rows that were not skipped are an error."""
    from dataclasses import asdict

    if as_json:
        _print_json(asdict(report), None)
    for bad in report.bad:
        typer.echo(f"line {bad.line}: {bad.message}", err=True)
    if report.bad and not skip_bad:
        raise InputError(
            f"{report.bad_rows:,} bad rows, nothing was loaded",
            hint="correct them, or load the others with --skip-bad",
        )
    if not as_json:
        typer.echo(f"{report.new} new, {report.changed} changed, {report.unchanged} unchanged")


def _settings() -> Settings:
    from settings import load_settings

    return load_settings()


def _options(settings: Settings, policies: Path | None, model: str | None) -> Options:
    from agent.reviewer import Options
    from agent.state import Limits
    from tools.links.lookup import open_lookups

    key = settings.ledger_key
    return Options(
        home=settings.home,
        records_url=settings.records_url,
        model=model or settings.model,
        policies=policies or settings.policies,
        threads=settings.threads,
        ledger_key=key.get_secret_value() if key else None,
        limits=Limits(tool_calls=settings.max_tool_calls, tool_seconds=settings.tool_seconds),
        lookups=open_lookups(settings),
    )


def _reviewer(settings: Settings, policies: Path | None, model: str | None) -> Reviewer:
    from agent.reviewer import open_reviewer

    return open_reviewer(_options(settings, policies, model))


def _records(settings: Settings) -> Records:
    from records.store import open_records

    key = settings.ledger_key
    return open_records(
        settings.records_url,
        home=settings.home,
        ledger_key=key.get_secret_value() if key else None,
    )


def _print_json(value: object, out: Path | None) -> None:
    import json

    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    if out is None:
        typer.echo(text)
    else:
        from agent.review_file import write_whole

        write_whole(out, iter([text]))


@contextmanager
def _progress(title: str) -> Iterator[Any]:
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
