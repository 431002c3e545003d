"""Lend cases out, worst first, each to one holder at a time, and take them back.

A lease expires, so that whoever dies loses nothing but time. A holder that was only slow is kept
out by the fence: the number of its lease is no longer the latest, and what it brings is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from records.docket.entries import NOBODY, Desk, Lease, Loan
from records.store import Records
from records.tables import docket, docket_cases, docket_opinions

CLOCK_SLIP = 300.0
"""A lease that began so many seconds from now is void: the clock was set back since. More than
the clocks of two machines may differ."""


@dataclass(frozen=True)
class Terms:
    """How a case is lent."""

    holder: str
    """A worker or a person, by a name of their own."""
    seconds: float
    """How long the lease lasts unless it is renewed."""
    most_tries: int = 5
    """A case that was lent so often to workers and never came back is dead."""


def claim(
    records: Records, terms: Terms, *, limit: int, now: float, desk: Desk = "machine"
) -> list[Loan]:
    """Lend the cases that are due first, at most `limit`, in the order in which they are due.

    What nobody brought back in time is taken back first. Where several claim at once, each gets
    other cases; on PostgreSQL they do not even wait for each other.

    Raises:
        RecordsError: The docket cannot be written.
    """
    with records.writing() as connection:
        take_back_expired(connection, most_tries=terms.most_tries, now=now)
        picked = _first(desk, "", limit)
        leases = _lend(connection, picked, terms, now, counts=desk == "machine")
        return loans_of(connection, leases)


def claim_for_person(records: Records, terms: Terms, *, now: float) -> Loan | None:
    """Lend a person the case that is due first among those that are for anybody or for them.

    A person who already holds a case gets it again. Where nothing waits for people, they get the
    first case that no machine has seen yet.
    """
    with records.writing() as connection:
        take_back_expired(connection, most_tries=terms.most_tries, now=now)
        held = connection.execute(_held_by(terms.holder)).scalars().first()
        if held is not None:
            picked = select(docket.c.case_id).where(docket.c.case_id == held)
            leases = _lend(connection, picked, terms, now, counts=False)
        else:
            leases = _lend_first(connection, terms, now)
        return next(iter(loans_of(connection, leases)), None)


def claim_one(connection: Connection, case_id: str, terms: Terms, *, now: float) -> Lease | None:
    """Lend one case, unless somebody else holds it or it is out of the docket's hands."""
    free = or_(WAITING, _expired(now))
    mine = LEASED & (docket.c.held_by == terms.holder)
    wanted = (docket.c.case_id == case_id) & (free | mine)
    picked = select(docket.c.case_id).where(wanted).with_for_update()
    return next(iter(_lend(connection, picked, terms, now, counts=False)), None)


def renew(records: Records, leases: Sequence[Lease], *, seconds: float, now: float) -> list[Lease]:
    """Let leases last `seconds` from now; return those that are lost."""
    if not leases:
        return []
    with records.writing() as connection:
        ours = still_held(connection, leases)
        if ours:
            connection.execute(
                update(docket)
                .where(docket.c.case_id == bindparam("its_id"))
                .values(held_since=now, held_until=now + seconds),
                [{"its_id": lease.case_id} for lease in ours],
            )
    return sorted(set(leases) - set(ours), key=lambda lease: lease.case_id)


def hand_back(
    records: Records, leases: Sequence[Lease], *, rest_until: float | None = None
) -> None:
    """Give cases back unfinished, through no fault of theirs: the try does not count.

    Args:
        records: Where the docket is.
        leases: What is given back; what is no longer ours is passed over.
        rest_until: Lend them to nobody before.
    """
    with records.writing() as connection:
        let_go(connection, leases, rest_until=rest_until, forgive=True)


def fail(
    records: Records, lease: Lease, *, reason: str, rest_until: float, most_tries: int
) -> bool:
    """Give a case back that could not be worked; after `most_tries` it is dead. Return if it is."""
    with records.writing() as connection:
        if not still_held(connection, [lease]):
            return False
        its_row = docket.c.case_id == lease.case_id
        tries = connection.execute(select(docket.c.tries).where(its_row)).scalar_one()
        connection.execute(update(docket).where(its_row).values(reason=reason))
        if tries < most_tries:
            let_go(connection, [lease], rest_until=rest_until)
            return False
        connection.execute(update(docket).where(its_row).values(state="dead", **FREE))
        return True


def take_back_expired(connection: Connection, *, most_tries: int, now: float) -> None:
    """Let what nobody brought back in time wait again, or be dead after too many tries."""
    late = select(docket.c.case_id).where(_expired(now)).with_for_update(skip_locked=True)
    # Two statements: mostly there is nothing, and PostgreSQL need not guess how much there may be.
    ids = connection.execute(late).scalars().all()
    if not ids:
        return
    worn_out = (docket.c.tries >= most_tries) & (docket.c.waits_for == "machine")
    lost = worn_out & (docket.c.held_by != NOBODY)
    connection.execute(
        update(docket)
        .where(docket.c.case_id.in_(ids))
        .values(
            state=case((worn_out, "dead"), else_="waiting"),
            reason=case((lost, literal(WORN_OUT)), else_=docket.c.reason),
            **FREE,
        )
    )


def still_held(connection: Connection, leases: Iterable[Lease]) -> list[Lease]:
    """Return the leases that are the latest of their cases, and lock those cases."""
    wanted = {lease.case_id: lease for lease in leases}
    rows = connection.execute(
        select(docket.c.case_id, docket.c.fence)
        .where(docket.c.case_id.in_(sorted(wanted)), LEASED)
        .order_by(docket.c.case_id)  # two who lock the same cases shall wait, not block each other
        .with_for_update()
    )
    return [wanted[row.case_id] for row in rows if wanted[row.case_id].fence == row.fence]


def loans_of(connection: Connection, leases: Sequence[Lease]) -> list[Loan]:
    """Return what is lent, with its content and the machine's opinion, the first due first."""
    wanted = {lease.case_id: lease for lease in leases}
    rows = connection.execute(
        select(
            docket.c.case_id,
            docket.c.due,
            docket.c.added_at,
            docket.c.tries,
            docket.c.own_call,
            docket.c.reason,
            docket_cases.c.content,
            docket_opinions.c.verdict,
        )
        .join(docket_cases, docket_cases.c.case_id == docket.c.case_id)
        .join(docket_opinions, docket_opinions.c.case_id == docket.c.case_id, isouter=True)
        .where(docket.c.case_id.in_(sorted(wanted)))
        .order_by(docket.c.due, docket.c.case_id)
    )
    return [_loan(row, wanted[row.case_id]) for row in rows]


# Written out, and no parameters: so that both databases see that an index of such rows will do.
WAITING = docket.c.state == literal_column("'waiting'")
LEASED = docket.c.state == literal_column("'leased'")
DECIDED = docket.c.state == literal_column("'decided'")

FREE: dict[str, object] = {"held_by": "", "held_since": None, "held_until": None}
"""What the row of a case says that nobody holds."""

WORN_OUT = "every worker that held it ended without bringing it back"


def _first(desk: Desk, reserved: str, limit: int) -> Select[tuple[str]]:
    """The cases at a desk that are due first; the index gives them without a search."""
    return (
        select(docket.c.case_id)
        .where(WAITING, docket.c.waits_for == desk, docket.c.reserved_for == reserved)
        .order_by(docket.c.due, docket.c.case_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _lend_first(connection: Connection, terms: Terms, now: float) -> list[Lease]:
    desks: tuple[Desk, ...] = ("person", "machine")
    for desk in desks:
        # One look into the index for each; a search over both would have to sort the whole desk.
        heads = [_head(connection, desk, reserved) for reserved in ("", terms.holder)]
        for _, case_id in sorted(head for head in heads if head is not None):
            lease = claim_one(connection, case_id, terms, now=now)
            if lease is not None:
                return [lease]
    return []


def _head(connection: Connection, desk: Desk, reserved: str) -> tuple[float, str] | None:
    row = connection.execute(_first(desk, reserved, 1).add_columns(docket.c.due)).one_or_none()
    return (row.due, row.case_id) if row else None


def _held_by(person: str) -> Select[tuple[str]]:
    return (
        select(docket.c.case_id)
        .where(LEASED, docket.c.held_by == person)
        .order_by(docket.c.due, docket.c.case_id)
        .limit(1)
    )


def _lend(
    connection: Connection, picked: Select[tuple[str]], terms: Terms, now: float, *, counts: bool
) -> list[Lease]:
    """Lend what is picked. PostgreSQL would pick anew for each row, were this no CTE."""
    chosen = picked.cte("chosen")
    lent = connection.execute(
        update(docket)
        .where(docket.c.case_id.in_(select(chosen.c.case_id)))
        .values(
            state="leased",
            fence=docket.c.fence + 1,
            tries=docket.c.tries + int(counts),
            held_by=terms.holder,
            held_since=now,
            held_until=now + terms.seconds,
            person_seconds=docket.c.person_seconds if counts else worked_by(terms.holder, now),
        )
        .returning(docket.c.case_id, docket.c.fence)
    )
    return [Lease(row.case_id, row.fence) for row in lent]


def worked_by(person: str, now: float) -> ColumnElement[float | None]:
    """How long people have worked on a case, with what a person who holds it adds until now.

    From taking it to letting it go or taking it again, and no more than the lease: who decides on
    the next morning did not work all night. What was lent and never came back adds nothing, and
    neither does a clock that was set back.
    """
    holds = LEASED & (docket.c.held_by == person) & (docket.c.held_since <= now)
    ended = case((docket.c.held_until < now, docket.c.held_until), else_=now)
    worked = func.coalesce(docket.c.person_seconds, 0.0) + (ended - docket.c.held_since)
    return case((holds, worked), else_=docket.c.person_seconds)


def let_go(
    connection: Connection,
    leases: Sequence[Lease],
    *,
    rest_until: float | None = None,
    forgive: bool = False,
) -> None:
    """End leases that are still ours: lend the cases again at once, or after a rest.

    Args:
        connection: A transaction of `records.writing()`.
        leases: What is given back.
        rest_until: Lend them to nobody before.
        forgive: Whether the try does not count.
    """
    ids = [lease.case_id for lease in still_held(connection, leases)]
    values: dict[str, object] = {
        "tries": docket.c.tries - int(forgive),
        "fence": docket.c.fence + 1,  # whoever gave it back cannot bring it any more
    }
    if rest_until is None:
        values |= {"state": "waiting", **FREE}
    else:
        values |= {"held_by": NOBODY, "held_until": rest_until}
    if ids:
        connection.execute(update(docket).where(docket.c.case_id.in_(ids)).values(values))


def _expired(now: float) -> ColumnElement[bool]:
    slipped = docket.c.held_since > now + CLOCK_SLIP
    return LEASED & or_(docket.c.held_until <= now, slipped)


def _loan(row: Row[tuple[object, ...]], lease: Lease) -> Loan:
    return Loan(
        lease=lease,
        content=row.content,
        due=row.due,
        added_at=row.added_at,
        tries=row.tries,
        verdict=row.verdict,
        own_call=row.own_call,
        reason=row.reason,
    )
