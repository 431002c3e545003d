"""The rulebooks that verdicts were given under, each kept under the hash of its content."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select

from errors import RecordsError, shown
from policies.rulebook import digest
from records.database import insert_into
from records.store import Records
from records.tables import rulebooks


def keep_rulebook(records: Records, rulebook_id: str, files: Mapping[str, str]) -> None:
    """Keep the source of a rulebook; one that is kept already is left as it is.

    Args:
        records: Where to.
        rulebook_id: `Rulebook.id`.
        files: `Rulebook.files`, file name to text.

    Raises:
        RecordsError: It could not be written.
        ValueError: `rulebook_id` is not the identity of `files`.
    """
    if _identity(files) != rulebook_id:
        raise ValueError(f"{rulebook_id} is not the identity of these files")
    query = select(rulebooks.c.id).where(rulebooks.c.id == rulebook_id)
    with records.reading() as connection:
        if connection.execute(query).one_or_none() is not None:
            return  # nearly always; so reviews do not wait for each other here
    with records.writing() as connection:
        row = {"id": rulebook_id, "files": json.dumps(dict(files), sort_keys=True)}
        connection.execute(insert_into(connection, rulebooks).values(row).on_conflict_do_nothing())


def kept_rulebook(records: Records, rulebook_id: str) -> dict[str, str] | None:
    """Return the files of a rulebook that was kept, or None.

    Raises:
        RecordsError: What is kept is no longer what its hash says.
    """
    query = select(rulebooks.c.files).where(rulebooks.c.id == rulebook_id)
    with records.reading() as connection:
        text = connection.execute(query).scalar_one_or_none()
    if text is None:
        return None
    try:
        files: dict[str, str] = json.loads(text)
        whole = _identity(files) == rulebook_id
    except (AttributeError, TypeError, ValueError):
        whole = False
    if not whole:
        raise RecordsError(
            f"the kept rulebook {shown(rulebook_id, 90)} is not as it was kept",
            hint="restore the records from a backup, and run `amicus ledger verify`",
        )
    return files


def _identity(files: Mapping[str, str]) -> str:
    return digest(sorted(files.items()))
