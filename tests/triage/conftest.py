"""A docket with a village's rules, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.reviewer import Opinion
from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook
from records.store import Records, open_records
from tests.triage.scenes import GARDEN, WELL, Clock, EverythingCloses, lines_of, opinion_on
from triage.closing import ClosingPolicy
from triage.crew import Orders, Post, Tally, work
from triage.intake import AddReport, Reading, add_cases
from triage.priority import Priority, read_priority
from triage.ruling import Bench


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture(scope="session")
def village() -> Rulebook:
    """Two policies; the policy of the well is left to people."""
    return rulebook_from_files({"garden.md": GARDEN, "well.md": WELL})


@pytest.fixture(scope="session")
def priority(village: Rulebook) -> Priority:
    """The shipped page of priorities, under the village's rules."""
    return read_priority(None, village)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that is not there yet."""
    return tmp_path / "home"


@pytest.fixture
def records(records_url: str, home: Path) -> Iterator[Records]:
    """New records, on SQLite and on PostgreSQL."""
    with open_records(records_url, home=home) as opened:
        yield opened


@pytest.fixture
def sqlite_records(sqlite_url: str, home: Path) -> Iterator[Records]:
    """New records on SQLite, for what the database has no part in."""
    with open_records(sqlite_url, home=home) as opened:
        yield opened


@pytest.fixture
def add(priority: Priority, clock: Clock) -> Callable[..., AddReport]:
    """Add cases to the docket of some records."""

    def run(records: Records, *cases: Mapping[str, Any] | str) -> AddReport:
        reading = Reading(priority, clock, max_text_chars=1_000)
        return add_cases(records, lines_of(*cases), reading)

    return run


@pytest.fixture
def run(priority: Priority) -> Callable[..., Tally]:
    """Let a crew work until nothing is left."""

    def run(  # noqa: PLR0913 (what a crew is made of)
        records: Records,
        opinion: Callable[[Case], Opinion] = opinion_on,
        *,
        closing: ClosingPolicy | None = None,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.time,
        on_progress: Callable[[Tally], None] = lambda _: None,
        **changes: Any,
    ) -> Tally:
        orders: dict[str, Any] = {"name": "crew", "workers": 4, "rest_seconds": 0.01} | changes
        bench = Bench(closing or EverythingCloses(), priority)
        post = Post(records, opinion, bench, Orders(**orders), clock=clock, on_progress=on_progress)
        return work(post, stop or threading.Event())

    return run
