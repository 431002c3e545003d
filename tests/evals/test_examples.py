"""What the documentation of `evals` says is so: its examples run, its commands exist."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import evals
from cli import app

README = Path(evals.__file__).with_name("README.md")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(evals.__path__, "evals.")
    if not module.ispkg and "bench" not in module.name
)
COMMANDS = re.findall(
    r"^ *(?:\$ |- run: |run: )?(amicus .*)$", README.read_text("utf-8"), re.MULTILINE
)


def examples(module: ModuleType) -> list[doctest.DocTest]:
    return [found for found in doctest.DocTestFinder().find(module) if found.examples]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_is_true(name: str) -> None:
    for example in examples(importlib.import_module(name)):
        told: list[str] = []
        doctest.DocTestRunner().run(example, out=told.append)
        assert not told, "".join(told)


def test_the_metrics_have_examples() -> None:
    modules = [name for name in MODULES if name.startswith("evals.metrics.")]
    assert sum(len(examples(importlib.import_module(name))) for name in modules) >= 20


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_readme_exists_with_these_options(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while commands := getattr(command, "commands", None):
        command = commands[words.pop(0)]
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_readme_shows_the_commands() -> None:
    assert len(COMMANDS) >= 6
