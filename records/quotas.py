"""How often machines have taken an action today, on all machines together."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from records.database import insert_into
from records.risk_tables import closing_quotas
from records.store import Records


def day_of(now: float) -> str:
    """Return the UTC day of a moment.

    >>> day_of(0.0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def take_quota(records: Records, action: str, *, wanted: int, most: int, now: float) -> int:
    """Reserve as many of today's closures as there are left, at most `wanted`; return how many.

    What is reserved and not used is lost until tomorrow: a quota is never exceeded.

    Args:
        records: Where it is counted.
        action: What the closures do.
        wanted: How many to reserve.
        most: How many there may be in a day.
        now: Seconds since 1970.
    """
    day = day_of(now)
    table = closing_quotas.c
    its_row = (table.day == day) & (table.action == action)
    with records.writing() as connection:
        add = insert_into(connection, closing_quotas).values(day=day, action=action, taken=0)
        connection.execute(add.on_conflict_do_nothing())
        query = select(table.taken).where(its_row).with_for_update()
        taken = int(connection.execute(query).scalar_one())
        granted = max(0, min(wanted, most - taken))
        if granted:
            connection.execute(update(closing_quotas).where(its_row).values(taken=taken + granted))
    return granted
