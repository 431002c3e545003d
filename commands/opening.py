"""From the settings to what a command works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.reviewer import Options, Reviewer
    from records.store import Records
    from settings import Settings


def read_settings() -> Settings:
    """Return the settings; the environment is read here and nowhere below."""
    from settings import load_settings

    return load_settings()


def options_for(settings: Settings, policies: Path | None, model: str | None) -> Options:
    """Return what a reviewer is opened with; an option goes before its setting."""
    from agent.reviewer import Options
    from agent.state import Limits
    from tools.links.lookup import open_lookups

    key = settings.ledger_key
    return Options(
        home=settings.home,
        records_url=settings.records_url,
        model=model or settings.model,
        policies=policies or settings.policies,
        threads=settings.threads,
        ledger_key=key.get_secret_value() if key else None,
        limits=Limits(tool_calls=settings.max_tool_calls, tool_seconds=settings.tool_seconds),
        lookups=open_lookups(settings),
    )


def reviewer_for(settings: Settings, policies: Path | None, model: str | None) -> Reviewer:
    """Return an open reviewer; to be used in a `with` block."""
    from agent.reviewer import open_reviewer

    return open_reviewer(options_for(settings, policies, model))


def records_for(settings: Settings) -> Records:
    """Return the open records; to be used in a `with` block."""
    from records.store import open_records

    key = settings.ledger_key
    return open_records(
        settings.records_url,
        home=settings.home,
        ledger_key=key.get_secret_value() if key else None,
    )
