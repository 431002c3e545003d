"""A sentence model and a small rulebook, as real as the shipped ones."""

from __future__ import annotations

import pytest

from policies.rulebook import Rulebook
from retrieval.embedder import Embedder, open_embedder
from retrieval.index import PolicyIndex, open_policy_index
from tests.retrieval.library import library_rules


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return open_embedder(threads=1)


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return library_rules()


@pytest.fixture(scope="session")
def index(
    rulebook: Rulebook, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> PolicyIndex:
    return open_policy_index(rulebook, embedder, tmp_path_factory.mktemp("home"))
