"""Rewordings that change no rule: what verdicts do under these, they do under any wording."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from policies.rulebook import Section


class Round(BaseModel):
    """One way to reword a section without touching its meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    swaps: tuple[tuple[str, str], ...] = ()
    reverse_examples: bool = False


class _Rounds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: tuple[Round, ...]


@lru_cache(maxsize=1)
def rounds() -> tuple[Round, ...]:
    """Return the rewordings that ship, in the order in which they are tried."""
    text = (files("evals.wording") / "harmless.toml").read_text("utf-8")
    return _Rounds.model_validate(tomllib.loads(text)).rounds


def rewordings(section: Section) -> Iterator[Section]:
    """Yield harmless rewordings of `section`, each another text than the section itself."""
    for one in rounds():
        reworded = _reworded(section, one)
        if reworded.version != section.version:
            yield reworded


def _reworded(section: Section, one: Round) -> Section:
    rule = section.rule
    for first, second in one.swaps:
        rule = _exchanged(rule, first, second)
    violates, allowed = section.violates, section.allowed
    if one.reverse_examples:
        violates, allowed = violates[::-1], allowed[::-1]
    return replace(section, rule=rule, violates=violates, allowed=allowed)


def _exchanged(text: str, first: str, second: str) -> str:
    """Exchange a phrase for its twin, in whichever direction it stands there.

    >>> _exchanged("Do not shout.", "do not", "don't")
    "Don't shout."
    """
    for there, instead in ((first, second), (second, first)):
        edge = r"\b" if there[0].isalnum() else ""
        pattern = re.compile(rf"{edge}{re.escape(there)}{edge}", re.IGNORECASE)
        if pattern.search(text):
            return pattern.sub(partial(_like, instead), text)
    return text


def _like(word: str, original: re.Match[str]) -> str:
    return word[:1].upper() + word[1:] if original[0][:1].isupper() else word
