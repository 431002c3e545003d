"""Ten disguises that a person still reads and a filter of words does not.

Every disguise dresses every word that it can dress, which is more than most people do: a reader
that copes with it copes with less. Links, e-mail addresses, handles and hashtags stay as they are,
because a dressed one leads nowhere. Letters outside the Latin alphabet are left alone.

The kinds follow what studies of evasion report: Röttger et al. 2021 (HateCheck, "spelling
variations"), Kirk et al. 2022 (HatemojiCheck), Boucher et al. 2022 ("Bad Characters").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from random import Random

Disguise = Callable[[str, Random], str]
"""Takes a text and a source of chance; the same seed gives the same dressed text."""

_LINK = (
    r"(?i:\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+|\S+@\S+|[@#]\w+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?:[/:?#]\S*)?)"
)
_WORD = r"[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z\u00c0-\u024f]+)*"
_PIECE = re.compile(rf"(?P<link>{_LINK})|(?P<word>{_WORD})")
_SPACED_PIECE = re.compile(rf"(?P<link>{_LINK})|(?P<gap>[^\S\n]+)|(?P<word>{_WORD})")
_SHORTEST_DRESSED = 3
_SEPARATORS = ".-_*·"
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff"
_CHANGED_SHARE = 0.8
_LONGEST_REPEAT = 5


def leet(text: str, rng: Random) -> str:
    """Digits and signs for letters: `h4t3`, `$c4m`."""
    return _each_word(text, lambda word: _by_letter(word, _tables()["leet"], rng))


def homoglyphs(text: str, rng: Random) -> str:
    """Letters of other alphabets for the Latin ones that look the same: `hаtе` in Cyrillic."""
    return _each_word(text, lambda word: _by_letter(word, _tables()["look_alikes"], rng))


def letter_spacing(text: str, rng: Random) -> str:
    """A space between letters: `h a t e`; words are three spaces apart, or no further than letters.

    In every other text, by chance, the gaps between words are gone, and a reader has to find the
    words again.
    """
    gap = rng.choice([" ", "   "])

    def dress(match: re.Match[str]) -> str:
        if match.lastgroup == "gap":
            return gap
        return match.group() if match.lastgroup == "link" else " ".join(match.group())

    return _SPACED_PIECE.sub(dress, text)


def dotting(text: str, rng: Random) -> str:
    """One sign between the letters of each word: `h.a.t.e`, `h*a*t*e`."""
    return _each_word(text, lambda word: rng.choice(_SEPARATORS).join(word))


def bracketing(text: str, rng: Random) -> str:
    """Brackets around one letter of each word, or around every letter: `h[a]te`, `(h)(a)(t)(e)`."""

    def dress(word: str) -> str:
        left, right = rng.choice(_BRACKETS)
        if rng.random() < _CHANGED_SHARE:
            place = rng.choice([n for n, letter in enumerate(word) if letter.isalpha()])
            return f"{word[:place]}{left}{word[place]}{right}{word[place + 1 :]}"
        return "".join(f"{left}{c}{right}" if c.isalpha() else c for c in word)

    return _each_word(text, dress)


def zero_width(text: str, rng: Random) -> str:
    """Characters that nobody sees between the letters of each word."""

    def dress(word: str) -> str:
        return word[0] + "".join(rng.choice(_INVISIBLE) + letter for letter in word[1:])

    return _each_word(text, dress)


def mixed_case(text: str, rng: Random) -> str:
    """Large and small letters in turn or by chance: `hAtE`, `HaTE`."""

    def dress(word: str) -> str:
        drawn = [rng.random() < 0.5 for _ in word]  # noqa: PLR2004 - a coin
        in_turn = [place % 2 == 1 for place in range(len(word))]
        large = in_turn if rng.random() < 0.5 else drawn  # noqa: PLR2004 - a coin
        dressed = "".join(_cased(c, large=up) for c, up in zip(word, large, strict=True))
        return dressed if dressed != word else word.swapcase()

    return _each_word(text, dress)


def reversed_words(text: str, rng: Random) -> str:
    """Each word from its last letter to its first: `etah`; a palindrome is left as it is."""
    del rng  # there is only one way
    return _each_word(text, lambda word: word[::-1])


def repeated_letters(text: str, rng: Random) -> str:
    """One letter of each word written three to five times: `haaaate`."""

    def dress(word: str) -> str:
        place = rng.choice([n for n, letter in enumerate(word) if letter.isalpha()])
        more = word[place] * (rng.randint(3, _LONGEST_REPEAT) - 1)
        return word[:place] + more + word[place:]

    return _each_word(text, dress)


def emoji_for_words(text: str, rng: Random) -> str:
    """Pictures for the words that have one: `🔪 you`; where no word has, for single letters."""
    pictures = _tables()["emoji"]

    def draw(word: str) -> str:
        lower = word.lower()
        known = pictures.get(lower) or pictures.get(lower.removesuffix("s"))
        return rng.choice(known) if known else word

    drawn = _each_word(text, draw, shortest=2)
    if drawn != text:
        return drawn
    return _each_word(text, lambda word: _by_letter(word, _tables()["letter_emoji"], rng, most=1))


DISGUISES: Mapping[str, Disguise] = {
    "leet": leet,
    "letter spacing": letter_spacing,
    "dotting": dotting,
    "bracketing": bracketing,
    "zero width": zero_width,
    "homoglyphs": homoglyphs,
    "mixed case": mixed_case,
    "reversed words": reversed_words,
    "repeated letters": repeated_letters,
    "emoji for words": emoji_for_words,
}
"""Every disguise by its name, in the order in which reports list them."""


def _each_word(text: str, dress: Callable[[str], str], *, shortest: int = _SHORTEST_DRESSED) -> str:
    """Dress every word that is long enough and no part of a link."""

    def dressed(match: re.Match[str]) -> str:
        word = match.group()
        return word if match.lastgroup == "link" or len(word) < shortest else dress(word)

    return _PIECE.sub(dressed, text)


def _by_letter(
    word: str, table: Mapping[str, list[str]], rng: Random, *, most: int | None = None
) -> str:
    """Replace most letters that the table has, at least one and at most `most`."""
    places = [place for place, letter in enumerate(word) if _entry(table, letter)]
    if not places:
        return word
    chosen = [place for place in places if rng.random() < _CHANGED_SHARE] or [rng.choice(places)]
    letters = list(word)
    for place in chosen[:most]:
        letters[place] = rng.choice(_entry(table, word[place]))
    return "".join(letters)


def _entry(table: Mapping[str, list[str]], letter: str) -> list[str]:
    """What may stand for a letter: of its own case, else of the small one."""
    return table.get(letter) or table.get(letter.lower(), [])


def _cased(letter: str, *, large: bool) -> str:
    """Change the case where that changes nothing else (not `ß`, whose capital is two letters)."""
    changed = letter.upper() if large else letter.lower()
    return changed if len(changed) == 1 else letter


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, Mapping[str, list[str]]]:
    """What stands for what, from `tables.json`."""
    text = (files("evals.disguises") / "tables.json").read_text(encoding="utf-8")
    tables: Mapping[str, Mapping[str, list[str]]] = json.loads(text)
    return tables
