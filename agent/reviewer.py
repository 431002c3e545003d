"""Open a reviewer: put the rulebook, the index, the records, the tools and a model on one desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.case import Case
from agent.llm.options import LanguageOptions, is_language_model
from agent.model import PaidModel
from agent.own_call import OwnCall, agreement
from agent.record import record_of, verdict_data
from agent.state import Desk, Limits
from agent.tape import Tape, recorded
from agent.verdict import Verdict
from errors import UsageError, shown
from policies.reading import load_rulebook

__all__ = ["Opinion", "Options", "Reviewer", "check_model_name", "open_reviewer", "verdict_data"]

if TYPE_CHECKING:
    from agent.cascade import Cascade
    from agent.llm.purse import Till
    from records.store import Records
    from records.verdicts import VerdictRecord
    from tools.links.lookup import Lookup


@dataclass(frozen=True)
class Options:
    """What a reviewer is opened with; see settings.py for what each means to a user."""

    home: Path
    records_url: str
    model: str = "embedded"
    policies: Path | None = None
    threads: int = 0
    ledger_key: str | None = None
    limits: Limits = field(default_factory=Limits)
    lookups: Sequence[Lookup] = ()
    language: LanguageOptions = field(default_factory=LanguageOptions)
    cascade: bool = False
    """Whether the embedded model is asked first; see `agent.cascade`."""
    content_apart: bool = False
    """Whether the ledger names content by its hash alone, so that it can be forgotten."""
    run: str = ""
    """What the spending of these reviews is booked under; empty makes a name of its own."""
    paid_from: tuple[Path, str] | None = None
    """Home and records of the answers already paid for and of the spending; None is the same."""

    @property
    def users_home(self) -> Path:
        """The home folder whose prices, probes and lines count, also where records lie apart."""
        return self.home if self.paid_from is None else self.paid_from[0]


@dataclass(frozen=True)
class Opinion:
    """A verdict, and the record that has to be kept with it."""

    verdict: Verdict
    record: VerdictRecord


class Reviewer:
    """Reviews cases, one at a time or from several threads, and keeps each on the ledger."""

    def __init__(  # noqa: PLR0913 - what a reviewer is opened with
        self,
        desk: Desk,
        records: Records,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resources: ExitStack | None = None,
        till: Till | None = None,
        cascade: Cascade | None = None,
        content_apart: bool = False,
    ) -> None:
        """Bind the desk to the records.

        Args:
            desk: What a review needs.
            records: Where verdicts are kept.
            now: The time that records carry.
            resources: Closed with the reviewer.
            till: What pays for a language model.
            cascade: Who is asked first, and when that is enough.
            content_apart: Whether the ledger names content by its hash alone.
        """
        from records.together import Together

        self.desk = desk
        self.records = records
        self.cascade = cascade
        self.till = till
        self._now = now
        self._resources = resources or ExitStack()
        self._content_apart = content_apart
        self._together = Together(records)

    @property
    def model_name(self) -> str:
        """The reviewer model, with the one that is asked before it."""
        return self.cascade.name if self.cascade is not None else self.desk.model.name

    def book_under(self, run: str) -> None:
        """Book what is spent from now on under the name of a run."""
        if self.till is not None:
            self.till = replace(self.till, run=run)

    def review(self, case: Case, *, own: OwnCall | None = None) -> Verdict:
        """Return the verdict on `case`, once it stands on the ledger.

        Args:
            case: What is up for judgement.
            own: A person's own call, to say how the verdict stands to it.

        Raises:
            RecordsError: The ledger could not be written; then there is no verdict.
        """
        opinion = self.opinion(case, own=own)
        self.keep(opinion)
        return opinion.verdict

    def opinion(self, case: Case, *, own: OwnCall | None = None) -> Opinion:
        """Return the verdict on `case` and its record, which nobody has kept yet.

        For callers that keep it in a transaction of their own, with `keep_verdict_in`.
        """
        if self.cascade is not None:
            first = self._opinion(self.cascade.first, case, own)
            if self.cascade.settles(first.verdict):
                return first
        return self._opinion(self.desk, case, own)

    def keep(self, opinion: Opinion) -> None:
        """Put an opinion on the ledger.

        Raises:
            RecordsError: The ledger could not be written; then the opinion was not given.
        """
        from records.ledger import move_anchor
        from records.verdicts import keep_verdict_in

        entry = self._together.run(
            lambda connection: keep_verdict_in(connection, opinion.record, at=self._now())
        )
        move_anchor(self.records, entry.seq)

    def _opinion(self, desk: Desk, case: Case, own: OwnCall | None) -> Opinion:
        from agent.graph import judge

        tape = Tape()
        purse = self.till.purse(case.id) if self.till is not None else None
        if purse is not None and isinstance(desk.model, PaidModel):
            desk = replace(desk, model=desk.model.paid_by(purse))
        verdict = judge(case, recorded(desk, tape))
        if own is not None:
            verdict = verdict.model_copy(update={"agreement": agreement(verdict, own)})
        record = record_of(
            case,
            verdict,
            tape=tape.entries,
            limits=desk.limits,
            own=own.said if own else None,
            exchanges=purse.exchanges if purse else (),
            texts=purse.texts if purse else {},
            content_apart=self._content_apart,
        )
        return Opinion(verdict, record)

    def close(self) -> None:
        """Let go of the database and of the index."""
        self._resources.close()

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close at the end of the block."""
        self.close()


def open_reviewer(
    options: Options, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Reviewer:
    """Open everything that a review needs; the index is built if this rulebook has none yet.

    Raises:
        AmicusError: The rulebook, the records, the index or a model cannot be opened.
    """
    rulebook = load_rulebook(options.policies)
    check_model_name(options.model)
    if options.cascade and not is_language_model(options.model):
        raise UsageError(
            f"--route cascade has nobody to ask after {options.model}",
            hint="name a language model with --model, such as openai:MODEL",
        )

    from agent.desk import lay_desk
    from records.rulebooks import keep_rulebook
    from records.store import open_records
    from retrieval.embedder import open_embedder

    with ExitStack() as opening:
        records = opening.enter_context(
            open_records(options.records_url, home=options.home, ledger_key=options.ledger_key)
        )
        keep_rulebook(records, rulebook.id, rulebook.files)
        embedder = open_embedder(threads=options.threads)
        laid = lay_desk(options, rulebook, records=records, embedder=embedder, now=now)
        for close in laid.closing:
            opening.callback(close)
        till = None
        if is_language_model(options.model):
            till = _open_till(options, records, opening)
        return Reviewer(
            laid.desk,
            records,
            now=now,
            till=till,
            cascade=laid.cascade,
            content_apart=options.content_apart,
            resources=opening.pop_all(),
        )


def _open_till(options: Options, records: Records, opening: ExitStack) -> Till:
    """The till of a run: at these records, or at those that are named to pay."""
    from agent.llm.purse import Till
    from records.store import open_records

    if options.paid_from is not None:
        home, url = options.paid_from
        paying = open_records(url, home=home, ledger_key=options.ledger_key)
        records = opening.enter_context(paying)
    language = options.language
    return Till(
        records,
        run=options.run or uuid.uuid4().hex[:12],
        budgets=language.budgets,
        keep_seconds=language.keep_days * 86_400,
        seconds=language.seconds,
    )


def check_model_name(name: str) -> None:
    """Refuse a reviewer model that does not exist.

    Raises:
        UsageError: Names the model, and those there are.
    """
    if name != "embedded" and not is_language_model(name):
        raise UsageError(
            f"there is no reviewer model {shown(name)}",
            hint="the reviewer models are: embedded, openai:MODEL, anthropic:MODEL",
        )
