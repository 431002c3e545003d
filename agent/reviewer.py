"""Open a reviewer: put the rulebook, the index, the records, the tools and a model on one desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.case import Case
from agent.own_call import OwnCall, agreement
from agent.state import Desk, Limits
from agent.tape import Tape, recorded
from agent.verdict import Verdict
from errors import UsageError, shown
from policies.reading import load_rulebook

if TYPE_CHECKING:
    from records.store import Records
    from tools.links.lookup import Lookup

VERDICT_RECORD = "verdict"
"""The kind of ledger record that holds a review: the case, the tape and the verdict."""


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


class Reviewer:
    """Reviews cases, one at a time or from several threads, and keeps each on the ledger."""

    def __init__(
        self,
        desk: Desk,
        records: Records,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        resources: ExitStack | None = None,
    ) -> None:
        """Bind the desk to the records; `resources` are closed with the reviewer."""
        self.desk = desk
        self.records = records
        self._now = now
        self._resources = resources or ExitStack()

    def review(self, case: Case, *, own: OwnCall | None = None) -> Verdict:
        """Return the verdict on `case`, once it stands on the ledger.

        Args:
            case: What is up for judgement.
            own: A person's own call, to say how the verdict stands to it.

        Raises:
            RecordsError: The ledger could not be written; then there is no verdict.
        """
        from agent.graph import judge
        from records.ledger import append

        tape = Tape()
        verdict = judge(case, recorded(self.desk, tape))
        if own is not None:
            verdict = verdict.model_copy(update={"agreement": agreement(verdict, own)})
        payload = {
            "case": case.model_dump(mode="json"),
            "tape": tape.entries,
            "limits": vars(self.desk.limits),
            "own": own.said if own else None,
            "verdict": verdict_data(verdict),
        }
        append(self.records, VERDICT_RECORD, case.id, payload, at=self._now())
        return verdict

    def close(self) -> None:
        """Let go of the database and of the index."""
        self._resources.close()

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close at the end of the block."""
        self.close()


def verdict_data(verdict: Verdict) -> dict[str, object]:
    """Return the verdict as JSON data: the fields of the contract, `agreement` only where asked."""
    data = verdict.model_dump(mode="json", by_alias=True)
    if verdict.agreement is None:
        del data["agreement"]
    return data


def open_reviewer(
    options: Options, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Reviewer:
    """Open everything that a review needs; the index is built if this rulebook has none yet.

    Raises:
        AmicusError: The rulebook, the records, the index or a model cannot be opened.
    """
    rulebook = load_rulebook(options.policies)
    check_model_name(options.model)

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
        desk = lay_desk(options, rulebook, records=records, embedder=embedder, now=now)
        return Reviewer(desk, records, now=now, resources=opening.pop_all())


def check_model_name(name: str) -> None:
    """Refuse a reviewer model that does not exist.

    Raises:
        UsageError: Names the model, and those there are.
    """
    if name != "embedded":
        raise UsageError(
            f"there is no reviewer model {shown(name)}", hint="the reviewer model is: embedded"
        )
