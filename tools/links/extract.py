"""Where the links stand in a text, however they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tools.links.facts import brand_names, words
from tools.links.spelling import fold, refang
from tools.links.suffixes import ends_in_known_suffix, is_public_suffix

# Every repetition below is possessive or bounded, and the search goes on behind what was read, so
# that the time is linear in the length of the text, whatever somebody puts into it.
_STOPS = r"\s<>\"`“”‘’«»。｡，、！？；（）「」『』【】《》〈〉"
_EAST_ASIAN = r"\u2e80-\U0003ffff"
_DOT = r"(?:\.|[ ]?(?:\[[ ]?(?:\.|dot)[ ]?\]|\([ ]?(?:\.|dot)[ ]?\)|\{[ ]?(?:\.|dot)[ ]?\})[ ]?)"
_LETTER = rf"[^\W_{_EAST_ASIAN}]"
_LABEL = rf"{_LETTER}(?:[-_]|{_LETTER})*+"
_NAME = rf"(?:[-_]|{_LETTER})++"
_START = re.compile(
    rf"""
    (?P<scheme>
        (?: h(?:tt|xx|\*\*|xt|tx)ps? | (?<![a-z])(?:f[tx]ps?|wss?) )
        (?: (?:\[:\]|\(:\)|:) (?:[/\\]{{1,8}}+|\[//\]|\[/\]\[/\]) | \[://\] )
    )
    (?P<authority>
        (?: [^/?\#\\()\[\]{{}}{_STOPS}] | {_DOT} | \[[0-9a-f:.]{{2,45}}\] | \[[@:]\] )++
    )
  |
    (?<![a-z]) (?P<script>
        (?:java|vb)script:[^{_STOPS}]++ | data:\w++/[\w.+\-]++[;,][^{_STOPS}]++
    )
  |
    (?: (?<![\w@.\-])[._\-]*+ | (?<=\.\.) | (?<=[{_EAST_ASIAN}]) )
    (?P<site>
        (?:https?:)?+ (?P<user> {_NAME} (?:\.{_NAME})*+ @ )?+
        (?P<host> {_LABEL} (?:{_DOT}{_LABEL})++ )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = rf"[^()\[\]{{}}{_STOPS}]"
_REST = re.compile(
    rf"""
    (?: :[0-9]{{1,5}}+(?!\w) )?+
    (?: [/?\#\\]
        (?: {_PLAIN} | \((?:{_PLAIN}|\({_PLAIN}*+\))*+\) | \[{_PLAIN}*+\] | \{{{_PLAIN}*+\}} )*+
    )?+
    """,
    re.VERBOSE,
)
_DOTS = re.compile(_DOT, re.IGNORECASE)
_LABELLED = re.compile(r"\[([^\[\]\n]{1,300}+)\]\(\s{0,3}+<?[/\\]{0,2}+")
_NOT_IN_HOST = re.compile(r"[,;'|!*]")
_SCHEME_AT_END = re.compile(r"h(?:tt|xx)ps?:\Z", re.IGNORECASE)
_SLASHES = frozenset("/\\")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)
_TRAILING = ".,;:!?'*_~…|"
_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_SHORTEST_NUMBER = 4


@dataclass(frozen=True)
class Link:
    """One link in a text."""

    raw: str
    """The link as it stands there: `text[start:end]`."""
    start: int
    end: int
    url: str
    """What it stands for: clickable again, styled letters plain, invisible ones left out."""
    defanged: bool
    """Written so that nobody can click it (`hxxp`, `[.]`), as in a warning; or past a filter."""
    shown_text: str | None
    """What a reader sees in its place, for a Markdown link `[shown](target)`."""

    @property
    def written(self) -> str:
        """What to hand to `url_reputation`: the link, with the text that hides it if there is one.

        >>> find_links("see [the bank](https://example.com/a)")[0].written
        '[the bank](https://example.com/a)'
        """
        return self.raw if self.shown_text is None else f"[{self.shown_text}]({self.raw})"


@dataclass(frozen=True)
class _Reading:
    """A text as the search reads it."""

    copy: str
    labelled: Mapping[int, tuple[int, int]]
    """Where a Markdown target begins → the span of the text that is shown for it."""


def find_links(text: str) -> tuple[Link, ...]:
    """The links in `text`, in order, none overlapping another.

    Found are addresses with a scheme, `www.` and bare domains that end in a real public suffix,
    also defanged, in styled letters, or with invisible letters inside. E-mail addresses are not
    links. Where a domain could as well be two sentences without a space ("go.now", "notes.md") it
    counts only with a path, a digit, a hyphen or a brand's name. A bare domain in Chinese, Japanese
    or Korean letters is found only with its scheme.

    The time is linear in the length of the text.
    """
    folded = fold(text)
    reading = _Reading(
        folded.text, {found.end(): found.span(1) for found in _LABELLED.finditer(folded.text)}
    )
    links: list[Link] = []
    position = 0
    while found := _START.search(reading.copy, position):
        start, end = _extent(reading, found)
        position = end if found["authority"] and end > start else max(end, found.end())
        if end > start:
            plain, defanged = refang(reading.copy[start:end])
            shown = reading.labelled.get(start)
            begin, finish = folded.span(start, end)
            links.append(
                Link(
                    raw=text[begin:finish],
                    start=begin,
                    end=finish,
                    url=f"http://{plain}" if found["host"] and not _has_scheme(plain) else plain,
                    defanged=defanged,
                    shown_text=None if shown is None else text[slice(*folded.span(*shown))],
                )
            )
    return tuple(links)


def _extent(reading: _Reading, found: re.Match[str]) -> tuple[int, int]:
    """Where the link that begins at `found` stands; an empty stretch if it is none after all."""
    if found["script"]:
        start, end = found.span("script")
        target = start in reading.labelled
        if target and found["script"].count(")") > found["script"].count("("):
            end -= 1
        runs = target or any(mark in found["script"] for mark in "(%=;,")
        return start, _trimmed(reading.copy, start, end) if runs else start
    if found["authority"]:
        return found.start(), _end_of_address(reading.copy, found)
    start = found.start("site")
    return start, _end_of_site(reading, found)


def _end_of_address(copy: str, found: re.Match[str]) -> int:
    begin, end = found.span("authority")
    host = max(begin, copy.rfind("@", begin, end))
    if cut := _NOT_IN_HOST.search(copy, host, end) or _next_address(copy, begin, end):
        end = cut.start()
    elif rest := _REST.match(copy, end):
        end = rest.end()
    trimmed = _trimmed(copy, begin, end)
    return trimmed if trimmed > begin else found.start()


def _next_address(copy: str, begin: int, end: int) -> re.Match[str] | None:
    """The scheme of another address that stands right behind this one, without a space."""
    return (
        _SCHEME_AT_END.search(copy, max(begin + 1, end - 8), end)
        if copy[end : end + 1] in _SLASHES
        else None
    )


def _end_of_site(reading: _Reading, found: re.Match[str]) -> int:
    copy, start = reading.copy, found.start("site")
    begin, end = found.span("host")
    nowhere = start
    if end - begin > 2 * _LONGEST_HOST:
        return nowhere
    if (user := found["user"]) and not (_could_be_site(user[:-1]) and _is_site(user[:-1])):
        return nowhere
    certain = start in reading.labelled or start < begin
    cuts = [dot.start() for dot in _DOTS.finditer(copy, begin, end)][1:]
    for cut in [end, *reversed(cuts)]:
        stop = _trimmed(copy, begin, cut, "-_")
        host, defanged = refang(copy[begin:stop])
        if not _could_be_site(host):
            continue
        rest = _REST.match(copy, stop)
        finish = _trimmed(copy, begin, rest.end()) if rest else stop
        if found["user"] and finish == stop:
            return nowhere
        if certain or defanged or finish > stop or _is_site(host):
            return finish
    return nowhere


def _could_be_site(host: str) -> bool:
    name = host.lower()
    if _IPV4.fullmatch(name):
        return True
    fits = len(name) <= _LONGEST_HOST and max(map(len, name.split("."))) <= _LONGEST_LABEL
    return fits and "." in name and ends_in_known_suffix(name) and not is_public_suffix(name)


def _is_site(host: str) -> bool:
    """Whether `host` means a site, rather than a file or two sentences without a space between."""
    *_, label, suffix = host.split(".")
    sentence = suffix[0].isupper() and not suffix.isupper() and not label[0].isupper()
    number = label.isdigit() and len(label) < _SHORTEST_NUMBER
    if sentence or number or suffix.isdigit():
        return False
    if suffix.lower() not in words("everyday_suffixes"):
        return True
    telling = any(letter.isdigit() or letter == "-" for letter in label)
    return telling or host.lower().startswith("www.") or label.lower() in brand_names()


def _trimmed(copy: str, start: int, end: int, marks: str = _TRAILING) -> int:
    """`end` without the punctuation that ends a sentence rather than a link."""
    return start + len(copy[start:end].rstrip(marks))


def _has_scheme(link: str) -> bool:
    return re.match(r"(?i)https?:", link) is not None
