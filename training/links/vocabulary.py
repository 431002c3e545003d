"""The words that generated links are made of, and the small pieces made of them."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

CONSONANTS = "bcdfghjklmnprstvwz"
VOWELS = "aeiou"
BASE62 = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Sample:
    """One link to learn from, or to measure with."""

    url: str
    phishing: bool
    family: str
    """The generator that made it, or the list that it comes from."""

    @property
    def kind(self) -> str:
        """Its family, with all generated paths on honest domains as one."""
        apart = self.phishing or self.family in {"front page", "real page"}
        return self.family if apart else "generated path"


@cache
def vocabulary() -> dict[str, list[str]]:
    """The lists of `vocabulary.json`."""
    text = Path(__file__).with_name("vocabulary.json").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = json.loads(text)
    return lists


def word(rng: Random, kind: str) -> str:
    """One word of a list."""
    return rng.choice(vocabulary()[kind])


def letters(rng: Random, alphabet: str, shortest: int, longest: int) -> str:
    """Random letters of `alphabet`."""
    return "".join(rng.choices(alphabet, k=rng.randint(shortest, longest)))


def pronounceable(rng: Random, syllables: int) -> str:
    """An invented name."""
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(syllables))


def mail_address(rng: Random) -> str:
    """An address of nobody, at a domain kept for examples."""
    return f"{word(rng, 'names')}.{word(rng, 'names')}@{word(rng, 'mail_providers')}"


def encoded(rng: Random, text: str) -> str:
    """`text` in base 64, with or without its padding."""
    plain = base64.b64encode(text.encode()).decode()
    return plain if rng.random() < 0.5 else plain.rstrip("=")  # noqa: PLR2004


def chosen(rng: Random, options: Sequence[tuple[float, str]]) -> str:
    """One of `options`, by weight."""
    return rng.choices([name for _, name in options], [weight for weight, _ in options])[0]
