"""Certificates: what allows a machine to close cases, and what takes that back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from errors import RecordsError
from records.database import insert_into
from records.ledger import append_all_in, move_anchor
from records.risk_tables import certificates, closing_switch
from records.schema import alone
from records.store import Records

_KEY_BYTES = 32
_NO_CASE = "-"
"""What the ledger calls the case of a record that is about none."""


@dataclass(frozen=True)
class KeptCertificate:
    """A certificate as it stands; moments are seconds since 1970."""

    number: int
    id: str
    """A hash of the body."""
    body: str
    """What it claims and on what grounds, as JSON."""
    audit_key: bytes
    """Decides which closures are audited; who does not know it cannot tell."""
    made_at: float
    until: float
    stopped_at: float | None
    why: str
    """Why it was stopped."""


@dataclass(frozen=True)
class Switch:
    """The kill switch: while it is off, no machine closes a case."""

    off: bool
    why: str = ""
    turned_by: str = ""


def keep_certificate(
    records: Records, certificate_id: str, body: str, *, made_at: float, until: float
) -> KeptCertificate:
    """Keep a certificate; from now on it is the one that counts, and earlier ones do not.

    Raises:
        RecordsError: It could not be written.
    """
    key = secrets.token_bytes(_KEY_BYTES)
    with records.writing() as connection:
        alone(connection)
        last = connection.execute(select(func.max(certificates.c.number))).scalar_one()
        number = (last or 0) + 1
        connection.execute(
            insert(certificates).values(
                number=number,
                id=certificate_id,
                body=body,
                audit_key=key,
                made_at=made_at,
                until=until,
                why="",
            )
        )
        told = {"certificate": certificate_id, "number": number, "until": until, "body": body}
        seq = _tell(connection, "certificate", told, made_at)
    move_anchor(records, seq)
    return KeptCertificate(number, certificate_id, body, key, made_at, until, None, "")


def latest_certificate(records: Records) -> KeptCertificate | None:
    """Return the certificate that counts, or None where none was ever made."""
    with records.reading() as connection:
        return latest_in(connection)


def latest_in(connection: Connection) -> KeptCertificate | None:
    """Do the same on a connection of `records.reading()` or `records.writing()`."""
    row = connection.execute(_newest_first().limit(1)).one_or_none()
    return None if row is None else _kept(row)


def every_certificate(records: Records) -> list[KeptCertificate]:
    """Return all certificates, the newest first."""
    with records.reading() as connection:
        return [_kept(row) for row in connection.execute(_newest_first())]


def stop_certificate(records: Records, number: int, why: str, *, now: float) -> bool:
    """Stop a certificate for good; return False where it was stopped already."""
    with records.writing() as connection:
        seq = stop_in(connection, number, why, now=now)
    if seq:
        move_anchor(records, seq)
    return bool(seq)


def stop_in(connection: Connection, number: int, why: str, *, now: float) -> int:
    """Do the same in a transaction; return the ledger record for `move_anchor`, or 0."""
    standing = (certificates.c.number == number) & certificates.c.stopped_at.is_(None)
    done = connection.execute(
        update(certificates).where(standing).values(stopped_at=now, why=why)
    ).rowcount
    return _tell(connection, "closing_stopped", {"number": number, "why": why}, now) if done else 0


def closing_state(records: Records) -> tuple[KeptCertificate | None, Switch]:
    """Return the certificate that counts and the kill switch, as they are at one moment."""
    with records.reading() as connection:
        return latest_in(connection), _switch_in(connection)


def turn_switch(records: Records, switch: Switch, *, now: float) -> None:
    """Turn automatic closing off or on again; the ledger says who did it and why."""
    values = {"off": switch.off, "why": switch.why, "turned_by": switch.turned_by, "turned_at": now}
    with records.writing() as connection:
        add = insert_into(connection, closing_switch).values(id=1, **values)
        connection.execute(add.on_conflict_do_update(index_elements=["id"], set_=values))
        told = {"off": switch.off, "why": switch.why, "by": switch.turned_by}
        seq = _tell(connection, "closing_switch", told, now)
    move_anchor(records, seq)


def _switch_in(connection: Connection) -> Switch:
    row = connection.execute(select(closing_switch)).one_or_none()
    return Switch(off=False) if row is None else Switch(row.off, row.why, row.turned_by)


def _newest_first() -> Select[tuple[object, ...]]:
    return select(certificates).order_by(certificates.c.number.desc())


def _kept(row: Row[tuple[object, ...]]) -> KeptCertificate:
    try:
        return KeptCertificate(**row._mapping)  # noqa: SLF001 (public, whatever its name)
    except TypeError:
        raise RecordsError(
            "the table of certificates has other columns than this version knows",
            hint="restore the records from a backup",
        ) from None


def _tell(connection: Connection, kind: str, payload: dict[str, object], now: float) -> int:
    at = datetime.fromtimestamp(now, UTC)
    return append_all_in(connection, [(kind, _NO_CASE, payload)], at=at)[0].seq
