"""Measure how good the reviewer is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.group import group
from commands.opening import Asked, options_for, read_settings
from commands.options import AsJson, Budget, Model, Out, Policies, Route, Samples
from commands.output import print_json
from errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.golden import GoldenCase

app = group("Measure how good the reviewer is.")

Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Reviews side by side.")]


@app.command("run")
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
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Most cases; drawn by the seed.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw of --limit.")] = 0,
    workers: Workers = 1,
    swaps: Annotated[
        bool,
        typer.Option("--swaps", help="Review the cases with other groups and dialects in them."),
    ] = False,
    name_groups: Annotated[
        bool,
        typer.Option("--name-groups", help="Note whom a case names, where the set does not say."),
    ] = False,
    samples: Samples = None,
    route: Route = "straight",
    budget: Budget = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start anew: forget an earlier run and answers paid for."),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Ask again where the model failed or a budget ended."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Review golden cases and say how many were decided right, wrongly removed, wrongly allowed.

    The run has records of its own: nothing of it enters yours. Interrupted, the same command goes
    on where it stopped; finished, it changes nothing.

    Example: amicus eval run --golden evals/sets/golden.jsonl --out results/
    """
    from evals.fairness.naming import with_groups
    from evals.golden import drawn, read_golden
    from evals.run import (
        Pace,
        has_failed,
        manifest_for,
        metrics_data,
        read_run,
        remove_run,
        run,
        watched,
    )
    from evals.run.manifest import file_id
    from evals.run.telling import telling_progress
    from evals.scratch import scratch_reviewer
    from evals.table import table
    from policies.reading import load_rulebook

    settings = read_settings()
    asking = Asked(
        samples=samples, cascade=route == "cascade", fresh=fresh, run=f"eval {out.resolve()}"
    )
    options = options_for(settings, policies, model, asking)
    rulebook = load_rulebook(options.policies)
    cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
    cases = drawn(cases, limit, seed=seed)
    if name_groups:
        cases = with_groups(cases)
    if swaps:
        cases = _swapped(cases, golden)
    with scratch_reviewer(options, accounts=accounts, precedents=precedents) as reviewer:
        given = {"accounts": file_id(accounts), "precedents": file_id(precedents)}
        made_of = manifest_for(cases, reviewer, seed=seed, options=given)
        if fresh:
            remove_run(out)
        with telling_progress("Reviewing") as tell:
            pace = Pace(workers, budget, retry_failed, tell)
            metrics = run(cases, watched(reviewer), out, made_of, pace)
    if as_json:
        print_json(metrics_data(metrics))
    else:
        typer.echo(table(metrics, by=by))
    if failed := sum(map(has_failed, read_run(out).records)):
        typer.echo(
            f"{failed} cases ended because the model failed or a budget (money, tools, time) was "
            "spent; they count as abstentions. To ask them again: --retry-failed",
            err=True,
        )


def _swapped(cases: Sequence[GoldenCase], golden: Path) -> list[GoldenCase]:
    from evals.fairness.swaps import with_swaps

    swapped = with_swaps(cases)
    if not swapped:
        raise InputError(
            f"{golden}: no case names a group that could be swapped for another",
            hint="the words are those of evals/fairness/terms.toml; leave out --swaps",
        )
    return swapped


RunFolder = Annotated[Path, typer.Argument(help="The folder of a finished run.")]


@app.command("report")
def eval_report(
    run: RunFolder,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write one HTML page there, to read and to share.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="The slice to show beside the whole.")] = "policy",
    as_json: AsJson = False,
) -> None:
    """Show a run: figures with intervals, who pays for the mistakes, every case on a page.

    Example: amicus eval report results/ --out report.html
    """
    from agent.review_file import write_whole
    from agent.view import terminal
    from evals.fairness.told import fairness_data
    from evals.report.page import page
    from evals.report.terminal import render_run
    from evals.run import metrics_data, read_metrics, read_run
    from evals.run.details import details

    there, metrics = read_run(run), read_metrics(run)
    if out is not None:
        write_whole(out, iter([page(there, metrics)]))
        typer.echo(f"{out}: {len(there.records):,} cases", err=True)
    if as_json:
        made = {"manifest": there.manifest.model_dump(mode="json")}
        more = {"details": details(there.outcomes), "fairness": fairness_data(there.outcomes)}
        print_json(made | metrics_data(metrics) | more)
    elif out is None:
        terminal().print(render_run(there, metrics, by=by))


@app.command("compare")
def eval_compare(
    old: Annotated[Path, typer.Argument(help="The folder of the run before.")],
    new: Annotated[Path, typer.Argument(help="The folder of the run after.")],
    *,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same cases: what flipped, and whether it is more than chance.

    Example: amicus eval compare before/ after/
    """
    from agent.view import terminal
    from evals.compare import compare, comparison_data
    from evals.compare.told import render_comparison
    from evals.run import read_run

    told = compare(read_run(old).records, read_run(new).records)
    if as_json:
        print_json(comparison_data(told), out)
    else:
        terminal().print(render_comparison(told, (old.name, new.name)))


@app.command("gate")
def eval_gate(
    run: RunFolder,
    *,
    least: Annotated[
        list[str] | None,
        typer.Option("--min", help="METRIC=NUMBER or METRIC:SLICE=NUMBER; its lower bound."),
    ] = None,
    most: Annotated[
        list[str] | None, typer.Option("--max", help="The same for its upper bound.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Exit with 3 unless the pessimistic end of every interval keeps what is required.

    Example: amicus eval gate results/ --min recall:hate=.9 --max false_positive_rate=.05
    """
    from evals.gate import hold, requirement, rule, ruling_data
    from evals.run import read_metrics

    wanted = [requirement("min", text) for text in least or ()]
    wanted += [requirement("max", text) for text in most or ()]
    if not wanted:
        raise UsageError(
            "nothing is required", hint="add --min METRIC=NUMBER or --max METRIC=NUMBER"
        )
    metrics = read_metrics(run)
    rulings = [rule(metrics, one) for one in wanted]
    if as_json:
        print_json([ruling_data(one) for one in rulings])
    else:
        for one in rulings:
            typer.echo(f"{'holds' if one.holds else 'BROKEN':7} {one.requirement}: {one.told}")
    hold(rulings)


@app.command("online")
def eval_online(
    export: Annotated[Path, typer.Option("--export", help="A JSONL export of the docket.")],
    *,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", formats=["%Y-%m-%d"], help="Drift from this day on; else of the last week."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure decisions in use: agreement, overturns, audited mistakes by day, and drift.

    Example: amicus eval online --export decided.jsonl
    """
    from agent.view import terminal
    from evals.online.decided import read_decided
    from evals.online.told import online, online_data, render_online

    told = online(read_decided(export), since.date() if since else None)
    if as_json:
        print_json(online_data(told))
    else:
        terminal().print(render_online(told))
