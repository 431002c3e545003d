"""The tables of risk control: certificates, audits of what machines closed, quotas, a switch.

Moments are seconds since 1970; days are UTC days as `2026-11-22`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from records.tables import metadata

certificates = Table(
    "certificates",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("audit_key", LargeBinary, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("stopped_at", Double),
    Column("why", Text, nullable=False),
)

# A row is written before the closure that it is to check, so that no closure goes unchecked.
audits = Table(
    "audits",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("certificate", Integer, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("drawn_at", Double, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_until", Double, nullable=False),
    Column("call", Text, nullable=False),
    Column("wrong", Boolean),
    Column("answered_at", Double),
    Column("answered_by", Text, nullable=False),
    Index("audits_of_a_certificate", "certificate", "claim", "wrong"),
    Index(
        "audits_to_answer",
        "drawn_at",
        "case_id",
        sqlite_where=text("wrong IS NULL"),
        postgresql_where=text("wrong IS NULL"),
    ),
)

closing_quotas = Table(
    "closing_quotas",
    metadata,
    Column("day", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("taken", BigInteger, nullable=False),
)

closing_switch = Table(
    "closing_switch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("off", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("turned_by", Text, nullable=False),
    Column("turned_at", Double, nullable=False),
    CheckConstraint("id = 1"),
)

# Which case got its verdict as a copy of which; undone together where one of them was wrong.
copies = Table(
    "copies",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("original", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("undone", Boolean, nullable=False),
    Index("copies_of_a_case", "original"),
)
