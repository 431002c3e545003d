"""Let a machine close what was shown to be safe; audit it; stop it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.group import complain
from commands.opening import Asked, options_for, read_settings, records_for
from commands.options import AsJson, Budget, Model, Policies, Route, Samples
from commands.output import print_json
from commands.triage_people import As, of_the_docket
from errors import GateError, UsageError, shown

if TYPE_CHECKING:
    from agent.own_call import OwnCall
    from agent.reviewer import Options
    from evals.run import Run
    from policies.rulebook import Rulebook
    from records.audits import Audit
    from records.store import Records
    from settings import Settings
    from triage.risk.auditing import Audited
    from triage.risk.calibrating import Terms


def calibrate(  # noqa: PLR0913 - one parameter for each option of the contract
    golden: Annotated[
        Path, typer.Option("--golden", help="Golden cases that nothing was fitted to.")
    ],
    *,
    max_missed: Annotated[
        float,
        typer.Option(
            "--max-missed",
            min=0.001,
            max=0.5,
            help="Most of what is closed as allowed that may not be allowed, as a share.",
        ),
    ] = 0.05,
    max_wrong_removal: Annotated[
        float,
        typer.Option(
            "--max-wrong-removal",
            min=0.001,
            max=0.5,
            help="Most of what is closed as violating that may be wrong, as a share.",
        ),
    ] = 0.02,
    confidence: Annotated[
        float,
        typer.Option("--confidence", min=0.5, max=0.9999, help="The chance that this holds."),
    ] = 0.95,
    days: Annotated[
        float, typer.Option("--days", min=1, max=366, help="How long the certificate stands.")
    ] = 90.0,
    together: Annotated[
        bool,
        typer.Option("--together", help="One claim over all policies, not one for each."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be closed; certify nothing.")
    ] = False,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", help="The accounts that the golden cases name.")
    ] = None,
    model: Model = None,
    policies: Policies = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, help="Reviews side by side.")
    ] = 1,
    samples: Samples = None,
    route: Route = "straight",
    budget: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Choose from which confidence on a machine may close cases, as far as that can be shown.

    Exits with 3 where the data support no claim; then everything goes to a person. A certificate
    takes the place of the one before.

    Example: amicus triage calibrate --golden evals/sets/golden.jsonl --max-missed 0.05
    """
    from evals.risk.claims import Budget as Limits
    from triage.risk.calibrating import Terms

    settings = read_settings()
    limits = Limits(max_missed, max_wrong_removal, confidence)
    terms = Terms(limits, days, by_policy=not together)
    asking = Asked(samples=samples, cascade=route == "cascade", budget=budget)
    options = options_for(settings, policies, model, asking)
    run = _golden_run(settings, options, golden, accounts=accounts, workers=workers)
    _certify(settings, options.policies, run, terms, dry_run=dry_run, as_json=as_json)


def _golden_run(
    settings: Settings, options: Options, golden: Path, *, accounts: Path | None, workers: int
) -> Run:
    """Review the golden cases in the home folder; what was done there before is not done again."""
    from evals.golden import read_golden
    from evals.run import Pace, manifest_for, read_run, watched
    from evals.run import run as run_golden
    from evals.run.manifest import file_id
    from evals.run.telling import telling_progress
    from evals.scratch import scratch_reviewer
    from policies.reading import load_rulebook
    from policies.rulebook import digest
    from triage.risk.calibrating import refuse_fitted

    rulebook = load_rulebook(options.policies)
    cases = read_golden(golden, rulebook, max_text_chars=settings.max_text_chars)
    refuse_fitted(cases, rulebook)
    with scratch_reviewer(options, accounts=accounts) as reviewer:
        given = {"accounts": file_id(accounts)}
        manifest = manifest_for(cases, reviewer, options=given)
        name = digest([manifest.model_dump_json()]).removeprefix("sha256:")[:16]
        out = settings.home / "calibration" / name
        with telling_progress("Reviewing") as tell:
            run_golden(
                cases, watched(reviewer), out, manifest, Pace(workers=workers, on_progress=tell)
            )
    return read_run(out)


def _certify(  # noqa: PLR0913 - what a certificate is made of
    settings: Settings,
    policies: Path | None,
    run: Run,
    terms: Terms,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from policies.reading import load_rulebook
    from records.certificates import keep_certificate
    from triage.risk.calibrating import certificate_from
    from triage.risk.told import certificate_lines

    rulebook = load_rulebook(policies)
    made = certificate_from(run.manifest, run.records, rulebook, terms, now=time.time())
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        typer.echo("\n".join(certificate_lines(made)))
    if not dry_run:
        with records_for(settings) as records:
            kept = keep_certificate(
                records, made.id, made.body, made_at=made.made_at, until=made.until
            )
        typer.echo(f"kept as certificate {kept.number}; earlier ones are void", err=True)
    if not made.closes_anything:
        raise GateError(
            "the golden cases do not show that a machine may close anything",
            hint="add golden cases, allow more mistakes, or leave the docket to people",
        )


def audit(  # noqa: PLR0913 - one parameter for each option
    *,
    call: Annotated[
        str | None, typer.Option("--call", help="Your call, such as allowed; asked for otherwise.")
    ] = None,
    state: Annotated[bool, typer.Option("--status", help="Only say how the audits stand.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the content uncovered.")] = False,
    who: As = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Look again at a case that a machine has closed, without knowing what it said.

    Example: amicus triage audit
    """
    from policies.reading import load_rulebook

    settings = read_settings()
    with records_for(settings) as records:
        if state:
            _show_state(records, as_json=as_json)
            return
        rulebook = load_rulebook(policies or settings.policies)
        _audit_one(records, settings, rulebook, _name(who), call, reveal=reveal, as_json=as_json)


def switch(
    turn: Annotated[str, typer.Argument(metavar="on|off", help="off: no machine closes a case.")],
    *,
    why: Annotated[str, typer.Option("--why", help="What people should know.")] = "",
    who: As = None,
) -> None:
    """Turn automatic closing off at once, on every machine, or let certificates count again.

    Example: amicus triage switch off --why "odd removals since noon"
    """
    from records.certificates import Switch, turn_switch

    if turn not in {"on", "off"}:
        raise UsageError(f"{shown(turn)} is neither on nor off", hint="amicus triage switch off")
    name = _name(who)
    with records_for(read_settings()) as records:
        turn_switch(records, Switch(turn == "off", why, name), now=time.time())
    typer.echo(f"automatic closing is {turn}")


def _audit_one(  # noqa: PLR0913 - what an audit is made of
    records: Records,
    settings: Settings,
    rulebook: Rulebook,
    who: str,
    call: str | None,
    *,
    reveal: bool,
    as_json: bool,
) -> None:
    from agent.own_call import own_call
    from triage.risk.auditing import say, take_audit

    given = own_call(call, rulebook) if call is not None else None
    seconds = of_the_docket(settings).lease_seconds
    taken = take_audit(records, who, seconds=seconds, now=time.time())
    if taken is None:
        typer.echo("no closure waits for an audit", err=True)
        return
    if given is None and as_json:
        print_json({"case": json.loads(taken.content)})
        return
    if given is None or not taken.seen:
        _show_case(taken, reveal=reveal)
    if given is not None and not taken.seen:
        raise UsageError("nobody calls a case unseen", hint="look at it, and give --call again")
    given = given or _asked(rulebook)
    _tell(say(records, taken, who, given, now=time.time()), as_json=as_json)


def _show_case(taken: Audit, *, reveal: bool) -> None:
    from agent.masking import masked, printable
    from triage.risk.auditing import case_of

    case, cover = case_of(taken), printable if reveal else masked
    typer.echo(f"{printable(case.id)} · {case.kind}")
    for item in case.context:
        typer.echo(f"  before: {cover(item.text)}")
    typer.echo(cover(case.text) if case.text else f"the account {case.account_id}")
    for link in case.links:
        typer.echo(f"  link: {cover(link)}")


def _asked(rulebook: Rulebook) -> OwnCall:
    """Ask until the answer is a call."""
    from agent.own_call import own_call

    while True:
        said = typer.prompt("Your call (such as remove:hate.1, allowed, abstain)", err=True)
        try:
            return own_call(said, rulebook)
        except UsageError as error:
            complain(error.message, error.hint)


def _tell(done: Audited, *, as_json: bool) -> None:
    if as_json:
        print_json(vars(done))
    else:
        typer.echo(f"{done.case_id}: the machine said {done.machine}; you {_verb(done)}")
        if not done.agrees:
            told = f"amicus triage decide {done.case_id} CALL --overturn"
            typer.echo(f"put it right: {told}", err=True)
    if done.stopped:
        typer.echo(f"AUTOMATIC CLOSING HAS STOPPED: {done.stopped}", err=True)


def _verb(done: Audited) -> str:
    return "agree" if done.agrees else "differ"


def _show_state(records: Records, *, as_json: bool) -> None:
    from records.audits import audits_waiting
    from triage.risk.auditing import standing
    from triage.risk.told import audit_lines

    found = standing(records)
    if found is None:
        if as_json:
            print_json(None)
        else:
            typer.echo("no certificate allows a machine to close cases")
        return
    kept, certificate, watched = found
    waiting = audits_waiting(records, kept.number)
    if not as_json:
        typer.echo("\n".join(audit_lines(kept, watched, waiting)))
        return
    claims = [
        {
            "policies": one.policies,
            "direction": one.direction,
            "audited": one.watch.audited,
            "wrong": one.watch.mistakes,
            "limit": one.watch.limit,
            "evidence": one.watch.evidence,
            "stops_at": 1 / one.watch.alarm,
        }
        for one in watched
    ]
    told = {"number": kept.number, "stopped": kept.why or None, "until": kept.until}
    print_json(
        {**told, "closes": certificate.closes_anything, "waiting": waiting, "claims": claims}
    )


def _name(who: str | None) -> str:
    import getpass

    try:
        return who or getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("nobody knows who you are", hint="say it with --as NAME") from None
