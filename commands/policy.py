"""Read, search and check a rulebook."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.group import group
from commands.opening import read_settings
from commands.options import AsJson, Policies
from commands.output import print_json
from errors import InputError, shown

app = group("Read, search and check a rulebook.")


@app.command("list")
def policy_list(*, policies: Policies = None, as_json: AsJson = False) -> None:
    """List the policies and their sections.

    Example: amicus policy list
    """
    from policies.listing import policy_data, severity_label
    from policies.reading import load_rulebook

    rulebook = load_rulebook(policies or read_settings().policies)
    if as_json:
        print_json([policy_data(policy) for policy in rulebook.policies], None)
        return
    for policy in rulebook.policies:
        brake = "  (a machine never closes these)" if policy.never_auto else ""
        typer.echo(f"{policy.id}  {policy.title}{brake}")
        for section in policy.sections:
            typer.echo(f"  {section.id:18} {section.title} ({severity_label(section)})")


@app.command("show")
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

    rulebook = load_rulebook(policies or read_settings().policies)
    policy, section = rulebook.policy(wanted), rulebook.section(wanted)
    if policy is not None and as_json:
        print_json(policy_data(policy), None)
    elif policy is not None:
        typer.echo(rulebook.files[policy.file].rstrip())
    elif section is not None and as_json:
        print_json(section_data(section), None)
    elif section is not None:
        typer.echo(f"{section.id} ({severity_label(section)})\n\n{section.text}")
    else:
        raise InputError(
            f"this rulebook has no policy or section {shown(wanted)}",
            hint="see them all with: amicus policy list",
        )


@app.command("search")
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

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    embedder = open_embedder(threads=settings.threads)
    index = open_policy_index(rulebook, embedder, settings.home)
    hits = search_index(index, " ".join(words), limit=limit)
    if as_json:
        print_json(
            [{"section": h.section.id, "title": h.section.title, "score": h.score} for h in hits],
            None,
        )
        return
    for hit in hits:
        typer.echo(f"{hit.score:5.2f}  {hit.section.id:18} {hit.section.title}")
    if not hits:
        typer.echo("no section bears on that", err=True)


@app.command("lint")
def policy_lint(*, policies: Policies = None, as_json: AsJson = False) -> None:
    """Check a rulebook as an editor would; exit code 1 if there are errors.

    Example: amicus policy lint --policies my-rules/
    """
    from policies.lint import lint

    findings = lint(policies or read_settings().policies)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        print_json([vars(finding) for finding in findings], None)
    else:
        for finding in findings:
            place = f"{finding.file}:{finding.line}"
            typer.echo(f"{finding.level}: {place}: {finding.message} [{finding.rule}]")
            typer.echo(f"  hint: {finding.hint}")
        typer.echo(f"{errors} errors, {len(findings) - errors} warnings", err=True)
    if errors:
        raise typer.Exit(1)
