"""Words that are hidden from a reader and plain to a machine: in Base64, in hex, backwards.

A large model reads such text without being asked to, so a reviewer has to read it as well. Only
what decodes to real words counts: a hash, a wallet address or a token stays what it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial

from agent.phrases import phrases
from agent.reading_copy import latin_twin

_DEEPEST = 2
"""Codes inside of codes are read this often."""

_BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{16,})*={0,2}")
_BASE32 = re.compile(r"(?<![\w=])[A-Z2-7]{24,}={0,6}(?!\w)")
_HEX = re.compile(r"(?:(?:0x|\\x|%|&#x)?[0-9A-Fa-f]{2}[\s,;:]*){12,}")
_BINARY = re.compile(r"(?:[01]{8}[\s,]*){8,}")
_CODES = re.compile(r"(?:(?:&#)?\b\d{2,3}\b[\s,;]*){12,}")
_SPELLED = re.compile(r"(?<!\S)(?:[\w!-~]\s{1,3}){15,}[\w!-~](?!\S)")
_NOT_HEX = re.compile(r"0x|\\x|&#x|[^0-9A-Fa-f]")
_READABLE = 0.9
_LETTERS = 0.6
_FEWEST_LETTERS = 8
_FEWEST_COMMON = 3
_LONG = 6
"""A word this long does not become another one by chance."""
_WORD = re.compile(r"[a-z]{3,}")
_FEWEST_DRESSED = 3
_DRESSED = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w+\b")
_LEET = str.maketrans("0134578@$!|€+", "oieastbasilet")


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(phrases("steering")["words"]["common"].split())


def hidden_texts(text: str) -> list[str]:
    """Return every piece of `text` that was hidden in a code, decoded; usually there is none."""
    found: list[str] = []
    waiting = [text]
    for _ in range(_DEEPEST):
        waiting = [hidden for one in waiting for hidden in _decoded(one)]
        found += waiting
    return list(dict.fromkeys(found))


def other_readings(text: str) -> list[str]:
    """Return how `text` reads if every digit is a letter, or every look-alike letter Latin.

    These are guesses and say nothing by themselves; they are for searching in.
    """
    readings = []
    if len(_DRESSED.findall(text)) >= _FEWEST_DRESSED:
        readings.append(text.translate(_LEET))
    if not text.isascii():
        readings.append("".join(latin_twin(character) or character for character in text))
    return [reading for reading in readings if reading != text]


def _decoded(text: str) -> Iterator[str]:
    yield from _in_base64(text)
    for pattern, base in ((_BINARY, 2), (_CODES, 10)):
        for match in pattern.finditer(text):
            codes = [int(code, base) for code in re.findall(r"\d+", match.group())]
            yield from _words(bytes(code for code in codes if code < 256))  # noqa: PLR2004
    for match in _HEX.finditer(text):
        digits = _NOT_HEX.sub("", match.group())
        yield from _words(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    for match in _SPELLED.finditer(text):
        if sum(character.isalpha() for character in match.group()) >= _FEWEST_LETTERS:
            yield re.sub(r"(?<=\S) (?=\S)", "", match.group()).replace("  ", " ")
    yield from _permuted(text)


def _in_base64(text: str) -> Iterator[str]:
    for pattern, decode in ((_BASE64, base64.urlsafe_b64decode), (_BASE32, base64.b32decode)):
        for match in pattern.finditer(text):
            data = re.sub(r"[\s=]", "", match.group()).replace("+", "-").replace("/", "_")
            block = 4 if pattern is _BASE64 else 8
            try:
                yield from _words(decode(data + "=" * (-len(data) % block)))
            except (binascii.Error, ValueError):
                continue


def _words(data: bytes) -> Iterator[str]:
    """The text that bytes are, if they are readable text with letters in it."""
    for charset in ("utf-8", "utf-16-le"):
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            continue
        if charset != "utf-8" and not text.isascii():
            continue  # nearly any bytes are Chinese in UTF-16
        letters = sum(character.isalpha() or character == " " for character in text)
        readable = sum(character.isprintable() or character.isspace() for character in text)
        if readable >= _READABLE * len(text) and letters >= max(
            _FEWEST_LETTERS, _LETTERS * len(text)
        ):
            yield text
            return


def _permuted(text: str) -> Iterator[str]:
    """The whole text with its letters put back, where common words or a long one come out of it."""
    hits: dict[str, set[str]] = {}
    for word in set(_WORD.findall(text.lower())):
        for name in _images().get(word, ()):
            hits.setdefault(name, set()).add(word)
    for name, found in hits.items():
        if len(found) >= _FEWEST_COMMON or max(map(len, found)) >= _LONG:
            yield _permutations()[name](text)


@lru_cache(maxsize=1)
def _permutations() -> Mapping[str, Callable[[str], str]]:
    """How to read each permutation, by its name."""
    shifts = {f"moved by {n}": partial(_moved, by=n) for n in range(1, 26)}
    return {**shifts, "mirrored": _mirrored, "backwards": _backwards}


@lru_cache(maxsize=1)
def _images() -> Mapping[str, tuple[str, ...]]:
    """What common words look like in each permutation, where that is no common word itself."""
    images: dict[str, tuple[str, ...]] = {}
    for name, read in _permutations().items():
        back = partial(_moved, by=-int(name.split()[-1])) if name.startswith("moved") else read
        for word in sorted(_common()):
            image = back(word)
            if image not in _common():
                images[image] = (*images.get(image, ()), name)
    return images


def _moved(text: str, *, by: int) -> str:
    def move(character: str) -> str:
        if not ("a" <= character.lower() <= "z"):
            return character
        first = ord("a") if character.islower() else ord("A")
        return chr((ord(character) - first + by) % 26 + first)

    return "".join(map(move, text))


def _mirrored(text: str) -> str:
    """Atbash: a for z, b for y."""
    return "".join(
        chr(ord("a") + ord("z") - ord(c)) if "a" <= c <= "z" else c for c in text.lower()
    )


def _backwards(text: str) -> str:
    return text[::-1]
