"""A reviewer with records of its own, so that an evaluation leaves no trace in anybody's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.reviewer import Options, Reviewer, open_reviewer
from errors import InputError
from policies.reading import load_rulebook
from records.accounts import import_accounts
from records.imports import ImportReport
from records.precedents import add_precedents
from records.store import open_records


@contextmanager
def scratch_reviewer(
    options: Options, *, accounts: Path | None = None, precedents: Path | None = None
) -> Iterator[Reviewer]:
    """Open a reviewer whose records hold these accounts and precedents and nothing else.

    Args:
        options: What the reviewer is opened with. Its home and records are replaced; the answers of
            a language model are still paid for, and kept, where they always are.
        accounts: The accounts that the cases name.
        precedents: Decided cases that the reviewer may see.

    Raises:
        InputError: A row of either file is bad.
    """
    with tempfile.TemporaryDirectory(prefix="amicus-eval-") as folder:
        home = Path(folder)
        own = replace(
            options,
            home=home,
            records_url=f"sqlite:///{home / 'records.db'}",
            paid_from=options.paid_from or _paying(options),
        )
        rulebook = load_rulebook(own.policies)
        versions = {section.id: section.version for section in rulebook.sections}
        with open_records(own.records_url, home=home, ledger_key=own.ledger_key) as records:
            if accounts is not None:
                _all_good(import_accounts(records, accounts), accounts)
            if precedents is not None:
                _all_good(add_precedents(records, precedents, version_of=versions.get), precedents)
        with open_reviewer(own) as reviewer:
            yield reviewer


def _paying(options: Options) -> tuple[Path, str] | None:
    """Where answers are paid for; nowhere where the caller has no records."""
    return (options.home, options.records_url) if options.records_url else None


def _all_good(report: ImportReport, file: Path) -> None:
    if report.bad:
        first = report.bad[0]
        raise InputError(
            f"{file}:{first.line}: {first.message}", hint="correct the row, or leave it out"
        )
