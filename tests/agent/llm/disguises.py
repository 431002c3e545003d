"""How people hide words from a reader and keep them for a machine."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping

_LEET = str.maketrans("aeiots", "431075")
_CYRILLIC = str.maketrans("aceiopxyABCEHIKMOPTX", "асеіорхуАВСЕНІКМОРТХ")
_ZERO_WIDTH = "\u200b"


def leet(text: str) -> str:
    """Digits for letters."""
    return text.translate(_LEET)


def homoglyphs(text: str) -> str:
    """Cyrillic letters for the Latin ones that look the same."""
    return text.translate(_CYRILLIC)


def zero_width(text: str) -> str:
    """An invisible character after every letter."""
    return _ZERO_WIDTH.join(text)


def tags(text: str) -> str:
    """Unicode tag characters: nothing at all for a reader."""
    return "".join(chr(0xE0000 + ord(c)) if ord(c) < 0x7F else c for c in text)


def in_base64(text: str) -> str:
    """Base64."""
    return base64.b64encode(text.encode()).decode()


def in_hex(text: str) -> str:
    """Two hexadecimal digits a byte, with a space between."""
    return text.encode().hex(" ")


def rot13(text: str) -> str:
    """Each letter moved by thirteen places."""
    return codecs.encode(text, "rot13")


def spaced(text: str) -> str:
    """A space between the letters, two between the words."""
    return "  ".join(" ".join(word) for word in text.split())


def full_width(text: str) -> str:
    """Full-width forms."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def backwards(text: str) -> str:
    """From the last letter to the first."""
    return text[::-1]


def plainly(text: str) -> str:
    """As it is."""
    return text


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "none": plainly,
    "base64": in_base64,
    "hex": in_hex,
    "rot13": rot13,
    "leet": leet,
    "homoglyphs": homoglyphs,
    "zero width": zero_width,
    "tags": tags,
    "spaced": spaced,
    "full width": full_width,
    "backwards": backwards,
}
"""What is done to a template; its translation is one more disguise, and is written out."""
