"""Measure with other people's sets, against attackers, and with a judge.

`register` puts these commands beside `run` in the group `eval`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.opening import options_for, read_settings
from commands.options import AsJson, Model, Policies
from commands.output import print_json, progress_bar

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Most cases; drawn by the seed.")]
Seed = Annotated[int, typer.Option("--seed", help="Of everything that is drawn.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this file into the group `app`."""
    app.command("import")(eval_import)
    app.command("attack")(eval_attack)
    app.command("judge")(eval_judge)


def eval_import(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[Path, typer.Argument(help="A CSV, TSV or JSONL file of labelled content.")],
    *,
    mapping: Annotated[
        str, typer.Option("--map", help="A shipped map, such as hatecheck, or a TOML file.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The golden file to write.")],
    unknown_is_no: Annotated[
        bool, typer.Option("--unknown-is-no", help="Take a label that nobody gave as a no.")
    ] = False,
    limit: Limit = None,
    seed: Seed = 0,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Read a public set as golden cases, and say what its labels lose on the way.

    The maps are: civil_comments, hatecheck, identity_templates, norm_violations,
    openai_moderation, toxicchat, xstest. For another set, copy one and change its columns. What is
    lost is written beside the cases too, to OUT.import.json.

    Example: amicus eval import test_suite_cases.csv --map hatecheck --out hatecheck.jsonl
    """
    from evals.importing.mapping import read_map
    from evals.importing.run import import_set, losses
    from policies.reading import load_rulebook

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    read, map_hash = read_map(mapping, rulebook)
    if unknown_is_no:
        read = read.model_copy(update={"unknown": "no"})
    report = import_set(
        file,
        out,
        mapping=read,
        map_hash=map_hash,
        rulebook=rulebook,
        limit=limit,
        seed=seed,
        longest=settings.max_text_chars,
    )
    for line in losses(report):
        typer.echo(line, err=True)
    if as_json:
        print_json(report)


def eval_attack(  # noqa: PLR0913 - one parameter for each option
    golden: Annotated[Path, typer.Option("--golden", help="A JSONL file of golden cases.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")],
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=2, help="Most cases, half of each side; by the seed.")
    ] = 100,
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, help="About how many attempts to make in all.")
    ] = 600,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Reviews side by side.")] = 1,
    model: Model = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Hide words and slip orders to the reviewer, and count what gets through.

    Every disguise is tried with every injection, on violating cases and on harmless ones: what was
    seen before and is allowed now, and what harmless is called violating. What got through lies in
    OUT/examples.jsonl, with its text.

    Example: amicus eval attack --golden evals/sets/golden.jsonl --out attack/
    """
    from evals.attack.attempts import Force, attack, chosen
    from evals.attack.report import attack_table, write_siege
    from evals.attack.transforms import every_transform, templates_hash
    from evals.golden import read_golden
    from evals.scratch import scratch_reviewer

    settings = read_settings()
    options = options_for(settings, policies, model)
    with scratch_reviewer(options) as reviewer:
        rulebook = reviewer.desk.rulebook
        cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
        cases = chosen(cases, limit, seed=seed)
        force = Force(seed=seed, most=attempts, workers=workers)
        with progress_bar("Attacking") as progress:
            siege = attack(cases, every_transform(), reviewer.review, force, progress)
        about = {
            "model": reviewer.model_name,
            "rulebook": rulebook.id,
            "golden": golden.name,
            "injections": templates_hash(),
            "seed": seed,
        }
    report = write_siege(siege, out, about)
    if as_json:
        print_json(report)
    else:
        typer.echo(attack_table(siege))


def eval_judge(  # noqa: PLR0913 - one parameter for each option
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    *,
    model: Annotated[
        str, typer.Option("--model", help="The judge, such as openai:MODEL; none lets code check.")
    ] = "none",
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Marks that people gave: case_id and a mark a criterion."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write verdicts for people to mark to this file, and stop."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder for the results; RUN/judge if not.")
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=25, help="How often each verdict is judged.")
    ] = 1,
    planted: Annotated[
        int, typer.Option("--planted", min=0, help="Spoil so many verdicts: does the judge notice?")
    ] = 0,
    limit: Limit = 50,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Questions side by side.")] = 4,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Say how good the words of a run's verdicts are: rationale, citations, completeness.

    Code checks what it can, and says what it cannot. A judge model gives marks by the rubric, in
    both orders; without marks of people beside them (--labels) they are shown as unproven. To have
    people mark: --sheet writes what they need, and --labels reads it when it is filled in.

    Example: amicus eval judge results/ --model openai:gpt-5-mini --labels marked.jsonl
    """
    from evals.judge.assess import Asked, assess, marking_sheet
    from evals.judge.report import assessment_table, write_assessment
    from policies.reading import load_rulebook

    settings = read_settings()
    options = options_for(settings, policies, None)
    asked = Asked(model, labels, samples, limit, seed, workers, planted)
    if sheet is not None:
        written = marking_sheet(run, sheet, asked)
        typer.echo(f"{written} verdicts to mark, from 1 to 5: {sheet}", err=True)
        return
    with progress_bar("Judging") as progress:
        found = assess(
            run,
            load_rulebook(options.policies),
            asked,
            language=options.language,
            home=options.home,
            on_progress=progress,
        )
    data = write_assessment(found, out or run / "judge")
    if as_json:
        print_json(data)
    else:
        typer.echo(assessment_table(found))
    if found.judges_itself:
        typer.echo("the judge and the reviewer are the same model: ask another one", err=True)
