"""Take the dress off a text, one disguise after the other.

Every step gets the characters with their places in the original and returns them in the same form.
Where a dress can be read in two ways, the commoner known word decides (`agent.known_words`); where
neither is known, the text is left as it is or read letter by letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from agent.digits_as_letters import letters_for_digits
from agent.known_words import commonest, is_known, rank, words_in

Characters = list[tuple[str, int]]
"""Each character of the copy with its place in the original; places never fall."""

_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SPACED = re.compile(
    r"(?<![\w'’/])(?:[^\W_]([ .\-_*·|/]{1,3}))(?:[^\W_'’]\1|['’]\1){1,400}[^\W_](?![\w'’])"
)
_BRACKETED = re.compile(
    r"(?<![^\W\d_)\]}])(?:[^\W\d_]|[(\[{][^\W\d_][)\]}])*[(\[{][^\W\d_][)\]}](?:[^\W\d_]|[(\[{][^\W\d_][)\]}])*"
)
_BRACKETS = "()[]{}"
_INNER_BRACKETS = re.compile(r"[^\W\d_][(\[{][^\W\d_][)\]}][^\W\d_]")
_FEWEST_BRACKETED = 2
"""Where so many words hold a bracketed letter for sure, a bracket at the edge of one is dress."""
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_RUN_ON = 6
"""A run of single letters that is longer, and no word, is read as several words."""
_FEWEST_REVERSED = 2
_MOSTLY = 0.6
_SHORTEST_REVERSED = 3
_IPA = range(0x250, 0x2B0)
"""Phonetic letters: Latin by name, and used for the looks of them."""
_LETTER_EMOJI = {
    "🅰": "a", "🅱": "b", "🅾": "o", "⭕": "o", "🅿": "p", "💲": "s", "✝": "t", "❌": "x", "📧": "e",
    "⛎": "u",
}  # fmt: skip
_TWINS = {"ӏ": "l", "κ": "k", "ϲ": "c", "Ϲ": "C", "ո": "n", "ց": "g"}
"""Look-alikes that the table of Unicode lacks or reads otherwise."""
_SELECTOR = "\ufe0f"


def undressed(characters: Characters) -> Characters:
    """Return the characters of the reading copy; plain text comes back as it is."""
    steps: Iterable[Callable[[Characters], Characters]] = (
        _visible,
        _latin_look_alikes,
        _letters_for_emoji,
        _without_brackets,
        _joined_letters,
        letters_for_digits,
        _unrepeated,
        _forwards,
    )
    for step in steps:
        characters = step(characters)
    return characters


def _text(characters: Characters) -> str:
    return "".join(c for c, _ in characters)


def _visible(characters: Characters) -> Characters:
    """Drop what cannot be seen and write compatibility forms (full width, bold, …) plainly."""
    if _text(characters).isascii():
        return characters
    plain: Characters = []
    for character, origin in characters:
        if unicodedata.category(character) == "Cf":
            # Unicode tag characters spell ASCII that nobody sees: a way to whisper to a model.
            code = ord(character) - 0xE0000
            if 0x20 <= code < 0x7F:  # noqa: PLR2004 - the printable ASCII range
                plain.append((chr(code), origin))
            continue
        forms = character if character in _TWINS else unicodedata.normalize("NFKC", character)
        plain.extend((c, origin) for c in forms)
    return plain


def _latin_look_alikes(characters: Characters) -> Characters:
    """Write look-alike letters of other alphabets as Latin, in words that mix alphabets.

    A word wholly in one other alphabet is that language and stays as it is, unless the whole text
    around it is Latin and every letter of the word has a Latin twin.
    """
    text = _text(characters)
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
    if ord(character) in _IPA:
        return False
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN")


@lru_cache(maxsize=4096)
def latin_twin(character: str) -> str:
    """The ASCII letter that `character` is confused with, or nothing (Unicode TR 39)."""
    if not character.isalpha() or _is_latin(character):
        return ""
    if character in _TWINS:
        return _TWINS[character]
    from confusable_homoglyphs import confusables

    aliases = [] if ord(character) in _IPA else ["latin"]
    found = confusables.is_confusable(character, greedy=True, preferred_aliases=aliases)
    twins = [twin["c"] for entry in found or [] for twin in entry["homoglyphs"]]
    letters: list[str] = [t for t in twins if len(t) == 1 and t.isascii() and t.isalpha()]
    of_its_case = [t for t in letters if t.isupper() == character.isupper()]
    if character.isupper() and not of_its_case:
        # The table has the Cyrillic І under l, its small letter under i.
        of_its_case = [t for t in [latin_twin(character.lower()).upper()] if t]
    return (of_its_case or letters or [""])[0]


def _letters_for_emoji(characters: Characters) -> Characters:
    """Read pictures of letters as letters where they touch one: `🅱ad`."""
    text = _text(characters)
    if text.isascii() or not any(picture in text for picture in _LETTER_EMOJI):
        return characters
    shown = [(c, o) for c, o in characters if c != _SELECTOR]
    plain = list(shown)
    for place, (character, origin) in enumerate(shown):
        around = [c for c, _ in shown[max(0, place - 1) : place + 2 : 2]]
        if place == 0:
            around = [c for c, _ in shown[1:2]]
        if character in _LETTER_EMOJI and any(c.isalpha() for c in around):
            plain[place] = (_LETTER_EMOJI[character], origin)
    return plain if plain != shown else characters


def _without_brackets(characters: Characters) -> Characters:
    """Take single letters out of their brackets: `h[a]te`, `(h)(a)(t)(e)`.

    Between two letters no bracket has another purpose; at an edge, as in `file(s)` and `f(x)`, it
    goes only if a known word comes out, or if the words around are bracketed as well.
    """
    text = _text(characters)
    dropped: set[int] = set()
    if not any(bracket in text for bracket in "([{"):
        return characters
    found = [m for m in _BRACKETED.finditer(text) if len(_bare(m)) > 2]  # noqa: PLR2004 - `f(x)`
    sure = [m for m in found if _INNER_BRACKETS.search(m.group()) or is_known(_bare(m))]
    for match in found if len(sure) >= _FEWEST_BRACKETED else sure:
        dropped |= {place for place in range(*match.span()) if text[place] in _BRACKETS}
    return _without(characters, dropped)


def _bare(match: re.Match[str]) -> str:
    return "".join(c for c in match.group() if c not in _BRACKETS)


def _joined_letters(characters: Characters) -> Characters:
    """Join letters that are spaced out with one and the same separator: `s p a m`, `s.p.a.m`.

    Where the gaps between words are no wider than those between letters, the words are found again.
    """
    text = _text(characters)
    dropped: set[int] = set()
    for match in _SPACED.finditer(text):
        separator = match.group(1)
        run = "".join(c for c in match.group() if c not in separator)
        if _reads_as_list(run, separator):
            continue
        gaps = _ends(run) if len(run) > _RUN_ON and not is_known(run) else set()
        read = 0
        for place in range(*match.span()):
            if text[place] not in separator:
                read += 1
            elif read not in gaps:
                dropped.add(place)
    return _without(characters, dropped)


def _ends(run: str) -> set[int]:
    """Return how many letters of the run stand before each gap between its words."""
    if not (run.isascii() and run.replace("'", "").isalpha()):
        return set()
    ends, read = set(), 0
    for word in words_in(run)[:-1]:
        read += len(word)
        ends.add(read)
    return ends


def _reads_as_list(letters: str, separator: str) -> bool:
    """Whether a run of single characters is numbers, an abbreviation or too short to be a word."""
    if sum(c.isalpha() for c in letters) * 2 <= len(letters):
        return True
    return len(letters) < 4 and separator != " " and letters.isupper()  # noqa: PLR2004 - U.S.A


def _unrepeated(characters: Characters) -> Characters:
    """Write a letter that is repeated three times or more once or twice: `haaaate` is `hate`."""
    text = _text(characters)
    dropped: set[int] = set()
    for match in _LETTERS.finditer(text):
        if len(set(match.group().lower())) == 1:
            continue  # `www`, `xxx`, `mmm`
        runs = [(match.start() + r.start(), r.end() - r.start()) for r in _runs(match.group())]
        if not runs:
            continue
        kept = _letters_kept(match.group())
        for start, length in runs:
            dropped |= set(range(start + kept, start + length))
    return _without(characters, dropped)


def _runs(word: str) -> list[re.Match[str]]:
    return list(_REPEATED.finditer(word))


def _letters_kept(word: str) -> int:
    """Return how many letters of each run make the commoner word; one if neither is known."""
    once, twice = (_REPEATED.sub(r"\1" * times, word) for times in (1, 2))
    return 2 if commonest([once, twice]) == twice else 1


def _forwards(characters: Characters) -> Characters:
    """Turn words round that are written backwards, if the text is full of them.

    One such word is a name; it takes two, and most of the longer words, to be a disguise.
    """
    text = _text(characters)
    words = [m for m in _LETTERS.finditer(text) if len(m.group()) >= _SHORTEST_REVERSED]
    strange = [m for m in words if not is_known(m.group())]
    turned = [m for m in strange if is_known(m.group()[::-1])]
    if len(turned) < _FEWEST_REVERSED or len(turned) < _MOSTLY * len(strange):
        return characters
    if len(strange) * 2 < len(words):
        return characters
    plain = list(characters)
    for match in words:
        word = match.group()
        if _reads_better_backwards(word):
            for place, letter in zip(range(*match.span()), reversed(word), strict=True):
                plain[place] = (letter, characters[place][1])
    return plain


def _reads_better_backwards(word: str) -> bool:
    forwards, backwards = rank(word), rank(word[::-1])
    if forwards is None:
        return True
    return backwards is not None and backwards < forwards


def _without(characters: Characters, dropped: set[int]) -> Characters:
    if not dropped:
        return characters
    return [pair for place, pair in enumerate(characters) if place not in dropped]
