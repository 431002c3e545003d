"""Emoji as words: a model of words knows a rat, and not its picture.

The name is Unicode's own (`RAT`, `CLOWN FACE`), less the words that say nothing; `emoji.json` has
better names where Unicode's is not what people mean by the picture.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_PICTURE = re.compile(
    "[\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u200d]*"
)
_SAYS_NOTHING = "face with of sign symbol the and for mark button heavy medium small large"
_MOST_WORDS = 4


def spoken(text: str) -> str:
    """Return `text` with every emoji as words; a text without emoji comes back as it is.

    >>> spoken("you 🐀!"), spoken("you rat!")
    ('you rat !', 'you rat!')
    """
    if text.isascii():
        return text
    said = _PICTURE.sub(lambda match: _said(match.group()), text)
    return said if said == text else " ".join(said.split())


@lru_cache(maxsize=4096)
def emoji_words(symbol: str) -> tuple[str, ...]:
    """Return the words that a picture stands for, none for a sign without a name.

    >>> emoji_words("🤡"), emoji_words("🔪"), emoji_words("a")
    (('clown',), ('knife',), ())
    """
    if symbol in _better_names():
        return tuple(_better_names()[symbol].split())
    if not _PICTURE.fullmatch(symbol) or not unicodedata.category(symbol).startswith("S"):
        return ()
    name = unicodedata.name(symbol, "").lower().replace("-", " ").split()
    return tuple(word for word in name if word not in _SAYS_NOTHING.split())[:_MOST_WORDS]


def _said(picture: str) -> str:
    words = emoji_words(picture[0])
    return f" {' '.join(words)} " if words else picture


@lru_cache(maxsize=1)
def _better_names() -> Mapping[str, str]:
    text = Path(__file__).with_name("emoji.json").read_text(encoding="utf-8")
    names: Mapping[str, str] = json.loads(text)
    return names
