"""Open records, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from records.store import Records, open_records


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
    """New records on SQLite, for what PostgreSQL has no part in."""
    with open_records(sqlite_url, home=home) as opened:
        yield opened


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """Records on SQLite that stay empty: for what is refused, and shared to be quick."""
    home = tmp_path_factory.mktemp("untouched")
    with open_records(f"sqlite:///{home}/amicus.db", home=home) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for files to import."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder
