"""Where a host ends and its owner begins, by the public-suffix list that comes with tldextract.

The list is the bundled snapshot: nothing is fetched and nothing is cached on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract


@dataclass(frozen=True)
class Ownership:
    """A host cut where one owner's names end."""

    subdomain: str
    registered_domain: str
    """Who answers for the content: `me.github.io` for a page on github.io; "" where nobody does."""
    label: str
    """The first label of the registered domain: the name that somebody chose."""
    suffix: str
    """What anybody may register under, such as `co.uk` or `github.io`."""
    platform: str
    """The platform's own domain where the suffix is one of those, such as `github.io`; else ""."""


RESERVED = ("example", "test", "invalid")
"""Top-level domains that nobody can register (RFC 2606); examples use them like any other."""

_NOBODY = Ownership("", "", "", "", "")


@lru_cache(maxsize=8192)
def ownership(host: str) -> Ownership:
    """Cut `host`, a domain in lower case, at its public suffix.

    Suffixes that a company opened to the public (github.io, blogspot.com) count, since their
    sub-domains belong to strangers; the company's own front page keeps the company's domain.
    """
    cut = _extractor()
    own = cut.extract_str(host, include_psl_private_domains=True)
    public = cut.extract_str(host, include_psl_private_domains=False)
    if not public.suffix or not public.domain:
        return _NOBODY
    registered = f"{public.domain}.{public.suffix}"
    if own.domain and own.suffix != public.suffix:
        whole = f"{own.domain}.{own.suffix}"
        return Ownership(own.subdomain, whole, own.domain, own.suffix, registered)
    return Ownership(public.subdomain, registered, public.domain, public.suffix, "")


def is_public_suffix(host: str) -> bool:
    """Whether `host` is itself a suffix that anybody may register under, such as `co.uk`."""
    return host in _suffixes()


def ends_in_known_suffix(host: str) -> bool:
    """Whether the last label of `host` is a top-level domain that exists."""
    return host.rpartition(".")[2] in _top_level_domains()


@cache
def _extractor() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, extra_suffixes=RESERVED)


@cache
def _suffixes() -> frozenset[str]:
    return frozenset(_extractor().tlds)


@cache
def _top_level_domains() -> frozenset[str]:
    names = {suffix.rpartition(".")[2] for suffix in _suffixes()}
    encoded = {name.encode("idna").decode() for name in names if not name.isascii()}
    return frozenset(names | encoded)
