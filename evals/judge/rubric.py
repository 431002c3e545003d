"""The rubric, from `rubric.toml`: what is asked of a judge, and what code can check."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

LEAST, MOST = 1, 5
"""The marks."""


@dataclass(frozen=True)
class Criterion:
    """One thing that a judge gives a mark for."""

    name: str
    asks: str
    anchors: Mapping[int, str]
    """What some of the marks mean."""

    @property
    def text(self) -> str:
        """The criterion as a judge reads it."""
        lines = [f"- {mark}: {meaning}" for mark, meaning in sorted(self.anchors.items())]
        return "\n".join([f"## {self.name}", self.asks, *lines])


@dataclass(frozen=True)
class Rubric:
    """Everything that a verdict is measured by."""

    criteria: tuple[Criterion, ...]
    checks: Mapping[str, str]
    cannot: tuple[str, ...]
    prompt: str
    hash: str
    """Of both files: marks compare only where it is the same."""


@lru_cache(maxsize=1)
def shipped_rubric() -> Rubric:
    """Return the rubric of this version."""
    raw, prompt = _text("rubric.toml"), _text("prompt.md")
    table = tomllib.loads(raw)
    return Rubric(
        criteria=tuple(_criterion(name, fields) for name, fields in table["criteria"].items()),
        checks=table["checks"],
        cannot=tuple(table["cannot"].values()),
        prompt=prompt,
        hash="sha256:" + hashlib.sha256(f"{raw}\n{prompt}".encode()).hexdigest(),
    )


def _criterion(name: str, fields: Mapping[str, str]) -> Criterion:
    anchors = {int(key): text for key, text in fields.items() if key.isdigit()}
    return Criterion(name, fields["asks"], anchors)


def _text(name: str) -> str:
    return (files("evals.judge") / name).read_text("utf-8")
