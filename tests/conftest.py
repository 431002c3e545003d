"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, or a test that is skipped and says why."""
    from tests.postgres import NoServerError, throw_away_server

    try:
        with throw_away_server() as server:
            yield server
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """The address of a new, empty PostgreSQL database."""
    name = f"amicus_{next(_numbers)}"
    postgres.run(f"CREATE SCHEMA {name}")
    return postgres.url(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'home' / 'amicus.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def records_url(request: pytest.FixtureRequest) -> str:
    """The address of empty records, on SQLite and on PostgreSQL."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(kind)
    return url
