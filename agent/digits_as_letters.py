"""Read digits and signs as the letters that they stand for: `h4te`, `$cam`; numbers stay."""

from __future__ import annotations

import re
from itertools import islice, product

from agent.known_words import commonest, is_known, rank

_LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "li", "€": "e", "+": "t",
}  # fmt: skip
"""What each may stand for, the likelier letter first."""

_ONLY_IN_KNOWN_WORDS = "29"
_LONGEST_RUN = 8
"""More signs than this between two letters spell no word."""
_MOST_READINGS = 64
_FEWEST_DRESSED = 2
"""Where so many words are dressed that become known ones, the others are dressed as well."""
_SHORTEST_WORD, _LONGEST_WORD = 3, 30
_COMMON = 3_000
_WORD = re.compile(r"\S+")
_CORE = re.compile(r"[^\s.,;:?\"'()\[\]{}“”‘’…]+")
_ADDRESS = re.compile(r"(?i:h(?:tt|xx)ps?://|www\.).*|[^@\s]+@[^@\s]+\.\w+[.,;:!?)]*")
_QUANTITY = re.compile(
    r"[#@$€£]?\d+(?:[.,:]\d+)*(?:st|nd|rd|th|am|pm|[a-z]{1,2})?[.,!?]*", re.IGNORECASE
)

Characters = list[tuple[str, int]]


def letters_for_digits(characters: Characters) -> Characters:
    """Read digits and signs as letters inside words, as the commonest known word that fits."""
    text = "".join(c for c, _ in characters)
    if not any(c in _LEET for c in text):
        return characters
    words = [m for m in _WORD.finditer(text) if not _ADDRESS.fullmatch(m.group())]
    read = {match.span(): _as_known_words(match) for match in words}
    everywhere = sum(found is not None for found in read.values()) >= _FEWEST_DRESSED
    plain = list(characters)
    for match in words:
        found = read[match.span()]
        if found is None:
            found = _letter_by_letter(text, match, everywhere=everywhere)
        for place, letter in found:
            plain[place] = (letter, characters[place][1])
    return plain


def _letter_by_letter(
    text: str, match: re.Match[str], *, everywhere: bool
) -> list[tuple[int, str]]:
    """Return which places of a word that is not known are other letters.

    Where the words around it are dressed (`everywhere`), every digit and sign of it is a letter.
    """
    if everywhere and _is_mixed(match.group()):
        return [
            (place, _LEET[text[place]][0])
            for place in range(match.start(), match.start() + len(match.group().rstrip("!")))
            if text[place] in _LEET
        ]
    if not _is_dressed(match.group()) or _mostly_digits(match.group()):
        return []
    return [
        (place, _LEET[text[place]][0])
        for place in range(*match.span())
        if text[place] in _LEET
        and text[place] not in _ONLY_IN_KNOWN_WORDS
        and _beside_letter(text, place, match.span())
    ]


def _as_known_words(match: re.Match[str]) -> list[tuple[int, str]] | None:
    """Return the letters that make known words of every dressed part; None if one is not known."""
    replaced = []
    for part in _CORE.finditer(match.group()):
        if not _may_be_word(part.group()):
            if any(c in _LEET and not c.isdigit() for c in part.group().rstrip("!")):
                return None
            continue
        word = _known_reading(part.group())
        if word is None:
            return None
        start = match.start() + part.start()
        replaced += [
            (start + n, letter)
            for n, (letter, written) in enumerate(zip(word, part.group(), strict=False))
            if written in _LEET
        ]
    return replaced or None


def _may_be_word(part: str) -> bool:
    """Whether letters and signs stand side by side, neither as a handle nor as a quantity."""
    if part.startswith(("@", "#")) and not _is_common_behind_sign(part):
        return False
    if not any(c in _LEET for c in part.rstrip("!")) or not any(c.isalpha() for c in part):
        return False
    if (_QUANTITY.fullmatch(part) and part[0] != "@") or _is_code(part):
        return False
    stem = part.rstrip("0123456789")
    return stem == part or any(c in _LEET for c in stem) or not is_known(stem)


def _is_common_behind_sign(part: str) -> bool:
    """Whether `@re` and `@80ut` are rather words than somebody's handle."""
    word = _known_reading(part) if part.startswith("@") and not is_known(part[1:]) else None
    place = rank(word) if word else None
    return place is not None and place < _COMMON


def _known_reading(part: str) -> str | None:
    """Return the commonest known word that `part` may stand for; its last `!` may be just that."""
    for ending in ("", "!"):
        body = part.removesuffix(ending) if ending else part
        if len(body) < _SHORTEST_WORD or not all(c.isalpha() or c in _LEET for c in body):
            continue
        letters = [_LEET.get(c, c) for c in body]
        readings = ["".join(r) for r in islice(product(*letters), _MOST_READINGS)]
        word = commonest(readings)
        if word:
            return word
    return None


def _is_code(core: str) -> bool:
    return core.isupper() and len(core) <= 4  # noqa: PLR2004 - W3C, B2B, H2O


def _is_dressed(word: str) -> bool:
    """Whether digits and signs stand in this word for letters; handles, codes and sums do not."""
    core = word.strip(".,;:!?\"'()[]{}“”‘’…")
    if not any(c in _LEET for c in core) or not any(c.isalpha() for c in core):
        return False
    handle = core.startswith(("@", "#"))
    return not (
        handle or _is_code(core) or _QUANTITY.fullmatch(core) or _trailing_digits_only(core)
    )


def _is_mixed(word: str) -> bool:
    """Whether a word holds letters, and digits or signs for letters, and is no handle."""
    letters = any(c.isalpha() for c in word)
    return letters and any(c in _LEET for c in word.rstrip("!")) and word[0] not in "@#"


def _mostly_digits(word: str) -> bool:
    """Whether a word has more digits than letters or is far too long: an amount, a key, a hash."""
    return len(word) > _LONGEST_WORD or sum(c.isdigit() for c in word) > sum(
        c.isalpha() for c in word
    )


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
