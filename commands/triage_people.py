"""A person's commands on the docket: take a case, call it, decide it, pass it on."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.group import complain
from commands.opening import read_settings, records_for
from commands.options import AsJson, Policies
from commands.output import print_json
from errors import UsageError, shown

if TYPE_CHECKING:
    from agent.own_call import OwnCall
    from policies.rulebook import Rulebook
    from records.docket.leases import Terms
    from records.store import Records
    from settings import Settings
    from triage.people import Person, Presented

PriorityPage = Annotated[
    Path | None, typer.Option("--priority", help="Another page of priorities (TOML).")
]
CaseId = Annotated[str, typer.Argument(metavar="ID", help="A case of the docket.")]
As = Annotated[str | None, typer.Option("--as", help="Who you are; your user name by default.")]
Note = Annotated[str, typer.Option("--note", help="What the next person should know.")]
To = Annotated[str, typer.Option("--to", help="Whose it is to be.")]

_SPANS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True)
class DocketSettings:
    """What the docket is told by the settings."""

    lease_seconds: float
    webhook_url: str
    webhook_secret: str


def of_the_docket(settings: Settings) -> DocketSettings:
    """Return the settings that concern the docket alone."""
    secret = settings.webhook_secret
    return DocketSettings(
        lease_seconds=settings.lease_seconds,
        webhook_url=settings.webhook_url,
        webhook_secret=secret.get_secret_value() if secret else "",
    )


def triage_next(
    *,
    blind: Annotated[
        bool, typer.Option("--blind", help="Your own call first, then the opinion.")
    ] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the content uncovered.")] = False,
    who: As = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Take the case that most needs a person; it is yours until its lease ends.

    Example: amicus triage next --blind
    """
    from policies.reading import load_rulebook
    from triage.people import next_case

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    person = _person(settings, who)
    with records_for(settings) as records:
        taken = next_case(records, person, now=time.time())
        if as_json:
            print_json(None if taken is None else _told(taken, blind=blind))
        elif taken is None:
            typer.echo("nothing waits for a person", err=True)
        else:
            _show(taken, reveal=reveal)
            if blind and taken.loan.own_call is None:
                _ask_own_call(records, taken, person, rulebook)
            _show_opinion(taken, rulebook, reveal=reveal)


def decide(  # noqa: PLR0913 - one parameter for each option of the contract
    case_id: CaseId,
    call: Annotated[str, typer.Argument(help="Such as remove:hate.1, violating:hate.1, allowed.")],
    *,
    note: Note = "",
    overturn: Annotated[
        bool, typer.Option("--overturn", help="In the place of a decision that did not stand.")
    ] = False,
    copies: Annotated[
        bool, typer.Option("--copies", help="With --overturn: for the original and all its copies.")
    ] = False,
    who: As = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Decide a case.

    Example: amicus triage decide c-17 remove:hate.1
    """
    from agent.own_call import own_call
    from policies.reading import load_rulebook
    from triage.deciding import Ruling, overturn_decision
    from triage.deciding import decide as decide_case
    from triage.duplicates.undoing import undo

    settings = read_settings()
    rulebook = load_rulebook(policies or settings.policies)
    ruling = Ruling(own_call(call, rulebook), rulebook, note)
    act = overturn_decision if overturn else decide_case
    if copies and not overturn:
        raise UsageError("--copies goes with --overturn", hint="copies are decided one by one")
    with records_for(settings) as records:
        if copies:
            undone = undo(records, case_id, _person(settings, who), ruling, now=time.time())
            if as_json:
                told = {"original": undone.original, "overturned": list(undone.overturned)}
                print_json({**told, "decision": ruling.call.decision})
            else:
                number = f"{len(undone.overturned):,} decisions overturned"
                typer.echo(f"{number}, {undone.original} first" if undone.overturned else number)
            return
        action = act(records, case_id, _person(settings, who), ruling, now=time.time())
    if as_json:
        told = {"case_id": case_id, "decision": ruling.call.decision, "action": action}
        print_json(told)
    else:
        typer.echo(f"{case_id}: {ruling.call.decision}, {action}")


def hold(
    case_id: CaseId,
    *,
    span: Annotated[str, typer.Option("--for", help="How long, such as 90m, 2h or 1d.")] = "2h",
    note: Note = "",
    who: As = None,
) -> None:
    """Put a case aside for yourself, until you can go on with it.

    Example: amicus triage hold c-17 --for 2h --note "asked the author"
    """
    from records.docket.leases import Terms
    from records.docket.people import hold as hold_case

    settings = read_settings()
    terms = Terms(_person(settings, who).name, _seconds(span))
    with records_for(settings) as records:
        hold_case(records, case_id, terms, note=note, now=time.time())
    typer.echo(f"{case_id} comes back to {terms.holder} in {span}")


def assign(
    case_id: CaseId,
    *,
    to: Annotated[
        str, typer.Option("--to", help="Whose it is to be; without it, anybody's again.")
    ] = "",
    note: Note = "",
    who: As = None,
) -> None:
    """Let a case wait for one person.

    Example: amicus triage assign c-17 --to ann
    """
    from records.docket.people import Handover, hand_over

    settings = read_settings()
    with records_for(settings) as records:
        hand_over(records, case_id, _terms(settings, who), Handover(to, note), now=time.time())
    typer.echo(f"{case_id} waits for {to or 'anybody'}")


def ask(case_id: CaseId, *, to: To, note: Note = "", who: As = None) -> None:
    """Ask a colleague for a second look; they call it without knowing what you called.

    Example: amicus triage ask c-17 --to bob --note "is this satire?"
    """
    from records.docket.people import hand_over
    from triage.people import asking

    settings = read_settings()
    person = _person(settings, who)
    with records_for(settings) as records:
        handover = asking(person, to=to, note=note)
        hand_over(records, case_id, person.terms, handover, now=time.time())
    typer.echo(f"{case_id} waits for {to}")


def release(case_id: CaseId, *, who: As = None) -> None:
    """Give a case back that you took.

    Example: amicus triage release c-17
    """
    from records.docket.people import release as release_case

    settings = read_settings()
    with records_for(settings) as records:
        release_case(records, case_id, _person(settings, who).name)
    typer.echo(f"{case_id} waits for anybody")


def _person(settings: Settings, who: str | None) -> Person:
    from triage.people import Person

    name = who or _user_name()
    if not re.fullmatch(r"[^\s\x00-\x1f\x7f]{1,100}", name):
        raise UsageError(f"--as {shown(name)}: no name", hint="a name without spaces, such as ann")
    return Person(name, of_the_docket(settings).lease_seconds)


def _user_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("nobody knows who you are", hint="say it with --as NAME") from None


def _terms(settings: Settings, who: str | None) -> Terms:
    return _person(settings, who).terms


def _seconds(span: str) -> float:
    found = re.fullmatch(r"(\d{1,4})([mhd])", span)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--for {shown(span)}: no time span", hint="write it as 90m, 2h or 1d")
    return int(found[1]) * _SPANS[found[2]]


def _told(taken: Presented, *, blind: bool) -> dict[str, object]:
    import json

    from agent.record import verdict_data

    verdict = None if taken.verdict is None or blind else verdict_data(taken.verdict)
    return {
        "case": json.loads(taken.loan.content),
        "due_in_seconds": round(taken.loan.due - time.time()),
        "tries": taken.loan.tries,
        "because": None if blind else taken.loan.reason,
        "own_call": taken.loan.own_call,
        "verdict": verdict,
    }


def _show(taken: Presented, *, reveal: bool) -> None:
    """The case as it came: who, what, how many saw and reported it; nothing of the opinion."""
    from agent.masking import masked, printable
    from triage.status import duration

    case, cover = taken.case, printable if reveal else masked
    left = taken.loan.due - time.time()
    due = f"due in {duration(left)}" if left > 0 else f"overdue by {duration(-left)}"
    facts = [printable(case.id), due, case.kind]
    facts += [f"account {printable(case.account_id)}"] if case.account_id else []
    facts += [f"reach {case.reach:,}"] if case.reach else []
    facts += [f"{report.count:,} x {printable(report.reason)}" for report in case.reports]
    typer.echo(" · ".join(facts))
    for item in case.context:
        typer.echo(f"  before: {cover(item.text)}")
    typer.echo(cover(case.text) if case.text else f"the account {case.account_id}")
    for link in case.links:
        typer.echo(f"  link: {cover(link)}")


def _ask_own_call(records: Records, taken: Presented, person: Person, rulebook: Rulebook) -> None:
    """Ask until the answer is a call, and keep it before anything else is shown."""
    from triage.people import say_own_call

    say_own_call(records, taken, person, _called(rulebook), now=time.time())


def _called(rulebook: Rulebook) -> OwnCall:
    from agent.own_call import own_call

    while True:
        said = typer.prompt("Your call (such as remove:hate.1, allowed, abstain)", err=True)
        try:
            return own_call(said, rulebook)
        except UsageError as error:
            complain(error.message, error.hint)


def _show_opinion(taken: Presented, rulebook: Rulebook, *, reveal: bool) -> None:
    from agent.masking import printable
    from agent.view import render, terminal

    if taken.loan.reason:
        typer.echo(f"with you because: {printable(taken.loan.reason)}")
    if taken.verdict is None:
        typer.echo("no machine has looked at it yet")
    else:
        terminal().print(render(taken.verdict, taken.case, rulebook, reveal=reveal))
    typer.echo(f"decide: amicus triage decide {printable(taken.case.id)} CALL", err=True)
