"""Measure how good the reviewer is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.group import group
from commands.opening import Asked, options_for, read_settings
from commands.options import AsJson, Budget, Model, Policies, Route, Samples
from commands.output import print_json

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
    samples: Samples = None,
    route: Route = "straight",
    budget: Budget = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start anew: forget an earlier run and answers paid for."),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Ask again where the model failed or money ran out."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Review golden cases and say how many were decided right, wrongly removed, wrongly allowed.

    The run has records of its own: nothing of it enters yours. Interrupted, the same command goes
    on where it stopped; finished, it changes nothing.

    Example: amicus eval run --golden evals/sets/golden.jsonl --out results/
    """
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

    settings = read_settings()
    asking = Asked(
        samples=samples, cascade=route == "cascade", fresh=fresh, run=f"eval {out.resolve()}"
    )
    options = options_for(settings, policies, model, asking)
    with scratch_reviewer(options, accounts=accounts, precedents=precedents) as reviewer:
        rulebook = reviewer.desk.rulebook
        cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
        cases = drawn(cases, limit, seed=seed)
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
            f"{failed} cases ended because the model failed or money ran out; they count as "
            "abstentions. To ask them again: --retry-failed",
            err=True,
        )
