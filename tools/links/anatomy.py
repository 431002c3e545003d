"""A link taken apart the way a browser would, quirks included, without opening or resolving it.

Follows the URL Standard (url.spec.whatwg.org, "basic URL parser") wherever a link's meaning depends
on it. What a browser would put right in silence is noted as an oddity, since honest links seldom
need it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from tools.links.hostnames import Address, Host, HostFault, HostOddity, decoded, read_host
from tools.links.spelling import Folded, fold, is_invisible, refang
from tools.links.suffixes import Ownership, ownership

Oddity = HostOddity | Literal["backslashes", "control_characters", "defanged"]
Fault = HostFault | Literal["an impossible port"]

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_OPAQUE_SCHEMES = frozenset(
    {"about", "blob", "data", "file", "javascript", "mailto", "sms", "tel", "vbscript"}
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*+):")
_WEB_AUTHORITY = re.compile(r"[/\\]*+([^/\\?#]*+)")
_AUTHORITY = re.compile(r"/*+([^/?#]*+)")
_BLANKS = "".join(map(chr, range(0x21)))
_REMOVED = str.maketrans("", "", "\t\n\r")
_SAFE = "%/:@!$&'()*+,;=-._~[]|^`{}\\"
# They turn the letters after them around, so that a file seems to end in another extension.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Anatomy:
    """The parts of one link; parts that it does not have are empty."""

    raw: str
    scheme: str
    """Lower case; `http` where the link names none, as a browser assumes."""
    userinfo: str
    host: str
    """As it would be asked for: lower case, in ASCII, addresses in their usual form."""
    host_unicode: str
    """The host as a person reads it, with encoded names decoded."""
    address: Address | None
    port: int | None
    """None for the scheme's own port."""
    path: str
    query: str
    owner: Ownership
    """Where the host ends and its owner begins; all empty for addresses and local names."""
    oddities: frozenset[Oddity]
    fault: Fault | None
    """Why no browser would open it; the other parts are then what could be read."""

    @property
    def url(self) -> str:
        """The link in its usual spelling, in ASCII, without user name and fragment."""
        if not self.host:
            return f"{self.scheme}:{self.path}"
        port = "" if self.port is None else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.host}{port}{self.path}{query}"

    @property
    def registered_domain(self) -> str:
        """The domain that somebody registered; "" for addresses and local names."""
        return self.owner.registered_domain

    @property
    def is_web(self) -> bool:
        """Whether it is a page that a browser would open."""
        return self.fault is None and self.scheme in {"http", "https"}


@dataclass(frozen=True)
class _Outline:
    """A link cut into its parts, each as it was written."""

    scheme: str
    userinfo: str = ""
    host: str = ""
    port: str = ""
    tail: str = ""
    oddities: frozenset[Oddity] = frozenset()


def dissect(link: str) -> Anatomy:
    """Take `link` apart; any text gives an anatomy, and one that no browser would open has a fault.

    Defanged links (`hxxps://example[.]com`) are read as what they stand for.
    """
    stripped = link.strip(_BLANKS)
    text, defanged = refang(stripped.translate(_REMOVED))
    outline = _outline(text)
    oddities: set[Oddity] = {"defanged"} if defanged else set()
    if stripped.translate(_REMOVED) != stripped:
        oddities.add("control_characters")
    opaque = outline.scheme in _OPAQUE_SCHEMES or outline.scheme not in DEFAULT_PORTS
    host = Host("") if opaque and not outline.host else read_host(outline.host)
    port, fault = _read_port(outline.port)
    path, query = _read_tail(outline.tail, opaque=opaque)
    named = host.address is None and host.fault is None
    return Anatomy(
        raw=link,
        scheme=outline.scheme,
        userinfo=outline.userinfo,
        host=host.name,
        host_unicode=decoded(host.name),
        address=host.address,
        port=None if port == DEFAULT_PORTS.get(outline.scheme) else port,
        path=path,
        query=query,
        owner=ownership(host.name if named else ""),
        oddities=frozenset(oddities | outline.oddities | host.oddities),
        fault=host.fault or fault,
    )


def _outline(text: str) -> _Outline:
    folded = fold(text)
    scheme, start = _scheme(folded.text)
    special = scheme in DEFAULT_PORTS
    if scheme in _OPAQUE_SCHEMES or not (special or folded.text.startswith("//", start)):
        return _Outline(scheme, tail=_original(text, folded, start))
    authority = (_WEB_AUTHORITY if special else _AUTHORITY).match(folded.text, start)
    begin, end = authority.span(1) if authority else (start, start)
    at = folded.text.rfind("@", begin, end)
    place = begin if at < 0 else at + 1
    colon = folded.text.find(":", max(place, folded.text.rfind("]", place, end)), end)
    tail = _original(text, folded, end)
    oddities: set[Oddity] = set()
    if special and "\\" in folded.text[start : end + 1]:
        oddities.add("backslashes")
    front = text[: len(text) - len(tail)]
    if any(map(is_invisible, front)) or not _DIRECTIONS.isdisjoint(tail):
        oddities.add("invisible_characters")
    return _Outline(
        scheme,
        userinfo="" if at < 0 else folded.text[begin:at],
        host=_original(text, folded, place, end if colon < 0 else colon),
        port="" if colon < 0 else folded.text[colon + 1 : end],
        tail=tail,
        oddities=frozenset(oddities),
    )


def _scheme(text: str) -> tuple[str, int]:
    """The scheme, and where the rest begins; a bare host is taken for a web address."""
    found = _SCHEME.match(text)
    if found is None:
        return "http", 0
    name, rest = found[1].lower(), text[found.end() : found.end() + 2]
    known = name in DEFAULT_PORTS or name in _OPAQUE_SCHEMES
    if not known and rest != "//" and ("." in name or rest[:1].isdigit()):
        return "http", 0
    return name, found.end()


def _original(text: str, folded: Folded, start: int, end: int | None = None) -> str:
    """What stands in `text` for a stretch of its folded copy."""
    if end is None:
        return text[folded.starts[start] :] if start < len(folded.text) else ""
    if end <= start:
        return ""
    until = folded.starts[end] if end < len(folded.text) else len(text)
    return text[folded.starts[start] : until]


def _read_port(text: str) -> tuple[int | None, Fault | None]:
    if not text:
        return None, None
    digits = text.lstrip("0") or "0"
    if text.isascii() and text.isdigit() and len(digits) <= len(str(_HIGHEST_PORT)):
        number = int(digits)
        return (number, None) if number <= _HIGHEST_PORT else (None, "an impossible port")
    return None, "an impossible port"


def _read_tail(tail: str, *, opaque: bool) -> tuple[str, str]:
    """Path and query in their usual spelling; the fragment never leaves the browser."""
    if opaque:
        return quote(tail, safe=_SAFE + "?#", errors="replace"), ""
    path, _, query = tail.partition("#")[0].partition("?")
    segments = _without_dots(path.replace("\\", "/").split("/")[1:])
    whole = "/" + "/".join(segments)
    return quote(whole, safe=_SAFE, errors="replace"), quote(
        query, safe=_SAFE + "?", errors="replace"
    )


def _without_dots(segments: list[str]) -> list[str]:
    kept: list[str] = []
    for number, segment in enumerate(segments, 1):
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            kept = kept[:-1]
        elif plain != ".":
            kept.append(segment)
            continue
        if number == len(segments):
            kept.append("")
    return kept
