"""A bounded kill test; `python -m tests.torture --kills 1000` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_whoever_is_killed_when_no_case_is_lost_stuck_or_decided_twice(
    records_url: str, home: Path
) -> None:
    home.mkdir()
    command = [sys.executable, "-m", "tests.torture", "--kills", "20", "--cases", "240"]
    command += ["--pause", "0.08", "--database", records_url]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout)
    assert (found.pop("kills"), found.pop("cases")) == (20, 240)
    found.pop("seconds")
    assert set(found.values()) == {0}
