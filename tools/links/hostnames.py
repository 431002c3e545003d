"""What a browser makes of the host of a link: names, encoded names, and addresses in any form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_to_bytes

from tools.links.spelling import fold, is_invisible

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
HostOddity = Literal[
    "broken_punycode", "compatibility_letters", "encoded_host", "invisible_characters", "odd_ip"
]
HostFault = Literal["no host", "a host with impossible characters", "an impossible network address"]

_FORBIDDEN = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+", re.ASCII)
_LONGEST_LABEL = 63
_LONGEST_NUMBER = 64
_OCTETS = 4


@dataclass(frozen=True)
class Host:
    """A host as it would be asked for, and what had to be put right to get there."""

    name: str
    """Lower-case ASCII without dots at its end; an address in its usual form."""
    address: Address | None = None
    oddities: frozenset[HostOddity] = frozenset()
    fault: HostFault | None = None


def read_host(text: str) -> Host:
    """Read the host of a link, as written between user name and port.

    Follows "host parsing" of the URL Standard. A host that no browser would accept keeps the
    letters that could be read and says what is wrong.
    """
    if not text:
        return Host("", fault="no host")
    if text.startswith("["):
        return _read_ipv6(text)
    oddities: set[HostOddity] = set()
    if "%" in text:
        text = unquote_to_bytes(text.encode("utf-8", "replace")).decode("utf-8", "replace")
        oddities.add("encoded_host")
    name, fault = _read_name(text, oddities)
    if not name:
        return Host("", None, frozenset(oddities), fault or "no host")
    if _ends_in_number(name):
        return _read_ipv4(name, oddities)
    return Host(name, None, frozenset(oddities), fault)


def decoded(host: str) -> str:
    """`host` with its encoded labels (`xn--…`) as letters; labels that do not decode stay.

    >>> decoded("xn--mnchen-3ya.de")
    'münchen.de'
    """
    if "xn--" not in host:
        return host
    return ".".join(_decode_label(label) or label for label in host.split("."))


def _read_name(text: str, oddities: set[HostOddity]) -> tuple[str, HostFault | None]:
    if text.isascii():
        name, fault = text.lower(), None
    else:
        visible = "".join(letter for letter in text if not is_invisible(letter))
        if visible != text:
            oddities.add("invisible_characters")
        if fold(visible).text != visible:
            oddities.add("compatibility_letters")
        name, fault = _to_ascii(visible)
    name = name.rstrip(".")
    if any(label.startswith("xn--") and not _decode_label(label) for label in name.split(".")):
        oddities.add("broken_punycode")
    if fault is None and _FORBIDDEN.search(name):
        fault = "a host with impossible characters"
    return name, fault


def _to_ascii(name: str) -> tuple[str, HostFault | None]:
    import idna

    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
    except idna.IDNAError:
        readable = fold(name).text.lower().encode("ascii", "replace").decode()
        return readable, "a host with impossible characters"
    return ".".join(map(_encode_label, mapped.split("."))), None


def _encode_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def _decode_label(label: str) -> str:
    """The letters of an encoded label, the label itself if it is not encoded, "" if broken."""
    if not label.startswith("xn--"):
        return label
    if len(label) > _LONGEST_LABEL:
        return ""
    try:
        letters = label[4:].encode().decode("punycode")
    except UnicodeError:
        return ""
    return letters if letters.isprintable() and not letters.isascii() else ""


def _read_ipv6(text: str) -> Host:
    inner, closed = text[1:].removesuffix("]"), text.endswith("]")
    try:
        address = ipaddress.IPv6Address(inner)
    except ValueError:
        closed = False
    if not closed or "%" in inner:
        readable = inner.encode("ascii", "replace").decode()
        return Host(_FORBIDDEN.sub("", readable), fault="an impossible network address")
    return Host(f"[{address}]", address)


def _ends_in_number(name: str) -> bool:
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def _read_ipv4(name: str, oddities: set[HostOddity]) -> Host:
    numbers = [_number(part) for part in name.split(".")]
    *leading, last = numbers
    known = [number for number in numbers if number is not None]
    if (
        len(known) != len(numbers)
        or last is None
        or len(numbers) > _OCTETS
        or any(number is None or number > 0xFF for number in leading)  # noqa: PLR2004
        or last >= 256 ** (_OCTETS + 1 - len(numbers))
    ):
        return Host(name, None, frozenset(oddities), "an impossible network address")
    value = last + sum(number << (8 * (3 - place)) for place, number in enumerate(known[:-1]))
    address = ipaddress.IPv4Address(value)
    if str(address) != name:
        oddities.add("odd_ip")
    return Host(str(address), address, frozenset(oddities))


def _number(part: str) -> int | None:
    """A number as the IPv4 parser reads it: 0x for hexadecimal, a leading 0 for octal."""
    if not _NUMBER.fullmatch(part) or len(part.lstrip("0xX")) > _LONGEST_NUMBER:
        return None
    try:
        if part[:2].lower() == "0x":
            return int(part[2:] or "0", 16)
        return int(part, 8) if part.startswith("0") else int(part)
    except ValueError:
        return None
