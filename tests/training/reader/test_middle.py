"""Where the reader's log-odds are zero."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from training.reader.middle import line  # noqa: E402 - needs torch


def test_the_line_errs_as_often_one_way_as_the_other() -> None:
    chance = np.random.default_rng(0)
    broken, kept = chance.normal(1.0, 1.0, 4000), chance.normal(-3.0, 1.0, 4000)
    found = line(broken, kept)
    assert found == pytest.approx(-1.0, abs=0.1)
    assert np.mean(broken <= found) == pytest.approx(np.mean(kept > found), abs=0.01)


def test_where_nothing_overlaps_the_line_lies_between() -> None:
    assert -2.0 <= line(np.array([1.0, 2.0]), np.array([-2.0, -3.0])) < 1.0
