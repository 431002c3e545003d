"""What must be the same in two posts for one decision to hold for both.

Not "similar": a single word turns an insult into its opposite. So two posts are copies only if they
say the same words in the same order, with the same links to the same places, in answer to the same
context, once their disguises are taken off. What may differ is what spammers vary and nobody reads:
case, spacing, punctuation, invisible and look-alike letters, who is mentioned, a random tag, the
path of a link on a host of its own, and a slip of the finger in a long word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from agent.case import Case
from agent.known_words import is_known, words_in
from agent.reading_copy import latin_twin, reading_copy
from tools.links.extract import Link, find_links
from tools.links.facts import hosts, official_domains
from tools.links.suffixes import ownership

_MENTION = re.compile(r"(?<![\w@$+!])@(\w+)(?![\w@$+!|])")
_TAG = re.compile(r"(?<!\S)[A-Za-z0-9]{5,}(?=[.,!?)]*(?:\s|$))")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MAY_HOLD_LINK = re.compile(r"[./:]|dot|www", re.IGNORECASE)
_QUOTES = frozenset('"“”„«»‟″')
_MEANINGFUL = frozenset("?%$€£¥#")
"""Marks that change what is said; other punctuation is dress."""
_LINK = "⧉"
"""Stands where a link stood: "open not LINK" is not "open LINK, not"."""
_SHORTEST_TAG = 6
_SHORTEST_NUMBER_TAG = 5
_SHORTEST_WORD = 3
_LONG_WORD = 6
_DIGITS_OF_A_NAME = 2
_VOWELS = frozenset("aeiouy")
_DIGITS_AS_LETTERS = str.maketrans("0123456789", "oizeasgtbg")
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ´`")


@dataclass(frozen=True)
class Shape:
    """A case without its dress."""

    setting: tuple[str, ...]
    """Kind, surface, language and context: the same words elsewhere are another case."""
    links: tuple[str, ...]
    """Where its links lead, in order."""
    words: tuple[str, ...]
    """Its words in order, and the marks that mean something."""

    @property
    def text(self) -> str:
        """What the search for copies compares."""
        return " ".join((*self.words, *self.links))


def shape_of(case: Case) -> Shape | None:
    """Return the shape of a case; None for an account, which is never a copy of another."""
    if case.kind != "content":
        return None
    found = find_links(case.text) if _MAY_HOLD_LINK.search(case.text) else ()
    around = [" ".join(_words(item.text)) for item in case.context]
    return Shape(
        setting=(case.surface, case.language, *around),
        links=(*(_place(link) for link in found), *(_named_place(link) for link in case.links)),
        words=_words(_without(case.text, found)),
    )


def is_copy(one: Shape, other: Shape) -> bool:
    """Return whether a decision on one holds for the other."""
    if (one.setting, one.links) != (other.setting, other.links):
        return False
    if len(one.words) != len(other.words):
        return False
    pairs = zip(one.words, other.words, strict=True)
    return all(a == b or _same_but_for_a_slip(a, b) for a, b in pairs)


def spoken(text: str) -> str:
    """Return a text without the names and random tags in it, which nobody reads aloud.

    A tag stands at one end of a post and is alone there; of several one may be a dressed word. Long
    numbers may stand anywhere.
    """
    named = _MENTION.sub(_unless_a_word, text)
    # Before the digits in it are read as letters: what is left is then no tag any more.
    tags = [found for found in _TAG.finditer(named) if _is_tag(found[0])]
    mixed = [found for found in tags if not found[0].isdigit()]
    dropped = {found.span() for found in tags if found[0].isdigit()}
    if len(mixed) == 1 and _stands_at_an_end(mixed[0], named):
        dropped.add(mixed[0].span())
    for start, end in sorted(dropped, reverse=True):
        named = f"{named[:start]} {named[end:]}"
    return named


def _stands_at_an_end(found: re.Match[str], text: str) -> bool:
    before, after = text[: found.start()], text[found.end() :]
    return not before.strip(f" \t\n{_LINK}") or not after.strip(f" \t\n.,!?){_LINK}")


def _words(text: str) -> tuple[str, ...]:
    plain = reading_copy(spoken(text)).text.translate(_APOSTROPHES)
    # What looks alike is alike here, also where it could be another alphabet (UTS 39, skeletons).
    read = "".join(map(_looks, plain)).casefold()
    tokens: list[str] = []
    for token in _TOKEN.findall(read):
        told = _meaning(token)
        if told and not (tokens and told == tokens[-1] and not told.isalnum()):
            tokens.append(told)
    return tuple(tokens)


@lru_cache(maxsize=65_536)
def _looks(character: str) -> str:
    return character if character.isascii() else latin_twin(character) or character


def _unless_a_word(mention: re.Match[str]) -> str:
    """A space for somebody's name; what could be a word with a sign for its first letter stays."""
    name = f"a{mention[1]}".casefold()
    letters = name.rstrip("0123456789")
    if len(name) - len(letters) >= _DIGITS_OF_A_NAME:
        return mention[0] if is_known(letters) else " "
    spelled = name.translate(_DIGITS_AS_LETTERS)
    return mention[0] if all(map(is_known, words_in(spelled))) else " "


def _meaning(token: str) -> str:
    """The token as it counts, or nothing where it is dress."""
    if token.strip("_").isalnum():
        return token.replace("_", "")
    if token in _QUOTES:
        return '"'
    symbol = unicodedata.category(token) in {"So", "Sk", "Sm"}  # emoji speak, as words do
    return token if symbol or token in _MEANINGFUL else ""


@lru_cache(maxsize=65_536)
def _is_tag(token: str) -> bool:
    """Whether a token is a random one: long, with digits, and with no word to be read in it."""
    if not token.isascii() or not any(letter.isdigit() for letter in token):
        return False
    least = _SHORTEST_NUMBER_TAG if token.isdigit() else _SHORTEST_TAG
    return len(token) >= least and not _says_something(token)


def _says_something(token: str) -> bool:
    """Whether a word could be read in a token, its digits taken for letters or not."""
    plain = token.casefold()
    if any(map(_readable, re.findall(r"[^\W\d_]+", plain))):
        return True
    spelled = [one.translate(_DIGITS_AS_LETTERS) for one in (plain, plain.strip("0123456789"))]
    spelled += [one.replace("i", "l") for one in spelled]
    spelled += [reading_copy(plain).text.casefold()]
    return any(one and 4 * _letters_in_words(one) >= 3 * len(one) for one in spelled)


def _readable(run: str) -> bool:
    """Whether a run of letters is a word, holds one, or could be a word that nobody listed."""
    if not _VOWELS.intersection(run):
        return False
    return len(run) > _SHORTEST_WORD or (len(run) == _SHORTEST_WORD and is_known(run))


def _letters_in_words(run: str) -> int:
    """How many letters of a run belong to words too long to be there by chance."""
    words = (word for word in words_in(run) if len(word) > _SHORTEST_WORD)
    return sum(len(word) for word in words if is_known(word) or is_known(word.removesuffix("s")))


@lru_cache(maxsize=65_536)
def _same_but_for_a_slip(one: str, other: str) -> bool:
    """Whether a long word was mistyped: one letter wrong, and only one of both is a word at all."""
    if min(len(one), len(other)) < _LONG_WORD or not (one.isalpha() and other.isalpha()):
        return False
    return one[0] == other[0] and is_known(one) != is_known(other) and _one_slip(one, other)


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was added, left out, exchanged, or swapped with its neighbour."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    if left[1:] == right[1:] or left[1:] == right or left == right[1:]:
        return True
    return left[:2] == right[:2][::-1] and left[2:] == right[2:]


def _without(text: str, links: tuple[Link, ...]) -> str:
    for link in reversed(links):
        text = f"{text[: link.start]} {_LINK} {text[link.end :]}"
    return text


def _named_place(link: str) -> str:
    found = find_links(link)
    return _place(found[0]) if found else link.casefold()


def _place(link: Link) -> str:
    """Where a link leads: its host, and all of it where one host serves many people."""
    mark = "defanged " if link.defanged else ""
    try:
        host = (urlsplit(link.url).hostname or "").casefold()
    except ValueError:
        return mark + link.url
    return mark + (link.url if not host or _is_shared(host) else host)


@lru_cache(maxsize=4_096)
def _is_shared(host: str) -> bool:
    parents = {host.split(".", number)[-1] for number in range(host.count(".") + 1)}
    shared = hosts("shorteners") | hosts("free_hosting") | hosts("dynamic_dns")
    owned = ownership(host).registered_domain in official_domains()
    return bool(parents & shared) or owned
