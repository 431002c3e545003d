"""The tables, in SQLAlchemy's words; SQLite and PostgreSQL get the same ones."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware moment, kept in UTC: SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is stored."""
        del dialect
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what was stored, aware again."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


schema_version = Table(
    "schema_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    CheckConstraint("id = 1"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Instant),
    Column("display_name", Text, nullable=False),
    Column("bio", Text, nullable=False),
    Column("followers", BigInteger, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("strikes", BigInteger, nullable=False),
    Column("reports_received", BigInteger, nullable=False),
    Column("recent", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
)

# No foreign key to accounts: a decision may come before the account that it is about.
decisions = Table(
    "decisions",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("case_id", Text, primary_key=True),
    Column("section", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("severity", Text),
    Column("decided_at", Instant, nullable=False),
    Column("overturned", Boolean, nullable=False),
    Column("source", Text, nullable=False),
)

precedents = Table(
    "precedents",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("section_version", Text, nullable=False),
    Column("decided_at", Instant),
    Column("note", Text, nullable=False),
    Column("overturned", Boolean, nullable=False),
    Column("fingerprint", Text, nullable=False),
)

link_lists = Table(
    "link_lists",
    metadata,
    Column("name", Text, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False),
)

links = Table(
    "links",
    metadata,
    # The entry comes first: it is what a look-up knows.
    Column("entry", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("list_name", Text, primary_key=True),
    Column("category", Text, nullable=False),
    Index("links_of_a_list", "list_name"),
)

rulebooks = Table(
    "rulebooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("files", Text, nullable=False),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    CheckConstraint("id = 1"),
)

ledger = Table(
    "ledger",
    metadata,
    Column(
        "seq",
        # Only the plain word INTEGER makes the key of an SQLite table its row number.
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("kind", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Index("ledger_of_a_case", "case_id", "kind", "seq"),
)

# Moments of the docket are seconds since 1970: they are compared and ordered by all day long.
docket = Table(
    "docket",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("due", Double, nullable=False),
    Column("reserved_for", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("added_at", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("held_by", Text, nullable=False),
    Column("held_since", Double),
    Column("held_until", Double),
    Column("reason", Text, nullable=False),
    Column("own_call", Text),
    Column("decision", Text),
    Column("action", Text),
    Column("sections", Text, nullable=False, server_default=""),
    Column("decided_by", Text),
    Column("decided_at", Double),
    Column("record", BigInteger),
    Column("agrees", Boolean),
    Column("overturned", Boolean, nullable=False),
    Column("cost", Double, nullable=False),
    Column("first_decided_by", Text),
    Column("person_seconds", Double),
    # These three are small however long the docket is: what is decided has left the first two.
    Index(
        "docket_in_order",
        "waits_for",
        "reserved_for",
        "due",
        "case_id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "docket_on_loan",
        "held_until",
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
    Index(
        "docket_by_decision",
        "decided_at",
        sqlite_where=text("state = 'decided'"),
        postgresql_where=text("state = 'decided'"),
    ),
)

# Apart from the rows above, which change with every claim, so that a claim moves no content.
docket_cases = Table(
    "docket_cases",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
)

docket_opinions = Table(
    "docket_opinions",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("given_at", Double, nullable=False),
    Index("docket_opinions_in_time", "given_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("fault", Text, nullable=False),
    Index("outbox_of_a_case", "case_id"),
    Index(
        "outbox_due",
        "next_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
)

# A first fence, against slips: whoever may change the schema can drop it, and is found by `verify`.
FENCE = {
    "sqlite": (
        """CREATE TRIGGER ledger_is_never_updated BEFORE UPDATE ON ledger
           BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        """CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
           BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
        # INSERT OR REPLACE deletes without asking the trigger above.
        """CREATE TRIGGER ledger_is_never_replaced BEFORE INSERT ON ledger
           WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq OR hash = NEW.hash)
           BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$""",
        """CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE OR DELETE ON ledger
           FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()""",
        """CREATE TRIGGER ledger_is_never_emptied BEFORE TRUNCATE ON ledger
           FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()""",
    ),
}
