"""Signs that a content tries to steer whoever judges it.

Such content may raise scrutiny and never lowers it: a sign turns `allowed` into a doubt, and leaves
a violation a violation. The text is searched as it is, undressed, with look-alike letters and
digits read as letters, and decoded where words are hidden in a code; that they are is a sign by
itself. The injection detector's score adds what no pattern foresees.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.hidden_text import hidden_texts, other_readings
from agent.phrases import phrases
from agent.reading_copy import ReadingCopy

_TAGS = range(0xE0000, 0xE0080)
"""Unicode tags: invisible copies of ASCII."""

_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f")
"""The flags of England, Scotland and Wales are spelled with tags, and hide nothing."""

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
"""One variation selector shapes the sign before it; a row of them carries bytes."""

MOST_WORDS_SCORED = 400
"""Of a longer text the score says nothing: of long rules and how-tos, which speak in orders, most
cross its line (models/injection/CARD.md). The patterns search every text."""


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
        Sign(
            told, re.compile("|".join(_filled(p, table["words"]) for p in patterns), re.IGNORECASE)
        )
        for told, patterns in table["signs"].items()
    )


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    """The pattern with the names of words replaced by the words."""
    for name, alternatives in words.items():
        pattern = pattern.replace(f"%{name}%", alternatives)
    return pattern


def steering_signs(copy: ReadingCopy, *, is_order: Callable[[str], bool]) -> Sequence[str]:
    """Return what in a text looks like an attempt to steer the reviewer; nothing if nothing does.

    Args:
        copy: The text, untouched and undressed; both are searched.
        is_order: Whether the injection detector takes a text for an order to a machine.
    """
    told = phrases("steering")["told"]
    seen = list(dict.fromkeys([copy.original, copy.text]))
    hidden = [text for one in seen for text in hidden_texts(one)]
    readings = [text for one in [*seen, *hidden] for text in other_readings(one)]
    plain = [" ".join(text.split()) for text in dict.fromkeys([*seen, *hidden, *readings])]
    found = [sign.told for sign in known_signs() if any(map(sign.pattern.search, plain))]
    if _has_unseen_letters(copy.original):
        found.append(told["hidden_letters"])
    if hidden:
        found.append(told["hidden_words"])
    scored = [text for text in [*seen, *hidden] if len(text.split()) <= MOST_WORDS_SCORED]
    if any(map(is_order, scored)):
        found.append(told["scored"])
    return found


def _has_unseen_letters(text: str) -> bool:
    if text.isascii():
        return False
    without_flags = _FLAG.sub("", text)
    return any(ord(c) in _TAGS for c in without_flags) or bool(_SELECTORS.search(text))
