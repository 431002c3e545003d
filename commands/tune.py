"""Learn from golden runs what a confidence is worth, and where a cascade may stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.opening import read_settings
from commands.options import AsJson
from commands.output import print_json
from errors import InputError, UsageError, shown

if TYPE_CHECKING:
    from evals.estimate import Estimate

RunFolder = Annotated[Path, typer.Argument(help="A folder that `amicus eval run --out` wrote.")]


def confidence(run: RunFolder, *, as_json: AsJson = False) -> None:
    """Fit what a language model's confidence is worth, and use it from now on.

    Example: amicus eval confidence results/
    """
    from agent.llm.calibration import write_calibration
    from evals.confidence import fitted
    from evals.run import read_run

    judged = read_run(run)
    model = judged.manifest.model
    if ",confidence " in model:
        raise InputError(
            f"the confidence of this run was corrected already: {shown(model, 120)}",
            hint="delete confidence.json in AMICUS_HOME, and evaluate anew",
        )
    if ":" not in model.partition("@")[0] or model.startswith("cascade("):
        raise UsageError(
            f"{shown(model, 120)} is no language model", hint="embedded models are fitted when made"
        )
    line = fitted(judged.outcomes, model=model, golden=judged.manifest.golden)
    path = write_calibration(read_settings().home, line)
    if as_json:
        print_json(line.model_dump())
        return
    typer.echo(
        f"{model}: {line.cases} decided cases; calibration error {line.error_before:.3f} stated, "
        f"{line.error_after:.3f} corrected (on cases that did not fit the correction)"
    )
    for stated in (0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        typer.echo(f"  stated {stated:.2f} is worth {line.of(stated):.2f}")
    typer.echo(f"kept in {path}", err=True)


def cascade(
    first: Annotated[Path, typer.Argument(help="The run of the embedded model.")],
    second: Annotated[Path, typer.Argument(help="The run of the language model, same cases.")],
    *,
    max_lost: Annotated[
        float,
        typer.Option(
            "--max-lost",
            min=0.001,
            max=0.5,
            help="Most cases, as a share, that stopping early may get wrong.",
        ),
    ] = 0.02,
    as_json: AsJson = False,
) -> None:
    """Choose where --route cascade may stop at the embedded model, and use it from now on.

    Example: amicus eval cascade results/embedded results/gpt --max-lost 0.02
    """
    from dataclasses import asdict

    from agent.cascade import NEVER, CascadeLines, write_lines
    from evals.cascading import cascade_report, pairs_of
    from evals.run import read_run

    runs = [read_run(folder) for folder in (first, second)]
    manifests = [run.manifest for run in runs]
    for name in ("golden", "rulebook"):
        if getattr(manifests[0], name) != getattr(manifests[1], name):
            raise InputError(
                f"the two runs have another {name}", hint="evaluate both on the same file and rules"
            )
    for_people = frozenset(r.case_id for r in runs[0].records if r.verdict.needs_human)
    pairs = pairs_of(runs[0].outcomes, runs[1].outcomes, for_people=for_people)
    report = cascade_report(pairs, max_lost=max_lost)
    lines = CascadeLines(
        first=manifests[0].model,
        second=manifests[1].model,
        rulebook=manifests[0].rulebook,
        golden=manifests[0].golden,
        cases=len(pairs),
        violating=report.lines.violating,
        allowed=report.lines.allowed,
        saved=report.saved.value,
        quality={
            "right": report.right.value,
            "wrong": report.wrong.value,
            "wrongly_allowed": report.wrongly_allowed.value,
        },
    )
    path = write_lines(read_settings().home, lines)
    if as_json:
        print_json(asdict(report))
        return
    for name, line in (("violating", lines.violating), ("allowed", lines.allowed)):
        told = "never enough" if line >= NEVER else f"enough from a confidence of {line:.3f} on"
        typer.echo(f"{name}: {told}")
    typer.echo(f"language model not asked: {_told(report.saved)}")
    typer.echo("against asking it every time, on cases that did not choose the lines:")
    typer.echo(f"  decided right    {_told(report.right, signed=True)}")
    typer.echo(f"  decided wrong    {_told(report.wrong, signed=True)}")
    typer.echo(f"  wrongly allowed  {_told(report.wrongly_allowed, signed=True)} of the violating")
    typer.echo(f"kept in {path}", err=True)


def _told(estimate: Estimate, *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    low, high = format(estimate.low, form), format(estimate.high, form)
    return f"{format(estimate.value, form)} [{low}, {high}], n = {estimate.n}"
