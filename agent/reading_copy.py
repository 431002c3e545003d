"""The reading copy: the content as a person would read it, beside the untouched original.

People hide words from machines by dressing them: look-alike letters, digits for letters, letters
spaced out, invisible characters. The copy takes the dress off so that retrieval and the classifier
see the words; every character of it remembers where it came from, so that a quote is always taken
from the original. Both texts are judged: undressing may only add to what is seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

_LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b",
    "@": "a", "$": "s", "!": "i", "|": "l", "€": "e", "+": "t",
}  # fmt: skip
_ADDRESS = re.compile(r"(?i:h(?:tt|xx)ps?://|www\.).*|[^@\s]+@[^@\s]+\.\w+[.,;:!?)]*")
_LONGEST_RUN = 8
"""More signs than this between two letters spell no word."""
_WORD = re.compile(r"\S+")
_SPACED = re.compile(r"(?<![\w'’])(?:[^\W_]([ .\-_*·|/]{1,3}))(?:[^\W_]\1){1,40}[^\W_](?![\w'’])")
_QUANTITY = re.compile(
    r"[#@]?\d+(?:[.,:]\d+)*(?:st|nd|rd|th|am|pm|[a-z]{1,2})?[.,!?]*", re.IGNORECASE
)
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")


@dataclass(frozen=True)
class ReadingCopy:
    """The undressed text, and for each of its characters its place in the original."""

    original: str
    text: str
    origins: tuple[int, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was undressed."""
        return self.text != self.original

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the original."""
        if start >= end:
            raise ValueError(f"an empty span: {start}, {end}")
        last = self.origins[end - 1]
        following = next((o for o in self.origins[end:] if o > last), len(self.original))
        tail = self.original[last + 1 : following]
        keep = next((i for i, c in enumerate(tail) if not unicodedata.combining(c)), len(tail))
        return self.origins[start], last + 1 + keep


Characters = list[tuple[str, int]]


def reading_copy(text: str) -> ReadingCopy:
    """Return the reading copy of `text`; plain text comes back unchanged."""
    steps: Iterable[Callable[[Characters], Characters]] = (
        _visible,
        _latin_look_alikes,
        _joined_letters,
        _letters_for_digits,
        _unrepeated,
    )
    characters: Characters = list(zip(text, range(len(text)), strict=True))
    if not text.isascii() or _needs_undressing(text):
        for step in steps:
            characters = step(characters)
    return ReadingCopy(text, "".join(c for c, _ in characters), tuple(o for _, o in characters))


def _needs_undressing(text: str) -> bool:
    return bool(any(c in _LEET for c in text) or _SPACED.search(text) or _REPEATED.search(text))


def _visible(characters: Characters) -> Characters:
    """Drop what cannot be seen and write compatibility forms (full width, bold, …) plainly."""
    plain: Characters = []
    for character, origin in characters:
        if unicodedata.category(character) == "Cf":
            # Unicode tag characters spell ASCII that nobody sees: a way to whisper to a model.
            code = ord(character) - 0xE0000
            if 0x20 <= code < 0x7F:  # noqa: PLR2004 - the printable ASCII range
                plain.append((chr(code), origin))
            continue
        plain.extend((c, origin) for c in unicodedata.normalize("NFKC", character))
    return plain


def _latin_look_alikes(characters: Characters) -> Characters:
    """Write look-alike letters of other alphabets as Latin, in words that mix alphabets.

    A word wholly in one other alphabet is that language and stays as it is, unless the whole text
    around it is Latin and every letter of the word has a Latin twin.
    """
    text = "".join(c for c, _ in characters)
    if text.isascii():
        return characters
    letters = [c for c in text if c.isalpha()]
    mostly_latin = sum(map(_is_latin, letters)) * 2 > len(letters)
    plain = list(characters)
    for match in _WORD.finditer(text):
        word = [c for c in match.group() if c.isalpha()]
        foreign = [c for c in word if not _is_latin(c)]
        if not foreign or not all(latin_twin(c) for c in foreign):
            continue
        if len(foreign) < len(word) or mostly_latin:
            for place in range(*match.span()):
                character, origin = characters[place]
                plain[place] = (latin_twin(character) or character, origin)
    return plain


@lru_cache(maxsize=4096)
def _is_latin(character: str) -> bool:
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN")


@lru_cache(maxsize=4096)
def latin_twin(character: str) -> str:
    """The ASCII letter that `character` is confused with, or nothing (Unicode TR 39)."""
    if not character.isalpha() or _is_latin(character):
        return ""
    from confusable_homoglyphs import confusables

    found = confusables.is_confusable(character, greedy=True, preferred_aliases=["latin"])
    twins = [twin["c"] for entry in found or [] for twin in entry["homoglyphs"]]
    letters: list[str] = [t for t in twins if len(t) == 1 and t.isascii() and t.isalpha()]
    of_its_case = [t for t in letters if t.isupper() == character.isupper()]
    if character.isupper() and not of_its_case:
        # The table has the Cyrillic І under l, its small letter under i.
        of_its_case = [t for t in [latin_twin(character.lower()).upper()] if t]
    return (of_its_case or letters or [""])[0]


def _joined_letters(characters: Characters) -> Characters:
    """Join letters that are spaced out with one and the same separator: `s p a m`, `s.p.a.m`."""
    text = "".join(c for c, _ in characters)
    dropped: set[int] = set()
    for match in _SPACED.finditer(text):
        separator = match.group(1)
        if _reads_as_list(match.group(), separator):
            continue
        for place in range(*match.span()):
            if not (characters[place][0].isalnum() or characters[place][0] in _LEET):
                dropped.add(place)
    return [pair for place, pair in enumerate(characters) if place not in dropped]


def _reads_as_list(run: str, separator: str) -> bool:
    """Whether a run of single characters is numbers, an abbreviation or too short to be a word."""
    letters = run.replace(separator, "")
    if sum(c.isalpha() for c in letters) * 2 <= len(letters):
        return True
    return len(letters) < 4 and separator != " " and letters.isupper()  # noqa: PLR2004 - U.S.A


def _letters_for_digits(characters: Characters) -> Characters:
    """Read digits and signs as letters inside words: `h4te`, `$cam`; numbers stay numbers."""
    text = "".join(c for c, _ in characters)
    plain = list(characters)
    for match in _WORD.finditer(text):
        if _ADDRESS.fullmatch(match.group()) or not _is_dressed(match.group()):
            continue
        for place in range(*match.span()):
            if characters[place][0] in _LEET and _beside_letter(text, place, match.span()):
                plain[place] = (_LEET[characters[place][0]], characters[place][1])
    return plain


def _is_dressed(word: str) -> bool:
    """Whether digits and signs stand in this word for letters; handles, codes and sums do not."""
    core = word.strip(".,;:!?\"'()[]{}“”‘’…")
    if not any(c in _LEET for c in core) or not any(c.isalpha() for c in core):
        return False
    handle = core.startswith(("@", "#"))
    code = core.isupper() and len(core) <= 4  # noqa: PLR2004 - W3C, B2B, H2O
    return not (handle or code or _QUANTITY.fullmatch(core) or _trailing_digits_only(core))


def _trailing_digits_only(word: str) -> bool:
    """Whether the digits stand at the end, as in `covid19`, `user77` and `mp3`."""
    stem = word.rstrip("0123456789")
    return bool(stem) and stem != word and not any(c in _LEET for c in stem)


def _beside_letter(text: str, place: int, span: tuple[int, int]) -> bool:
    """Whether the run of signs at `place` touches a letter of its word (not as its punctuation)."""
    left = place - 1
    while left >= max(span[0], place - _LONGEST_RUN) and text[left] in _LEET:
        left -= 1
    right = place + 1
    while right < min(span[1], place + _LONGEST_RUN) and text[right] in _LEET:
        right += 1
    letter_left = left >= span[0] and text[left].isalpha()
    letter_right = right < span[1] and text[right].isalpha()
    if text[place] in "!+|":
        return letter_left and letter_right
    return letter_left or letter_right


def _unrepeated(characters: Characters) -> Characters:
    """Write a letter that is repeated three times or more twice: `haaaate` becomes `haate`."""
    text = "".join(c for c, _ in characters)
    dropped = {
        place
        for match in _REPEATED.finditer(text)
        for place in range(match.start() + 2, match.end())
    }
    return [pair for place, pair in enumerate(characters) if place not in dropped]
