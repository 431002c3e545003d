"""The signs that a link gives by its letters alone, each with its place and a plain explanation.

How much a sign weighs, and the sentence that explains it, stand in `signs.json`. A hard sign is a
trick with no honest use; a strong one deserves a look by itself; weak ones count together; a note
explains and counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote

from tools.links.anatomy import Anatomy, dissect
from tools.links.extract import find_links
from tools.links.facts import hosts, is_among, official_domains, sign_texts, words
from tools.links.lookalike import imitations, is_official, mixed_script
from tools.links.spelling import defang
from tools.links.suffixes import ends_in_known_suffix, ownership

Strength = Literal["hard", "strong", "weak", "note"]
Place = Literal["whole", "scheme", "user name", "host", "port", "path", "query", "shown text"]

_MANY_LABELS = 4
_LONG_HOST = 50
_LONG_URL = 2_000
_LONGEST_QUERY = 8_192
_MOST_PARAMETERS = 64
_WEB_SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp"})
_RUNNING_SCHEMES = frozenset({"javascript", "vbscript"})
_LOCAL_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".home", ".corp")
_WORD = re.compile(r"[a-z]+")
_PROTOCOLS = re.compile(r"(?:\A|[-_])(https?|www)(?=[-_])|\A(https|www)(?=[a-z0-9])")


@dataclass(frozen=True)
class Sign:
    """One thing that the letters of a link give away."""

    name: str
    strength: Strength
    family: str
    """Signs of one family say much the same and count once."""
    where: Place
    excerpt: str
    """The part that shows it, unclickable and with nothing in it that a terminal would obey."""
    says: str
    """What it means, as the end of a sentence that begins with "this link"."""


def find_signs(anatomy: Anatomy, shown_text: str | None = None) -> tuple[Sign, ...]:
    """The signs of a link, the heaviest first; `shown_text` is what a reader sees in its place."""
    found = [sign for examine in _EXAMINERS for sign in examine(anatomy)]
    if shown_text is not None:
        found += _of_shown_text(anatomy, shown_text)
    order: list[Strength] = ["hard", "strong", "weak", "note"]
    return tuple(sorted(dict.fromkeys(found), key=lambda sign: order.index(sign.strength)))


def hidden_target(anatomy: Anatomy) -> Anatomy | None:
    """The other site that a link passes on to, if one of its parameters names it."""
    if len(anatomy.query) > _LONGEST_QUERY:
        return None
    try:
        pairs = parse_qsl(anatomy.query, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    for name, value in pairs:
        if name.lower() in words("redirect_parameters") and _is_address(value):
            target = dissect(value)
            if target.is_web and target.host and not _is_same_site(target, anatomy):
                return target
    return None


def _sign(name: str, where: Place, excerpt: str = "", *, detail: str = "", host: str = "") -> Sign:
    text = sign_texts()[name]
    shown = defang(detail or excerpt, limit=60)
    return Sign(
        name=name,
        strength=cast("Strength", text["strength"]),
        family=text["family"],
        where=where,
        excerpt=defang(excerpt, limit=60),
        says=text["says"].format(detail=shown, host=defang(host, limit=60)),
    )


def _of_spelling(anatomy: Anatomy) -> Iterator[Sign]:
    for oddity in sorted(anatomy.oddities):
        whole = oddity in {"defanged", "control_characters", "invisible_characters"}
        yield _sign(oddity, "whole" if whole else "host", "" if whole else anatomy.host)
    if anatomy.fault is not None:
        yield _sign("malformed", "whole", anatomy.fault)
    if len(anatomy.raw) > _LONG_URL:
        yield _sign("long_url", "whole", str(len(anatomy.raw)))


def _of_scheme(anatomy: Anatomy) -> Iterator[Sign]:
    opening = unquote(anatomy.path[:60]).lower().lstrip()
    page = anatomy.scheme == "data" and opening.startswith(("text/html", "image/svg", "text/xml"))
    if anatomy.scheme in _RUNNING_SCHEMES or page:
        yield _sign("script_scheme", "scheme", f"{anatomy.scheme}:")
    elif anatomy.scheme not in _WEB_SCHEMES:
        yield _sign("other_scheme", "scheme", f"{anatomy.scheme}:")


def _of_userinfo(anatomy: Anatomy) -> Iterator[Sign]:
    if not anatomy.userinfo:
        return
    shown = re.split(r"[:/\\?#;,\s\x00-\x1f]", unquote(anatomy.userinfo).lower(), maxsplit=1)[0]
    name = shown.rpartition("@")[2].strip(".")
    pretended = ownership(name).registered_domain if ends_in_known_suffix(name) else ""
    if pretended and pretended != anatomy.registered_domain:
        yield _sign("userinfo_other_host", "user name", name, host=anatomy.host)
    else:
        yield _sign("credentials_in_url", "user name")


def _of_address(anatomy: Anatomy) -> Iterator[Sign]:
    address = anatomy.address
    local = anatomy.host == "localhost" or anatomy.host.endswith(_LOCAL_SUFFIXES)
    if address is not None and address.is_global:
        yield _sign("ip_host", "host", anatomy.host)
    elif address is not None or local:
        yield _sign("private_address", "host", anatomy.host)
    if anatomy.port is not None:
        yield _sign("unusual_port", "port", str(anatomy.port))


def _of_host(anatomy: Anatomy) -> Iterator[Sign]:
    if anatomy.host_unicode != anatomy.host:
        yield _sign("punycode", "host", anatomy.host_unicode)
    if label := mixed_script(anatomy.host_unicode):
        yield _sign("mixed_script", "host", label)
    labels = [label for label in anatomy.owner.subdomain.split(".") if label not in {"", "www"}]
    if len(labels) >= _MANY_LABELS:
        yield _sign("many_subdomains", "host", str(len(labels)))
    if len(anatomy.host) >= _LONG_HOST:
        yield _sign("long_host", "host", str(len(anatomy.host)))
    if not is_official(anatomy.owner):
        if found := _PROTOCOLS.search(anatomy.owner.label):
            yield _sign("protocol_in_host", "host", found[1] or found[2])
        asked = words("credential").intersection(_WORD.findall(anatomy.owner.label))
        if asked:
            yield _sign("credential_words_host", "host", ", ".join(sorted(asked)))


def _of_hosting(anatomy: Anatomy) -> Iterator[Sign]:
    if anatomy.registered_domain in hosts("shorteners"):
        yield _sign("shortener", "host", anatomy.host)
    tenant = anatomy.owner.subdomain or anatomy.owner.platform
    if tenant and is_among(anatomy.host, hosts("free_hosting")):
        yield _sign("free_hosting", "host", anatomy.host)
    if tenant and is_among(anatomy.host, hosts("dynamic_dns")):
        yield _sign("dynamic_dns", "host", anatomy.host)


def _of_brands(anatomy: Anatomy) -> Iterator[Sign]:
    for imitation in imitations(anatomy):
        yield _sign(imitation.kind, imitation.where, imitation.excerpt, detail=imitation.brand.name)


def _of_path(anatomy: Anatomy) -> Iterator[Sign]:
    if anatomy.scheme not in _WEB_SCHEMES:
        return
    name = unquote(anatomy.path.rpartition("/")[2]).lower().rstrip(". ")
    first, _, extension = name.rpartition(".")
    if first and extension in words("executable_extensions"):
        pretends = first.rpartition(".")[2].strip() in words("document_extensions")
        yield _sign("double_extension" if pretends else "executable", "path", name)
    asked = words("credential").intersection(_WORD.findall(anatomy.path.lower()))
    if asked:
        yield _sign("credential_words_path", "path", ", ".join(sorted(asked)))


def _of_redirect(anatomy: Anatomy) -> Iterator[Sign]:
    target = hidden_target(anatomy)
    if target is None:
        return
    yield _sign("open_redirect", "query", target.host)
    tricks = (*_of_spelling(target), *_of_userinfo(target), *_of_brands(target))
    if any(sign.strength in {"hard", "strong"} for sign in tricks):
        yield _sign("redirect_to_trick", "query", target.host)


def _of_shown_text(anatomy: Anatomy, shown_text: str) -> Iterator[Sign]:
    for link in find_links(shown_text):
        shown = dissect(link.raw)
        if shown.host and not _is_same_site(shown, anatomy):
            yield _sign("shown_host_differs", "shown text", shown.host, host=anatomy.host)
            return


def _is_address(value: str) -> bool:
    start = value.strip().lower()
    if start.startswith(("http:", "https:", "//", "\\\\")):
        return True
    host = re.split(r"[/?#]", start, maxsplit=1)[0]
    return start.startswith("www.") and ends_in_known_suffix(host)


def _is_same_site(one: Anatomy, other: Anatomy) -> bool:
    if not one.registered_domain or not other.registered_domain:
        return one.host == other.host
    if one.registered_domain == other.registered_domain:
        return True
    brand = official_domains().get(one.registered_domain)
    return brand is not None and other.registered_domain in brand.domains


_EXAMINERS: tuple[Callable[[Anatomy], Iterator[Sign]], ...] = (
    _of_userinfo,
    _of_brands,
    _of_spelling,
    _of_scheme,
    _of_address,
    _of_host,
    _of_hosting,
    _of_path,
    _of_redirect,
)
