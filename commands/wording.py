"""Test the wording of policies: compare, cover, gate, suggest, and trade with other forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.opening import Asked, options_for, read_settings
from commands.options import AsJson, Model
from commands.output import print_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.wording.comparison import WordingComparison
    from evals.wording.gate import Ruling
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


def compare(  # noqa: PLR0913 - one parameter for each option
    new: New,
    *,
    old: Old = None,
    golden: Golden = None,
    cases: Cases = None,
    accounts: Accounts = None,
    precedents: Precedents = None,
    model: Model = None,
    repeats: Repeats = 1,
    judge_all: JudgeAll = False,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
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
        accounts=accounts,
        precedents=precedents,
        judge_all=judge_all,
        repeats=repeats,
        workers=workers,
        limit=limit,
        seed=seed,
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
