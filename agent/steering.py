"""Signs that a content tries to steer whoever judges it.

Such content may raise scrutiny and never lowers it: a sign turns `allowed` into a doubt, and leaves
a violation a violation. The signs are deliberately few and explained; the classifier's injection
score adds what no pattern foresees.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.reading_copy import ReadingCopy

HIDDEN_LETTERS = "letters that a reader cannot see"
TAG_CHARACTERS = range(0xE0000, 0xE0080)
"""Unicode tags: invisible copies of ASCII."""

SCORED = "words that read like instructions to a machine"


@dataclass(frozen=True)
class Sign:
    """A pattern, and what a person should be told when it stands in a text."""

    told: str
    pattern: re.Pattern[str]


@lru_cache(maxsize=1)
def known_signs() -> tuple[Sign, ...]:
    """Return the signs of `prompts/steering.toml`."""
    table = tomllib.loads((files("agent") / "prompts" / "steering.toml").read_text("utf-8"))
    return tuple(
        Sign(told, re.compile("|".join(patterns), re.IGNORECASE))
        for told, patterns in table["signs"].items()
    )


def steering_signs(
    copy: ReadingCopy, *, injection_score: Callable[[str], float], line: float
) -> Sequence[str]:
    """Return what in a text looks like an attempt to steer the reviewer; nothing if nothing does.

    Args:
        copy: The text, untouched and undressed; both are searched.
        injection_score: Probability that a text holds instructions to a machine.
        line: The score from which on that is a sign.
    """
    texts = dict.fromkeys([copy.original, copy.text])
    plain = [" ".join(text.split()) for text in texts]
    found = [sign.told for sign in known_signs() if any(map(sign.pattern.search, plain))]
    if any(ord(c) in TAG_CHARACTERS for c in copy.original):
        found.append(HIDDEN_LETTERS)
    if any(injection_score(text) >= line for text in texts):
        found.append(SCORED)
    return found
