"""What the README says is so: its examples run, its tables are those that the code makes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE)
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_the_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_an_example_of_the_readme_runs_as_shown(command: str, output: str, home: Path) -> None:
    program, *words = shlex.split(command)
    assert program == "amicus"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AMICUS_")}

    done = subprocess.run(
        [sys.executable, "-c", "from cli import app; app()", *words],
        env=kept | {"AMICUS_HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    pieces = [re.escape(piece) for piece in output.split("…") if piece.strip()]
    assert re.search(".*".join(pieces), done.stdout, flags=re.DOTALL), done.stdout


def test_the_settings_are_all_told() -> None:
    from evals.settings_table import PAGE, page

    assert (ROOT / PAGE).read_text("utf-8") == page(), "run: python -m evals.settings_table"


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_folder_that_the_readme_names_is_there() -> None:
    for path in re.findall(r"`((?:[a-z_]+/)+)`", README):
        assert (ROOT / path).is_dir(), path
