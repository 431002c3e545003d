"""Measure how good the reviewer is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.group import group
from commands.opening import options_for, read_settings
from commands.options import AsJson, Model, Policies
from commands.output import print_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.case import Case
    from agent.reviewer import Reviewer
    from agent.verdict import Verdict

app = group("Measure how good the reviewer is.")


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

    settings = read_settings()
    options = options_for(settings, policies, model)
    with scratch_reviewer(options, accounts=accounts, precedents=precedents) as reviewer:
        cases = read_golden(golden, reviewer.desk.rulebook, max_text_chars=settings.max_text_chars)[
            :limit
        ]
        with progress_bar("Reviewing") as progress:
            metrics = run(cases, lambda asked: _reviewed(reviewer, asked, progress), out)
    if as_json:
        print_json(metrics_data(metrics), None)
    else:
        typer.echo(table(metrics, by=by))


def _reviewed(reviewer: Reviewer, cases: Sequence[Case], progress: Any) -> Iterator[Verdict]:
    for done, case in enumerate(cases, start=1):
        yield reviewer.review(case)
        progress(done, len(cases))
