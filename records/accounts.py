"""Accounts: who posts, since when, how often reported, and what was decided about them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic_core import from_json, to_json
from sqlalchemy import (
    Connection,
    Row,
    delete,
    exists,
    select,
)

from errors import shown
from records.decisions import Decision, read_decisions, values_of
from records.fields import Border, Count, Id, Moment, Text, can_be_stored
from records.imports import BadRows, ImportReport, Progress, first_fault
from records.rows import read_rows
from records.staging import Batches, copy_rows, count, drop_repeated, merging, staged_copy, staging
from records.store import Records
from records.tables import accounts, decisions


class Post(Border):
    """Something the account posted lately."""

    text: Text
    created_at: Moment | None = None


class Account(Border):
    """An account and its history."""

    id: Id
    created_at: Moment | None = None
    display_name: Text = ""
    bio: Text = ""
    followers: Count = 0
    verified: bool = False
    strikes: Count = 0
    reports_received: Count = 0
    recent: tuple[Post, ...] = ()
    decisions: tuple[Decision, ...] = ()
    """The latest first, those of the docket included."""

    @model_validator(mode="after")
    def _decides_once(self) -> Self:
        seen: set[tuple[str, str]] = set()
        for made in self.decisions:
            if (made.case_id, made.section) in seen:
                raise ValueError(f"decisions: case {shown(made.case_id)} is decided twice")
            seen.add((made.case_id, made.section))
        return self


def find_account(records: Records, account_id: str) -> Account | None:
    """Return the account with its decisions, or None where it was never imported."""
    if not can_be_stored(account_id):
        return None
    with records.reading() as connection:
        row = connection.execute(select(accounts).where(accounts.c.id == account_id)).one_or_none()
        return None if row is None else _account(row, read_decisions(connection, account_id))


def import_accounts(
    records: Records, path: Path, *, skip_bad: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Load a CSV or JSONL file of accounts in one transaction, and say what it changed.

    A row stands for the whole account: what an earlier import said of it is replaced, decisions
    included; decisions of the docket stay. The same file again changes nothing.

    Args:
        records: Where to.
        path: The file; what its name ends in says how it is read.
        skip_bad: Load the good rows although there are bad ones; otherwise nothing is loaded then.
        progress: Told how many bytes have been read, and how many there are.

    Raises:
        InputError: The file cannot be read at all, or has an unknown column.
        RecordsError: The accounts cannot be written; then none was.
    """
    bad = BadRows()
    with staging(records, _incoming, _incoming_decisions) as connection:
        with connection.begin():
            _stage(connection, path, bad, progress)
            drop_repeated(connection, _incoming, _incoming_decisions, bad=bad)
        if bad.total and not skip_bad:
            return bad.report()
        with merging(connection):
            return _merge(connection, bad)


_COLUMNS = tuple(Account.model_fields)
_incoming = staged_copy(accounts)
_incoming_decisions = staged_copy(decisions)


def _stage(connection: Connection, path: Path, bad: BadRows, progress: Progress | None) -> None:
    staged, past = Batches(connection, _incoming), Batches(connection, _incoming_decisions)
    rows = read_rows(
        path, columns=_COLUMNS, json_columns=("recent", "decisions"), progress=progress
    )
    for row in rows:
        if row.fault:
            bad.add(row.line, row.fault)
            continue
        given = {name: value for name, value in row.fields.items() if value is not None}
        try:
            account = Account.model_validate(given)
        except ValidationError as error:
            bad.add(row.line, first_fault(error))
            continue
        staged.add({"line": row.line, **_values(account)})
        for made in account.decisions:
            past.add({"line": row.line, **values_of(account.id, made, "import")})
    staged.flush()
    past.flush()


def _merge(connection: Connection, bad: BadRows) -> ImportReport:
    total = count(connection, select(_incoming.c.id))
    known = select(_incoming.c.id).join(accounts, accounts.c.id == _incoming.c.id)
    old = count(connection, known)
    differing = known.where(accounts.c.fingerprint != _incoming.c.fingerprint)
    changed = count(connection, differing)
    imported = decisions.c.source == "import"
    connection.execute(delete(decisions).where(imported, decisions.c.account_id.in_(differing)))
    connection.execute(delete(accounts).where(accounts.c.id.in_(differing)))
    # Now every incoming account without a row is to be written. A decision of the docket stays
    # where an import tells of the same one.
    for source, target, account_id in (
        (_incoming_decisions, decisions, _incoming_decisions.c.account_id),
        (_incoming, accounts, _incoming.c.id),
    ):
        copy_rows(connection, source, target, ~exists().where(accounts.c.id == account_id))
    return bad.report(new=total - old, changed=changed, unchanged=old - changed)


def _values(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "created_at": account.created_at,
        "display_name": account.display_name,
        "bio": account.bio,
        "followers": account.followers,
        "verified": account.verified,
        "strikes": account.strikes,
        "reports_received": account.reports_received,
        "recent": to_json(account.recent).decode(),
        "fingerprint": hashlib.sha256(account.model_dump_json().encode()).hexdigest(),
    }


def _account(row: Row[Any], past: tuple[Decision, ...]) -> Account:
    return Account(
        id=row.id,
        created_at=row.created_at,
        display_name=row.display_name,
        bio=row.bio,
        followers=row.followers,
        verified=row.verified,
        strikes=row.strikes,
        reports_received=row.reports_received,
        recent=from_json(row.recent),
        decisions=past,
    )
