"""How links are spelled to slip past filters or fingers: defanged, styled, with hidden letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Drawn as nothing at all, though not all of them are "format" characters to Unicode.
_BLANK = frozenset(
    chr(code)
    for start, end in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(start, end + 1)
)
_FOLDED_MARKS = frozenset(".:/\\-_@%=&#~+[]")
_IDEOGRAPHIC_STOPS = frozenset("。｡")
_FIRST_EAST_ASIAN = "\u2e80"

_SUSPECT = re.compile(r"(?i)[\[({]|\A(?:hxx|h\*\*|hxt|htx|fx)")
_SCHEME = re.compile(r"(?i)\A(?:h(?:xx|\*\*|xt|tx)p|fxp)(?=s?(?:\W|\Z))")
_COLON = re.compile(r"(?i)\A([a-z]{2,8})(?:\[://\]|(?:\[:\]|\(:\)|:)(?:\[//\]|\[/\]\[/\]))")
_BARE_COLON = re.compile(r"(?i)\A([a-z]{2,8})(?:\[:\]|\(:\))")
_DOT = re.compile(r"(?i) ?(?:\[ ?(?:\.|dot) ?\]|\( ?(?:\.|dot) ?\)|\{ ?(?:\.|dot) ?\}) ?")
_MARK = re.compile(r"\[([/@:])\]")


@dataclass(frozen=True)
class Folded:
    """A reading copy and the way back."""

    text: str
    starts: Sequence[int]
    """For each character of the copy, the offset of the character that it came from."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the original of a non-empty stretch of the copy."""
        return self.starts[start], self.starts[end - 1] + 1


def fold(text: str) -> Folded:
    """A copy of `text` with styled letters as plain ones and invisible characters left out.

    Full-width, mathematical and circled letters become what they look like; so do the dots and
    slashes that stand in for `.` and `/`. An ideographic full stop becomes a dot unless East Asian
    letters or a space follow, where it ends a sentence. Other letters, Cyrillic ones for instance,
    stay what they are.
    """
    if text.isascii():
        return Folded(text, range(len(text)))
    letters: list[str] = []
    starts: list[int] = []
    for offset, letter in enumerate(text):
        if letter in _IDEOGRAPHIC_STOPS:
            plain = "." if _goes_on(text, offset + 1) else letter
        else:
            plain = _plain(letter)
        letters.append(plain)
        starts.extend([offset] * len(plain))
    return Folded("".join(letters), starts)


def is_invisible(letter: str) -> bool:
    """Whether nothing is drawn for `letter`: soft hyphens, zero-width and direction marks."""
    return letter in _BLANK or unicodedata.category(letter) == "Cf"


def refang(text: str) -> tuple[str, bool]:
    """`text`, one link, as it was before it was made unclickable, and whether it had been.

    >>> refang("hxxps://example[.]com/a")
    ('https://example.com/a', True)
    """
    if not _SUSPECT.search(text):
        return text, False
    scheme = _SCHEME.sub(lambda found: "ftp" if found[0].lower() == "fxp" else "http", text)
    colon = _BARE_COLON.sub(r"\1:", _COLON.sub(r"\1://", scheme))
    plain = _MARK.sub(r"\1", _DOT.sub(".", colon))
    return plain, plain != text


def defang(url: str, limit: int = 100) -> str:
    r"""`url` as it may be shown: nobody can click it, no letter in it is obeyed, cut at `limit`.

    >>> print(defang("https://example.com/a\x1b"))
    hxxps://example[.]com/a\x1b
    """
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in url[: limit + 1])
    shown = re.sub(r"(?i)\Ahttp", "hxxp", shown)
    shown = re.sub(r"(?i)\Aftp(?=s?:)", "fxp", shown)
    shown = re.sub(r"(?i)\A((?:javascript|vbscript|data)):", r"\1[:]", shown).replace(".", "[.]")
    if len(url) <= limit and len(shown) <= 2 * limit:
        return shown
    return shown[:limit].rstrip("[.") + "…"


def _goes_on(text: str, offset: int) -> bool:
    """Whether the next letter that can be seen could continue a host."""
    while offset < len(text) and is_invisible(text[offset]):
        offset += 1
    following = _plain(text[offset]) if offset < len(text) else " "
    return following[0].isalnum() and following < _FIRST_EAST_ASIAN


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    if is_invisible(letter):
        return ""
    plain = unicodedata.normalize("NFKC", letter)
    alike = plain.isascii() and plain.isalnum()
    return plain if alike or plain in _FOLDED_MARKS else letter
