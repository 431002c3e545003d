from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire.guard import stays_home


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine() -> Iterator[None]:
    with stays_home():
        yield
