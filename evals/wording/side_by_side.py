"""Both wordings alive at once, with everything else held fixed: one reviewer for each.

They share the sentence model, the records and every answer of a tool but the search of the rules:
what a link, an account or a precedent has to say is asked once, and both hear the same.
"""

from __future__ import annotations

import json
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.desk import lay_desk
from agent.llm.options import is_language_model
from agent.llm.purse import Till
from agent.reviewer import Options, Reviewer, check_model_name
from agent.state import Desk
from errors import InputError, ToolError
from evals.wording.texts import Wordings
from policies.rulebook import Rulebook
from records.accounts import import_accounts
from records.precedents import add_precedents
from records.store import Records, open_records
from retrieval.embedder import Embedder, open_embedder

if TYPE_CHECKING:
    from records.imports import ImportReport
    from retrieval.embedder import Vectors

OWN_TOOL = "search_policy"
"""The tool that reads the rulebook: each wording has its own."""
REMEMBERED = 20_000
"""So many vectors are kept: both wordings read the same cases, and mostly the same sections."""

Use = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Sides:
    """The reviewers of the two wordings, and whoever else is opened beside them."""

    old: Reviewer
    new: Reviewer
    another: Callable[[Rulebook], Reviewer]
    """Opens a further wording on the same shared answers."""
    repeats_itself: bool
    """Whether the model gives the same verdict on every run."""


@contextmanager
def side_by_side(
    options: Options,
    wordings: Wordings,
    *,
    accounts: Path | None = None,
    precedents: Path | None = None,
) -> Iterator[Sides]:
    """Open a reviewer for each wording; to be used in a `with` block.

    Args:
        options: What a reviewer is opened with; its records are left alone, and what a language
            model costs is booked there as always.
        wordings: The rules before and after.
        accounts: The accounts that the cases name.
        precedents: Decided cases that both reviewers may see, as they stand under the old wording.

    Raises:
        AmicusError: A model, the index or the records cannot be opened, or a row of a file is bad.
    """
    check_model_name(options.model)
    with ExitStack() as opening:
        folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="amicus-wording-")))
        url = f"sqlite:///{folder / 'records.db'}"
        records = opening.enter_context(open_records(url, home=folder))
        _fill(records, accounts, precedents, wordings.old.rulebook)
        embedder = _remembering(open_embedder(threads=options.threads))
        till = _till(options, opening)
        own = replace(
            options,
            home=options.home / "wording",
            records_url=url,
            paid_from=options.paid_from or (options.home, options.records_url),
        )
        own.home.mkdir(parents=True, exist_ok=True)

        def opened(rulebook: Rulebook, shared: Desk | None) -> Reviewer:
            laid = lay_desk(own, rulebook, records=records, embedder=embedder, now=_now)
            for close in laid.closing:
                opening.callback(close)
            desk = laid.desk if shared is None else _sharing(laid.desk, shared)
            return Reviewer(desk, records, till=till)

        first = opened(wordings.old.rulebook, None)
        first.desk = replace(first.desk, use=Remembered(first.desk.use))
        yield Sides(
            old=first,
            new=opened(wordings.new.rulebook, first.desk),
            another=lambda rulebook: opened(rulebook, first.desk),
            repeats_itself=not is_language_model(options.model),
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _sharing(desk: Desk, shared: Desk) -> Desk:
    """The desk of a wording that hears what the other one hears."""

    def use(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return desk_use(name, arguments) if name == OWN_TOOL else shared.use(name, arguments)

    desk_use = desk.use
    return replace(
        desk,
        use=use,
        precedents=shared.precedents,
        account_texts=shared.account_texts,
        signs=shared.signs,
        language=shared.language,
    )


@dataclass
class Remembered:
    """Asks each question once; whoever asks it again hears the same answer, or the same error."""

    use: Use
    _known: dict[str, Mapping[str, Any] | ToolError] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the tool says, now or before."""
        if name == OWN_TOOL:
            return self.use(name, arguments)
        key = json.dumps([name, dict(arguments)], sort_keys=True, default=str)
        if key not in self._known:
            answer: Mapping[str, Any] | ToolError
            try:
                answer = self.use(name, arguments)
            except ToolError as error:
                answer = error
            with self._lock:
                self._known.setdefault(key, answer)
        known = self._known[key]
        if isinstance(known, ToolError):
            raise ToolError(known.message, hint=known.hint)
        return known


@dataclass(frozen=True)
class _RememberingEmbedder(Embedder):
    """A sentence model that keeps what it has read, for all wordings together."""

    _known: dict[str, Vectors] = field(default_factory=dict)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text, as the model itself does."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = dict(zip(new, super().embed(new), strict=True)) if new else {}
        if len(self._known) + len(fresh) <= REMEMBERED:
            self._known.update(fresh)
        if not texts:
            return np.empty((0, self.width), np.float32)
        return np.stack([fresh[t] if t in fresh else self._known[t] for t in texts])


def _remembering(embedder: Embedder) -> Embedder:
    known = {part.name: getattr(embedder, part.name) for part in fields(embedder)}
    return _RememberingEmbedder(**known)


def _till(options: Options, opening: ExitStack) -> Till | None:
    """Who pays for a language model; nobody where there is none."""
    if not is_language_model(options.model):
        return None
    home, url = options.paid_from or (options.home, options.records_url)
    language = options.language
    return Till(
        opening.enter_context(open_records(url, home=home, ledger_key=options.ledger_key)),
        run=options.run or uuid.uuid4().hex[:12],
        budgets=language.budgets,
        keep_seconds=language.keep_days * 86_400,
        seconds=language.seconds,
    )


def _fill(
    records: Records, accounts: Path | None, precedents: Path | None, rulebook: Rulebook
) -> None:
    if accounts is not None:
        _all_good(import_accounts(records, accounts), accounts)
    if precedents is not None:
        versions = {section.id: section.version for section in rulebook.sections}
        _all_good(add_precedents(records, precedents, version_of=versions.get), precedents)


def _all_good(report: ImportReport, file: Path) -> None:
    if report.bad:
        first = report.bad[0]
        raise InputError(
            f"{file}:{first.line}: {first.message}", hint="correct the row, or leave it out"
        )
