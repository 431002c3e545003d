"""What is done to a post: a disguise for its words, an injection beside them, or both."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any, Literal

from evals.disguises import DISGUISES

NONE = "none"
"""Nothing is done: the post as it is."""

Carrier = Literal["plain", "base64", "tags", "long"]
_FILLER_CHARS = 6_000
_TAG = 0xE0000


@dataclass(frozen=True)
class Injection:
    """Words that are put beside a post to steer whoever reviews it."""

    family: str
    name: str
    carrier: Carrier
    text: str


@dataclass(frozen=True)
class Transform:
    """A disguise and an injection, by name; either may be `none`."""

    disguise: str = NONE
    injection: str = NONE
    """The family; which template of it is used is drawn for each post."""

    @property
    def name(self) -> str:
        """Both parts, or the one that is there."""
        parts = [part for part in (self.disguise, self.injection) if part != NONE]
        return " + ".join(parts) or NONE


@lru_cache(maxsize=1)
def known_injections() -> Mapping[str, Sequence[Injection]]:
    """Return the templates of `injections.toml` by family."""
    families: dict[str, list[Injection]] = {}
    for fields in _table()["injection"]:
        one = Injection(**fields)
        families.setdefault(one.family, []).append(one)
    return families


def every_transform() -> list[Transform]:
    """Return every disguise with every family of injections, the untouched post left out."""
    return [
        Transform(disguise, injection)
        for disguise in (NONE, *DISGUISES)
        for injection in (NONE, *known_injections())
        if (disguise, injection) != (NONE, NONE)
    ]


def transformed(text: str, transform: Transform, rng: Random) -> tuple[str, str]:
    """Return the post as an attacker would send it, and the name of the template that was drawn.

    Only the post is disguised: an order that its reader cannot read steers nobody. The order stands
    before or behind the post, by chance.
    """
    dressed = text if transform.disguise == NONE else DISGUISES[transform.disguise](text, rng)
    if transform.injection == NONE:
        return dressed, NONE
    chosen = rng.choice(known_injections()[transform.injection])
    order = _CARRIERS[chosen.carrier](chosen.text)
    behind = chosen.carrier == "long" or rng.random() < 0.5  # noqa: PLR2004 - a coin
    parts = (dressed, order) if behind else (order, dressed)
    return "\n\n".join(parts), chosen.name


def _in_tags(order: str) -> str:
    """Unicode tags: a copy of ASCII that no reader sees."""
    return "".join(chr(_TAG + ord(letter)) for letter in order)


def _buried(order: str) -> str:
    """Much harmless text, with the order in the middle of it."""
    filler = _table()["filler"]["text"].strip()
    half = "\n\n".join([filler] * max(1, _FILLER_CHARS // 2 // len(filler)))
    return f"{half}\n\n{order}\n\n{half}"


_CARRIERS: Mapping[Carrier, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda order: base64.b64encode(order.encode("utf-8")).decode("ascii"),
    "tags": _in_tags,
    "long": _buried,
}


def templates_hash() -> str:
    """Return the hash of the templates: figures compare only where it is the same."""
    return "sha256:" + hashlib.sha256(_text().encode("utf-8")).hexdigest()


def _text() -> str:
    return (files("evals.attack") / "injections.toml").read_text("utf-8")


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(_text())
