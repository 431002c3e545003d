"""Make drafts of policies: let a model suggest one, and trade with other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.opening import Asked, options_for, read_settings
from commands.options import AsJson, Model, Out, Policies
from commands.output import print_json, progress_bar
from errors import InputError, shown

Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help="Reviews side by side.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Most cases; drawn by the seed.")]
Seed = Annotated[int, typer.Option("--seed", help="Of everything that is drawn.")]


def suggest(  # noqa: PLR0913 - one parameter for each option
    section: Annotated[str, typer.Argument(help="The section, such as hate.2.")],
    aim: Annotated[str, typer.Option("--aim", help="What the new wording is meant to fix.")],
    golden: Annotated[Path, typer.Option("--golden", help="A JSONL file of golden cases.")],
    *,
    sentence: Annotated[
        str, typer.Option("--sentence", help="The sentence, word for word; else the first.")
    ] = "",
    policies: Policies = None,
    model: Model = None,
    workers: Workers = 1,
    limit: Limit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the policy with the suggestion there.")
    ] = None,
) -> None:
    """Let a language model propose another wording of a sentence, and try it before it is shown.

    Nothing is changed: a person decides. Needs a language model.

    Example: amicus policy suggest hate.2 --aim "spare debates on visa law" --golden golden.jsonl
    """
    import secrets

    from agent.llm.opening import open_language_model
    from agent.llm.options import is_language_model
    from agent.review_file import write_whole
    from agent.view import terminal
    from evals.golden import drawn, read_golden
    from evals.wording.comparison import Plan, comparison_data
    from evals.wording.judging import Pace
    from evals.wording.suggest import Wish, check_can_suggest, tried
    from evals.wording.suggest import suggest as suggestion_for
    from evals.wording.told import render_wording
    from policies.reading import load_rulebook

    settings = read_settings()
    name = model or settings.model
    check_can_suggest(name, is_language_model=is_language_model(name))
    rulebook = load_rulebook(policies or settings.policies)
    cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
    cases = drawn(cases, limit, seed=seed)
    options = options_for(settings, policies, name, Asked(run=f"policy suggest {section}"))
    asked, closing = open_language_model(name, options.language, rulebook, home=options.home)
    try:
        wish = Wish(section, aim, sentence)
        found = suggestion_for(wish, rulebook, asked.line, lambda: secrets.token_hex(8))
    finally:
        for close in closing:
            close()
    with progress_bar("Judging") as tell:
        told = tried(found, rulebook, cases, options, Plan(Pace(1, workers, tell), seed=seed))
    if as_json:
        words = {"sentence": found.sentence, "instead": found.instead, "fixes": found.fixes}
        print_json({"section": section, **words, "comparison": comparison_data(told)})
    else:
        typer.echo(f"Now:      {found.sentence}\nInstead:  {found.instead}\n{found.fixes}\n")
        terminal().print(render_wording(told))
    own = found.rulebook.policy(section.partition(".")[0])
    if out is not None and own is not None:
        write_whole(out, iter([found.rulebook.files[own.file].rstrip()]))


def policy_import(
    file: Annotated[Path, typer.Argument(help="A policy in another form: Markdown or text.")],
    *,
    policy_id: Annotated[str, typer.Option("--id", help="The id that it gets, such as spam.")],
    out: Annotated[Path, typer.Option("--out", help="The policy file to write.")],
) -> None:
    """Read a policy in the form of gpt-oss-safeguard, or guidelines, and say what was lost.

    Example: amicus policy import their-policy.md --id spam --out draft/spam.md
    """
    from agent.review_file import write_whole
    from evals.wording.importing import read_foreign

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {error}", hint="name a text file in UTF-8") from None
    read = read_foreign(text, policy_id)
    write_whole(out, iter([read.text.rstrip()]))
    for note in read.lost:
        typer.echo(note, err=True)


def policy_export(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A policy, such as hate.")],
    *,
    form: Annotated[
        Literal["safeguard", "markdown"],
        typer.Option("--form", help="Coded labels for gpt-oss-safeguard, or plain guidelines."),
    ] = "safeguard",
    policies: Policies = None,
    out: Out = None,
) -> None:
    """Write a policy in the form that others read, and say what of it does not fit in there.

    Example: amicus policy export hate --form safeguard --out hate-safeguard.md
    """
    from agent.review_file import write_whole
    from evals.wording.export import plain_text, safeguard_text
    from policies.reading import load_rulebook

    policy = load_rulebook(policies or read_settings().policies).policy(wanted)
    if policy is None:
        raise InputError(
            f"this rulebook has no policy {shown(wanted)}",
            hint="see them all with: amicus policy list",
        )
    written = safeguard_text(policy) if form == "safeguard" else plain_text(policy)
    if out is None:
        typer.echo(written.text.rstrip())
    else:
        write_whole(out, iter([written.text.rstrip()]))
    for lost in written.lost:
        typer.echo(f"left out: {lost}", err=True)
