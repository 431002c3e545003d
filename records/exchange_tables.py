"""The tables around language models: what was asked and answered, what it cost, what is kept apart.

Moments are seconds since 1970; days are UTC days as `2026-11-22`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Table, Text

from records.tables import metadata

exchanges = Table(
    "exchanges",
    metadata,
    Column("key", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Index("exchanges_of_a_case", "case_id"),
)

# A row is written before a request goes out and settled afterwards; one that never was settled
# counts in full, because nobody can know whether it was paid.
spending = Table(
    "spending",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("run", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_usd", Double, nullable=False),
    Column("settled", Boolean, nullable=False),
    Index("spending_of_a_day", "day"),
    Index("spending_of_a_run", "run"),
    Index("spending_of_a_case", "case_id"),
)

# The sums that budgets hold against; a scope is `day:2026-11-22` or `run:…`.
spending_totals = Table(
    "spending_totals",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("cost_usd", Double, nullable=False),
)

prompt_texts = Table(
    "prompt_texts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("text", Text, nullable=False),
)

# What the ledger holds by its hash alone, so that it can be forgotten without breaking the chain.
contents = Table(
    "contents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("contents_of_a_case", "case_id"),
)

# A batch that is meant to be handed in has no remote id yet.
batches = Table(
    "batches",
    metadata,
    Column("label", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("submitted_at", Double, nullable=False),
    Column("remote_id", Text, nullable=False),
)

batch_replies = Table(
    "batch_replies",
    metadata,
    Column("key", Text, primary_key=True),
    Column("reply", Text, nullable=False),
    Column("came_at", Double, nullable=False),
)
