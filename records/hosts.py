"""Host names and links written one way, so that two spellings of one place compare equal.

Everything here works on letters. Nothing is opened, resolved or looked up.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import quote, urlsplit

import idna

from records.fields import can_be_stored

_LONGEST = 2_000
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_DEFANGED_DOT = re.compile(r"[\[({]\s*(?:\.|dot)\s*[\])}]", re.IGNORECASE)
_DEFANGED_COLON = re.compile(r"\[(:|://)\]")
_DEFANGED_SCHEME = re.compile(r"^h(?:xx|\*\*|tt)p(s?)(?=:)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}


def refang(text: str) -> str:
    """Return a defanged link as it was: `hxxps[:]//bad[.]example` is `https://bad.example`.

    >>> refang("hxxp://bad[.]example")
    'http://bad.example'
    """
    text = _DEFANGED_COLON.sub(r"\1", _DEFANGED_DOT.sub(".", text.strip()))
    return _DEFANGED_SCHEME.sub(r"http\1", text)


def normalise_host(text: str) -> str | None:
    """Return a host in lower-case ASCII without its last dot, or None where it is no host name.

    Letters outside ASCII become punycode by UTS 46; a label that IDNA 2008 refuses (an emoji, say)
    is encoded all the same, because such domains exist. An IP address comes back in its usual form,
    IPv6 without brackets.

    >>> normalise_host("BÜCHER.example."), normalise_host("not a host")
    ('xn--bcher-kva.example', None)
    """
    host = refang(text)[:_LONGEST].removesuffix(".")
    if not can_be_stored(host):
        return None  # half a letter, which punycode would encode all the same
    if ":" in host:
        return _address(host.removeprefix("[").removesuffix("]"))
    ascii_host = host.lower() if host.isascii() else _punycode(host)
    if len(ascii_host) > 253 or not _HOST.fullmatch(ascii_host):  # noqa: PLR2004 (RFC 1035, 2.3.4)
        return None
    return ascii_host


def normalise_url(text: str) -> str | None:
    """Return a link with scheme and host normalised, without user, default port and fragment.

    A link without a scheme is taken for http. None where it holds no host that could be one.

    >>> normalise_url("HXXPS://me@Bad[.]example:443/a?b=1#c")
    'https://bad.example/a?b=1'
    """
    link = refang(text)
    if len(link) > _LONGEST:
        return None
    if not _SCHEME.match(link):
        link = "http://" + link.removeprefix("//")
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return None
    host = normalise_host(parts.hostname or "")
    if host is None:
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        place = f"{place}:{port}"
    query = f"?{_ascii(parts.query)}" if parts.query else ""
    return f"{parts.scheme}://{place}{_ascii(parts.path or '/')}{query}"


def host_of(url: str) -> str | None:
    """Return the normalised host of a link, or None."""
    clean = normalise_url(url)
    return normalise_host(urlsplit(clean).hostname or "") if clean else None


def parents(host: str) -> list[str]:
    """Return `host` and every domain above it; an IP address stands alone.

    >>> parents("a.bad.example")
    ['a.bad.example', 'bad.example', 'example']
    """
    if _address(host):
        return [host]
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _punycode(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except UnicodeError:
        folded = unicodedata.normalize("NFKC", host).casefold()
        return ".".join(_label(label) for label in folded.split("."))


def _label(label: str) -> str:
    if label.isascii():
        return label
    return "xn--" + label.encode("punycode", "replace").decode("ascii")


def _ascii(part: str) -> str:
    return quote(part, safe="%/:=&?~+!$,;'@()*[]|", errors="replace")
