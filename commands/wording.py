"""Test the wording of policies: compare, gate, cover, and find what is ambiguous."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import wording_drafts as drafts
from commands.opening import Asked, options_for, read_settings
from commands.options import AsJson, Model, Policies
from commands.output import print_json, progress_bar
from errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.verdict import Verdict
    from evals.golden import GoldenCase
    from evals.wording.comparison import WordingComparison
    from evals.wording.gate import Ruling
    from policies.rulebook import Rulebook
    from settings import Settings

Old = Annotated[
    str | None,
    typer.Option("--old", help="The wording before: folder, git revision or file; else as set."),
]
New = Annotated[
    str, typer.Option("--new", help="The wording after: a folder, a git revision or one file.")
]
Golden = Annotated[Path | None, typer.Option("--golden", help="A JSONL file of golden cases.")]
Cases = Annotated[
    Path | None, typer.Option("--cases", help="A JSONL file of past cases without answers.")
]
Report = Annotated[
    Path | None,
    typer.Option("--out", help="Write there: .html a page, .md for a pull request, else JSON."),
]
Accounts = Annotated[
    Path | None, typer.Option("--accounts", help="The accounts that the cases name.")
]
Precedents = Annotated[
    Path | None, typer.Option("--precedents", help="Decided cases that the reviewer may see.")
]
Repeats = Annotated[
    int,
    typer.Option(
        "--repeats", min=1, max=20, help="Judge so often, to know the noise of the model."
    ),
]
JudgeAll = Annotated[
    bool, typer.Option("--all", help="Judge every case twice, also those the edit cannot touch.")
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Reviews side by side.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Most cases; drawn by the seed.")]
Seed = Annotated[int, typer.Option("--seed", help="Of everything that is drawn.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this file into the group `app`."""
    app.command("compare")(compare)
    app.command("gate")(gate)
    app.command("coverage")(coverage)
    app.command("ambiguity")(ambiguity)
    app.command("suggest")(drafts.suggest)
    app.command("import")(drafts.policy_import)
    app.command("export")(drafts.policy_export)


def compare(  # noqa: PLR0913 - one parameter for each option
    new: New,
    *,
    old: Old = None,
    golden: Golden = None,
    cases: Cases = None,
    docket: Annotated[
        datetime | None,
        typer.Option("--docket", formats=["%Y-%m-%d"], help="The docket's cases since this day."),
    ] = None,
    accounts: Accounts = None,
    precedents: Precedents = None,
    model: Model = None,
    repeats: Repeats = 1,
    judge_all: JudgeAll = False,
    stop_early: Annotated[
        bool, typer.Option("--stop-early", help="Stop once it is clear which one is right more.")
    ] = False,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    per_day: Annotated[
        float | None, typer.Option("--per-day", min=0, help="Cases a day, to say what it means.")
    ] = None,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0, help="What a person needs for a case.")
    ] = 3.0,
    out: Report = None,
) -> None:
    """Show what a new wording changes: which verdicts flip, which way, and whether that is real.

    Both wordings judge the same cases with everything else held fixed. Cases that the edit cannot
    touch are left out; a sample of them proves it. Nothing enters your records.

    Example: amicus policy compare --old policies/ --new draft/ --golden evals/sets/golden.jsonl
    """
    from evals.wording.request import Request, carry_out

    settings = read_settings()
    request = Request(
        new=new,
        old=old or _in_use(settings),
        golden=golden,
        cases=cases,
        docket_since=docket,
        accounts=accounts,
        precedents=precedents,
        judge_all=judge_all,
        stop_early=stop_early,
        repeats=repeats,
        workers=workers,
        limit=limit,
        seed=seed,
        per_day=per_day,
        minutes=minutes,
        max_text_chars=settings.max_text_chars,
    )
    asking = Asked(fresh=repeats > 1, run=f"policy compare {new}")
    with progress_bar("Judging") as tell:
        told = carry_out(request, options_for(settings, None, model, asking), tell)
    _show(told, out, as_json=as_json)


def _in_use(settings: Settings) -> str | None:
    return str(settings.policies) if settings.policies else None


def _show(told: WordingComparison, out: Path | None, *, as_json: bool) -> None:
    """Print a comparison, or write it in the form that the name of the file asks for."""
    from agent.view import terminal
    from evals.wording.comparison import comparison_data
    from evals.wording.told import render_wording

    if out is not None:
        _write(told, out)
    if as_json:
        print_json(comparison_data(told))
    elif out is None:
        terminal().print(render_wording(told))


def _write(told: WordingComparison, out: Path, found: Sequence[Ruling] = ()) -> None:
    from agent.review_file import write_whole
    from evals.wording.comparison import comparison_data
    from evals.wording.markdown import markdown
    from evals.wording.page import page

    if out.suffix == ".html":
        write_whole(out, iter([page(told)]))
    elif out.suffix == ".md":
        write_whole(out, iter([markdown(told, found)]))
    else:
        print_json(comparison_data(told), out)


def gate(  # noqa: PLR0913 - one parameter for each option
    new: New,
    *,
    old: Old = None,
    golden: Golden = None,
    accounts: Accounts = None,
    precedents: Precedents = None,
    model: Model = None,
    max_broken: Annotated[
        int | None, typer.Option("--max-broken", min=0, help="Most cases decided wrongly now.")
    ] = None,
    max_flips: Annotated[
        int | None, typer.Option("--max-flips", min=0, help="Most verdicts that may change.")
    ] = None,
    max_false_removal_rise: Annotated[
        float | None,
        typer.Option(
            "--max-false-removal-rise", help="Most rise of wrong removals; the upper bound counts."
        ),
    ] = None,
    max_miss_rise: Annotated[
        float | None,
        typer.Option("--max-miss-rise", help="Most rise of missed violations; the upper bound."),
    ] = None,
    repeats: Repeats = 1,
    judge_all: JudgeAll = False,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    out: Report = None,
) -> None:
    """Exit with 3 unless a draft keeps every limit that is set: for a pipeline.

    Example: amicus policy gate --old main --new policies/ --golden golden.jsonl --max-broken 0
    """
    from dataclasses import asdict

    from evals.wording.comparison import comparison_data
    from evals.wording.gate import Limits, hold, rulings
    from evals.wording.request import Request, carry_out

    settings = read_settings()
    request = Request(
        new=new,
        old=old or _in_use(settings),
        golden=golden,
        accounts=accounts,
        precedents=precedents,
        judge_all=judge_all,
        repeats=repeats,
        workers=workers,
        limit=limit,
        seed=seed,
        max_text_chars=settings.max_text_chars,
    )
    limits = Limits(max_broken, max_false_removal_rise, max_miss_rise, max_flips)
    asking = Asked(fresh=repeats > 1, run=f"policy gate {new}")
    with progress_bar("Judging") as tell:
        told = carry_out(request, options_for(settings, None, model, asking), tell)
    found = rulings(told, limits)
    if out is not None:
        _write(told, out, found)
    if as_json:
        print_json(comparison_data(told) | {"gate": [asdict(one) for one in found]})
    else:
        for one in found:
            typer.echo(f"{'holds' if one.holds else 'BROKEN':7} {one.limit}: {one.told}")
    hold(found)


def coverage(  # noqa: PLR0913 - one parameter for each option
    golden: Annotated[Path, typer.Option("--golden", help="A JSONL file of golden cases.")],
    *,
    run: Annotated[
        Path | None, typer.Option("--run", help="Take the verdicts of a finished `eval run`.")
    ] = None,
    policies: Policies = None,
    accounts: Accounts = None,
    precedents: Precedents = None,
    model: Model = None,
    least: Annotated[
        float | None,
        typer.Option("--min", min=0, max=1, help="Exit with 3 if fewer sections are covered."),
    ] = None,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Show which sections no case exercises, which cases no section settles, what to write next.

    Example: amicus policy coverage --golden evals/sets/golden.jsonl
    """
    from evals.golden import drawn, read_golden
    from evals.scratch import scratch_reviewer
    from evals.wording.coverage import coverage as cover
    from evals.wording.coverage import coverage_data, coverage_in_words, hold_coverage
    from evals.wording.judging import Pace, verdicts_of
    from policies.reading import load_rulebook

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
    if run is not None:
        told = cover(rulebook, *_judged_before(run, cases, rulebook))
    else:
        cases = drawn(cases, limit, seed=seed)
        options = options_for(settings, policies, model)
        scratch = scratch_reviewer(options, accounts=accounts, precedents=precedents)
        with scratch as reviewer, progress_bar("Reviewing") as tell:
            pace = Pace(workers=workers, on_progress=tell)
            verdicts = verdicts_of(reviewer, [one.case for one in cases], pace)
        told = cover(rulebook, cases, verdicts)
    if as_json:
        print_json(coverage_data(told))
    else:
        typer.echo("\n".join(coverage_in_words(told)))
    hold_coverage(told, least)


def _judged_before(
    run: Path, cases: Sequence[GoldenCase], rulebook: Rulebook
) -> tuple[list[GoldenCase], list[Verdict]]:
    """The cases that a finished run has judged under these rules, with their verdicts."""
    from evals.run import read_run

    there = read_run(run)
    if there.manifest.rulebook != rulebook.id:
        raise InputError(
            f"{run} was judged under another rulebook", hint="name the same one with --policies"
        )
    kept = {record.case_id: record.verdict for record in there.records}
    own = [one for one in cases if one.case.id in kept]
    if not own:
        raise InputError(f"{run} holds none of these cases", hint="name the golden set of that run")
    return own, [kept[one.case.id] for one in own]


def ambiguity(  # noqa: PLR0913 - one parameter for each option
    golden: Annotated[Path, typer.Option("--golden", help="A JSONL file of golden cases.")],
    *,
    policies: Policies = None,
    model: Model = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=2, max=20, help="Rounds of judging.")
    ] = 3,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """List the sentences of the policy on which the same case is judged both ways.

    Example: amicus policy ambiguity --golden evals/sets/golden.jsonl --limit 200
    """
    from evals.golden import drawn, read_golden
    from evals.wording.ambiguity import ambiguity as ambiguity_of
    from evals.wording.ambiguity import (
        ambiguity_data,
        ambiguity_in_words,
        judge_in_rounds,
    )
    from evals.wording.judging import Pace
    from evals.wording.side_by_side import side_by_side
    from evals.wording.texts import Wording, Wordings
    from policies.reading import load_rulebook

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
    chosen = [one.case for one in drawn(cases, limit, seed=seed)]
    same = Wordings(Wording("in use", rulebook), Wording("in use", rulebook))
    options = options_for(settings, policies, model, Asked(fresh=True, run="policy ambiguity"))
    with side_by_side(options, same) as sides, progress_bar("Judging") as tell:
        rounds = judge_in_rounds(chosen, sides, rulebook, Pace(repeats, workers, tell))
    told = ambiguity_of(rounds, rulebook)
    if as_json:
        print_json(ambiguity_data(told))
    else:
        typer.echo("\n".join(ambiguity_in_words(told)))
