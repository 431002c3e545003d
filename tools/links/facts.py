"""What is known beforehand: brands, kinds of hosts and tell-tale words, from the files beside this.

The files are data that a moderator may extend; `fingerprint` goes into the provenance of a verdict,
so that an edited list is seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

FILES = ("brands.json", "hosts.json", "signs.json", "words.json")

HostKind = Literal["shorteners", "free_hosting", "dynamic_dns"]
WordKind = Literal[
    "credential",
    "brand_companions",
    "everyday_suffixes",
    "free_for_all_country_suffixes",
    "executable_extensions",
    "document_extensions",
    "redirect_parameters",
]


@dataclass(frozen=True)
class Brand:
    """A name that is worth imitating, and the domains that belong to it."""

    name: str
    names: tuple[str, ...]
    """How the name is spelled in hosts, lower case."""
    domains: tuple[str, ...]
    """Registered domains that are its own."""
    word: bool
    """The name is also an ordinary word or a short one, so that by itself it proves nothing."""


@cache
def brands() -> tuple[Brand, ...]:
    """The brands of `brands.json`, in the order of the file."""
    return tuple(
        Brand(row["name"], tuple(row["names"]), tuple(row["domains"]), bool(row.get("word")))
        for row in _read("brands.json")
    )


@cache
def official_domains() -> Mapping[str, Brand]:
    """Registered domain → the brand that it belongs to."""
    return {domain: brand for brand in brands() for domain in brand.domains}


@cache
def brand_names() -> Mapping[str, Brand]:
    """Spelling of a brand's name → the brand."""
    return {name: brand for brand in brands() for name in brand.names}


@cache
def hosts(kind: HostKind) -> frozenset[str]:
    """Domains of one kind; a host belongs to it when it or one of its parents is in the set."""
    return frozenset(_read("hosts.json")[kind])


@cache
def words(kind: WordKind) -> frozenset[str]:
    """Lower-case words of one kind."""
    return frozenset(_read("words.json")[kind])


@cache
def sign_texts() -> Mapping[str, Mapping[str, str]]:
    """Name of a sign → its strength, its family and the sentence that explains it."""
    texts: Mapping[str, Mapping[str, str]] = _read("signs.json")
    return texts


@cache
def fingerprint() -> str:
    """First 12 hex digits of the SHA-256 over the data files."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(name.encode() + b"\0" + (files("tools.links") / name).read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def is_among(host: str, domains: frozenset[str]) -> bool:
    """Whether `host` or one of its parent domains is in `domains`.

    >>> is_among("me.github.io", frozenset({"github.io"}))
    True
    """
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def _read(name: str) -> Any:
    return json.loads((files("tools.links") / name).read_text(encoding="utf-8"))
