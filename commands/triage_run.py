"""Work the docket: open a reviewer, put a crew to work, and stop it in good order."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.opening import Asked, read_settings, reviewer_for
from commands.options import AsJson, Budget, Model, Policies, Route, Samples
from commands.output import print_json
from commands.triage_people import PriorityPage, of_the_docket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.case import Case
    from agent.reviewer import Opinion, Reviewer
    from settings import Settings
    from triage.crew import Orders, Tally
    from triage.webhooks import Receiver

SAMPLED_COPIES = 0.02
"""Share of the copies of a post that are reviewed all the same."""
TELL_EVERY = 5.0
"""Seconds between two lines about a run that goes on."""


@dataclass(frozen=True)
class _Pages:
    """The pages of policy of a run; the shipped ones where none is named."""

    priority: Path | None
    brakes: Path | None


def run(  # noqa: PLR0913 - one parameter for each option of the contract
    *,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, help="Reviews side by side.")
    ] = 4,
    forever: Annotated[
        bool, typer.Option("--forever", help="Wait for more when nothing is left.")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Record what would be closed, and close nothing.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Most cases.")] = None,
    copies: Annotated[
        bool,
        typer.Option("--copies/--every-copy", help="Decide copies of a post once, or each anew."),
    ] = True,
    priority: PriorityPage = None,
    brakes: Annotated[
        Path | None, typer.Option("--brakes", help="Another page of brakes (TOML).")
    ] = None,
    policies: Policies = None,
    model: Model = None,
    samples: Samples = None,
    route: Route = "straight",
    budget: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Review what waits, the worst and oldest first, until nothing is left.

    Start it on as many machines as you like. Ctrl-C or SIGTERM finishes what is in hand and gives
    the rest back; whatever else ends it, nothing is lost.

    Example: amicus triage run --workers 8
    """
    from triage.crew import Orders

    settings = read_settings()
    asked = Asked(
        samples=samples,
        cascade=route == "cascade",
        budget=budget,
        # A second look at every case of a queue would double its price; the doubtful ones get one.
        critic="near_the_line" if settings.critic == "always" else settings.critic,
    )
    orders = Orders(
        _crew_name(),
        workers=workers,
        forever=forever,
        limit=limit,
        lease_seconds=of_the_docket(settings).lease_seconds,
    )
    with reviewer_for(settings, policies, model, asked) as reviewer, told_to_stop() as stop:
        to = _receiver(settings)
        pages = _Pages(priority, brakes)
        tally = _work(reviewer, orders, stop, pages, shadow=shadow, copies=copies, to=to)
    if as_json:
        print_json(vars(tally))
    else:
        typer.echo(_told(tally))


def _work(  # noqa: PLR0913 - what a run is made of
    reviewer: Reviewer,
    orders: Orders,
    stop: threading.Event,
    pages: _Pages,
    *,
    shadow: bool,
    copies: bool,
    to: Receiver | None,
) -> Tally:
    from triage.closing import Braked
    from triage.crew import Post, work
    from triage.priority import read_priority
    from triage.risk.brakes import read_brakes
    from triage.risk.closing import CertifiedClosing
    from triage.ruling import Bench
    from triage.webhooks import keep_delivering

    rulebook = reviewer.desk.rulebook
    certified = CertifiedClosing(
        reviewer.records,
        rulebook,
        read_brakes(pages.brakes),
        clock=time.time,
        monotonic=time.monotonic,
    )
    closing = Braked(certified, rulebook, shadow=shadow)
    bench = Bench(closing, read_priority(pages.priority, rulebook))
    opinion = _copying(reviewer) if copies else reviewer.opinion
    post = Post(reviewer.records, opinion, bench, orders, on_progress=_Teller())
    if to is None:
        return work(post, stop)
    over = threading.Event()
    courier = threading.Thread(target=keep_delivering, args=(reviewer.records, to, over))
    courier.start()
    try:
        return work(post, stop)
    finally:
        over.set()
        courier.join()


def _copying(reviewer: Reviewer) -> Callable[[Case], Opinion]:
    """The reviewer, asked once for all copies of a post, and for a sample of them."""
    from triage.duplicates.copying import Copies, Sampling
    from triage.duplicates.undoing import CopyBook

    book = CopyBook(reviewer.records)
    return Copies(
        reviewer.opinion,
        reviewer.desk.rulebook,
        Sampling(SAMPLED_COPIES, secrets.token_bytes(32)),
        on_copy=book.note,
        still_stands=book.still_stands,
    ).opinion


def _receiver(settings: Settings) -> Receiver | None:
    from triage.webhooks import receiver

    docket = of_the_docket(settings)
    return receiver(docket.webhook_url, docket.webhook_secret) if docket.webhook_url else None


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """Let the first signal finish what is in hand, and the second one end everything."""
    stop = threading.Event()

    def finish(number: int, _: object) -> None:
        stop.set()
        typer.echo("finishing what is in hand; once more to leave it", err=True)
        signal.signal(number, before[number])

    before: dict[int, Any] = {}
    for known in (signal.SIGTERM, signal.SIGINT):
        before[known.value] = signal.signal(known, finish)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Teller:
    """Tells how a run goes, now and then, and what it waits for, once."""

    def __init__(self) -> None:
        self._next = time.monotonic() + TELL_EVERY
        self._trouble = ""

    def __call__(self, tally: Tally) -> None:
        if tally.trouble and tally.trouble != self._trouble:
            typer.echo(f"waiting: {tally.trouble}", err=True)
        self._trouble = tally.trouble
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TELL_EVERY
            typer.echo(_told(tally), err=True)


def _told(tally: Tally) -> str:
    told = f"{tally.done:,} done: {tally.closed:,} closed, {tally.to_people:,} for people"
    if tally.dead:
        told += f", {tally.dead:,} dead (see: amicus triage export --dead)"
    return f"{told}; ${tally.cost:,.4f}" if tally.cost else told


def _crew_name() -> str:
    import os
    import platform as machine

    return f"{machine.node()}:{os.getpid()}"
