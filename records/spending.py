"""What language models have cost, by case, run and day; and ceilings that hold under concurrency.

The most that an exchange can cost is *held* before it goes out and *settled* to what it did cost.
A ceiling is checked against all that is spent or held, in one statement of the database, so that
neither many threads nor many processes can step over it together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, case, delete, func, insert, select, update

from records.database import insert_into
from records.exchange_tables import spending, spending_totals
from records.store import Records

Grouping = Literal["day", "run", "case_id", "model"]
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Spend:
    """One exchange with a model, and its cost in dollars."""

    id: str
    run: str
    case_id: str
    model: str
    at: float
    """Seconds since 1970."""
    cost_usd: float
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    @property
    def day(self) -> str:
        """The day in UTC, such as `2026-11-22`."""
        return datetime.fromtimestamp(self.at, UTC).date().isoformat()


@dataclass(frozen=True)
class Ceilings:
    """The most that may be spent, in dollars; None is no ceiling."""

    run: float | None = None
    day: float | None = None


@dataclass(frozen=True)
class Refusal:
    """Which ceiling has no room left."""

    scope: Literal["run", "day"]
    limit: float
    spent: float
    """What is spent or held already."""


def hold_in(connection: Connection, most: Spend, ceilings: Ceilings) -> Refusal | None:
    """Hold the most that an exchange can cost, or return the ceiling that is in the way."""
    taken: list[str] = []
    for scope, name, limit in _scopes(most, ceilings):
        if not _take(connection, name, most.cost_usd, limit):
            for earlier in taken:
                _add(connection, earlier, -most.cost_usd)
            spent = _total(connection, name)
            return Refusal(scope, limit if limit is not None else 0.0, spent)
        taken.append(name)
    connection.execute(insert(spending).values(settled=False, day=most.day, **vars(most)))
    return None


def settle_in(connection: Connection, actual: Spend) -> None:
    """Replace what was held under this id by what it did cost; without a hold, just record it."""
    row = connection.execute(
        select(spending.c.cost_usd, spending.c.day).where(spending.c.id == actual.id)
    ).one_or_none()
    held, day = (row.cost_usd, row.day) if row else (0.0, actual.day)
    for name in (f"day:{day}", f"run:{actual.run}"):
        _add(connection, name, actual.cost_usd - held)
    values = vars(actual) | {"settled": True, "day": day}
    if row is None:
        connection.execute(insert(spending).values(values))
    else:
        connection.execute(update(spending).where(spending.c.id == actual.id).values(values))


def release_in(connection: Connection, *, run: str, case_id: str | None = None) -> None:
    """Let go of what a run, or one case of it, still holds: nothing of it was sent and charged."""
    query = select(spending).where(spending.c.run == run, spending.c.settled.is_(False))
    if case_id is not None:
        query = query.where(spending.c.case_id == case_id)
    for row in connection.execute(query).all():
        for name in (f"day:{row.day}", f"run:{run}"):
            _add(connection, name, -row.cost_usd)
        connection.execute(delete(spending).where(spending.c.id == row.id))


def spent_on(records: Records, run: str) -> float:
    """Return what a run has spent or holds, in dollars."""
    with records.reading() as connection:
        return _total(connection, f"run:{run}")


@dataclass(frozen=True)
class Sum:
    """What was spent on one day, run, case or model."""

    name: str
    exchanges: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float
    unsettled: int
    """Exchanges whose end nobody saw; they count with the most that they can have cost."""


def sums(records: Records, by: Grouping, *, since: str = "", limit: int = 1_000) -> Sequence[Sum]:
    """Return the spending since a day such as `2026-11-01`, the costliest first; by day, in order.

    Args:
        records: Where it is recorded.
        by: What to sum over.
        since: The first day.
        limit: Most sums.
    """
    column = spending.c[by]
    cost = func.sum(spending.c.cost_usd)
    query = (
        select(
            column,
            func.count(),
            func.sum(spending.c.input_tokens),
            func.sum(spending.c.cached_tokens),
            func.sum(spending.c.output_tokens),
            cost,
            func.sum(case((spending.c.settled, 0), else_=1)),
        )
        .where(spending.c.day >= since)
        .group_by(column)
        .order_by(column if by == "day" else cost.desc(), column)
        .limit(limit)
    )
    with records.reading() as connection:
        return [
            Sum(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), float(row[5]), int(row[6]))
            for row in connection.execute(query)
        ]


def _scopes(
    spend: Spend, ceilings: Ceilings
) -> Iterator[tuple[Literal["run", "day"], str, float | None]]:
    yield "run", f"run:{spend.run}", ceilings.run
    yield "day", f"day:{spend.day}", ceilings.day


def _take(connection: Connection, name: str, cost: float, limit: float | None) -> bool:
    """Add to a sum unless that steps over the limit; both in one statement."""
    insertion = insert_into(connection, spending_totals).values(scope=name, cost_usd=0.0)
    connection.execute(insertion.on_conflict_do_nothing())
    added = spending_totals.c.cost_usd + cost
    statement = (
        update(spending_totals).where(spending_totals.c.scope == name).values(cost_usd=added)
    )
    if limit is not None:
        statement = statement.where(added <= limit + _ROUNDING)
    return connection.execute(statement).rowcount == 1


def _add(connection: Connection, name: str, cost: float) -> None:
    _take(connection, name, cost, None)


def _total(connection: Connection, name: str) -> float:
    query = select(spending_totals.c.cost_usd).where(spending_totals.c.scope == name)
    return float(connection.execute(query).scalar_one_or_none() or 0.0)
