from __future__ import annotations

from pathlib import Path

import pytest

from evals.golden import GoldenCase
from evals.run import run
from tests.evals.by_ear import golden_case, manifest, review_by_ear


@pytest.fixture
def square() -> list[GoldenCase]:
    """Two shouts, one of them missed; two quiet ones, one removed; one that nobody can tell."""
    return [
        golden_case("loud", "HEY YOU", "violating"),
        golden_case("missed", "hey you", "violating", policy="park"),
        golden_case("quiet", "good night", "allowed"),
        golden_case("name", "NATO", "allowed", policy="park"),
        golden_case("unclear", "was that loud?", "abstain"),
    ]


@pytest.fixture
def finished(square: list[GoldenCase], tmp_path: Path) -> Path:
    """The folder of a finished run."""
    folder = tmp_path / "finished"
    run(square, review_by_ear, folder, manifest(square))
    return folder
