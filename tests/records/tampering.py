# ruff: noqa: S608 (attacks are what this file is for)
"""What somebody with SQL access does to the ledger: drop the fence first, then anything."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, insert, select, update

from records.chain import next_record
from records.ledger import append
from records.store import Records
from records.tables import ledger, ledger_head

AT = datetime(2026, 11, 1, tzinfo=UTC)


def write_records(records: Records, number: int) -> None:
    """Fill the ledger: record 1 is about case c-1, and so on."""
    for turn in range(1, number + 1):
        append(records, "verdict", f"c-{turn}", {"confidence": turn / 7}, at=AT)


def tamper(engine: Engine, *statements: str) -> None:
    """Run statements on a ledger without its fence."""
    with engine.connect() as connection:
        drop_fence(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


def drop_fence(connection: Connection) -> None:
    """Do what the owner of the tables may do."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE ledger DISABLE TRIGGER ALL")
        return
    for name in ("updated", "deleted", "replaced"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS ledger_is_never_{name}")


def move(first: int, second: int) -> tuple[str, ...]:
    """The statements that let two records change places."""
    return (
        f"UPDATE ledger SET seq = 1000 WHERE seq = {first}",
        f"UPDATE ledger SET seq = {first} WHERE seq = {second}",
        f"UPDATE ledger SET seq = {second} WHERE seq = 1000",
    )


def rewrite_from(engine: Engine, seq: int) -> None:
    """Change record `seq`, and make a whole chain of it and everything after it, head included."""
    with engine.connect() as connection:
        drop_fence(connection)
        rows = connection.execute(
            select(ledger).where(ledger.c.seq >= seq).order_by(ledger.c.seq)
        ).all()
        connection.execute(delete(ledger).where(ledger.c.seq >= seq))
        previous = rows[0].previous
        for row in rows:
            record = next_record(
                row.seq, row.kind, row.case_id, {"confidence": 0}, at=AT, previous=previous
            )
            connection.execute(insert(ledger).values(vars(record)))
            previous = record.hash
        connection.execute(update(ledger_head).values(hash=previous))
        connection.commit()
