"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.postgres import Server

# A busy machine is no fault of the code; what has to be quick is measured by `make bench`.
settings.register_profile("amicus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("amicus")

_numbers = itertools.count(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs PostgreSQL where there is none; raised here, it is one line for all."""
    if item.get_closest_marker("postgres"):
        from tests.postgres import what_is_missing

        if missing := what_is_missing():
            pytest.skip(f"no PostgreSQL here: {missing}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; a test that asks for it is marked `postgres`."""
    from tests.postgres import throw_away_server

    with throw_away_server() as server:
        yield server


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
