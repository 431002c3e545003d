"""Which case got its verdict as a copy of which."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from records.database import insert_into
from records.risk_tables import copies
from records.store import Records
from records.tables import docket


def note_copy_in(connection: Connection, case_id: str, original: str, *, now: float) -> None:
    """Note that a case takes the verdict of another over, in a transaction of `writing()`.

    It is noted before the verdict is written: what is copied can always be found again.
    """
    row = {"case_id": case_id, "original": original, "made_at": now, "undone": False}
    add = insert_into(connection, copies).values(row)
    told = {name: row[name] for name in ("original", "made_at", "undone")}
    connection.execute(add.on_conflict_do_update(index_elements=["case_id"], set_=told))


def standing_copies(records: Records, original: str) -> list[str]:
    """Return the cases that a machine has decided as copies of this one, by id.

    What people decided meanwhile, or what a worker noted and never settled, is not among them.
    """
    query = (
        select(copies.c.case_id)
        .join(docket, docket.c.case_id == copies.c.case_id)
        .where(copies.c.original == original, copies.c.undone.is_(False))
        .where(docket.c.state == "decided", docket.c.decided_by == "machine")
        .order_by(copies.c.case_id)
    )
    with records.reading() as connection:
        return list(connection.execute(query).scalars())


def original_of(records: Records, case_id: str) -> str:
    """Return the case that this one is a copy of; itself where it is none."""
    query = select(copies.c.original).where(copies.c.case_id == case_id)
    with records.reading() as connection:
        return connection.execute(query).scalar_one_or_none() or case_id


def mark_undone(records: Records, case_id: str) -> None:
    """Note that the copied decision on a case was taken back."""
    with records.writing() as connection:
        its_row = copies.c.case_id == case_id
        connection.execute(update(copies).where(its_row).values(undone=True))


def was_overturned(records: Records, case_id: str) -> bool:
    """Return whether people have overturned the decision on a case."""
    query = select(docket.c.overturned).where(docket.c.case_id == case_id)
    with records.reading() as connection:
        return bool(connection.execute(query).scalar_one_or_none())
