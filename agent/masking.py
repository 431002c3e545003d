"""What of a case may reach a terminal: nothing that it would obey, and no word unless asked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MASK = "•"
SHARED_WORDS = 3
"""So many words in a row that also stand in the content are a quotation of it."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str) -> str:
    r"""Return `text` with control characters, escapes and direction marks spelled out.

    >>> print(printable("red \x1b[31m and \u202eturned"))
    red \x1b[31m and \u202eturned
    """
    return "".join(_spelled(character) for character in text)


def _spelled(character: str) -> str:
    if character == "\n":
        return character
    if character == "\t":
        return "    "
    if unicodedata.category(character) in _OBEYED:
        return ascii(character)[1:-1]
    return character


def masked(text: str) -> str:
    """Return `text` with every letter and digit covered; length and punctuation stay.

    >>> masked("Go home, user 77!")
    '•• ••••, •••• ••!'
    """
    return "".join(MASK if c.isalnum() or unicodedata.combining(c) else c for c in printable(text))


def without_content(prose: str, contents: Iterable[str]) -> str:
    """Return `prose` with everything covered that it repeats of the content.

    >>> without_content("The words 'you all go home' exclude.", ["Why don't you all go home?"])
    "The words '••• ••• •• ••••' exclude."
    """
    said = [[word.lower() for word in _WORD.findall(text)] for text in contents]
    words = list(_WORD.finditer(prose))
    lowered = [word.group().lower() for word in words]
    covered: set[int] = set()
    for length in {min(SHARED_WORDS, len(text)) for text in said if text}:
        runs = {run for text in said if len(text) >= length for run in _runs(text, length)}
        if length < SHARED_WORDS:
            runs = {tuple(text) for text in said if len(text) == length}
        for place, run in enumerate(_runs(lowered, length)):
            if run in runs:
                covered.update(range(place, place + length))
    pieces: list[str] = []
    end = 0
    for place in sorted(covered):
        word = words[place]
        pieces += [prose[end : word.start()], masked(word.group())]
        end = word.end()
    return printable("".join([*pieces, prose[end:]]))


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + length]) for place in range(len(words) - length + 1)]
