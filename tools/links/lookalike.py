"""Hosts that pass themselves off as a well-known brand.

A name counts as imitated only on a domain that is not known to belong to the brand. Names that are
ordinary words (apple, chase, target) need more than their own letters: `pineapple.com` and
`purchase.com` imitate nobody, and neither does `apple-orchard.com`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from tools.links.anatomy import Anatomy
from tools.links.facts import Brand, brand_names, hosts, is_among, official_domains, words
from tools.links.hostnames import decoded
from tools.links.suffixes import Ownership, is_public_suffix

ImitationKind = Literal[
    "brand_homograph",
    "brand_digit_swap",
    "brand_misspelt",
    "brand_in_domain",
    "brand_domain_in_subdomain",
    "brand_on_free_hosting",
    "brand_near",
    "brand_in_subdomain",
    "brand_other_suffix",
    "brand_in_path",
]

# Latin letters with a stroke or a ligature: Unicode gives them no decomposition, and the table of
# confusables answers with a letter and a combining stroke.
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ƙ": "k", "ɓ": "b", "ɗ": "d"}
    | {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "p", "ð": "d", "ƅ": "b", "ɩ": "i", "ʟ": "l"}
)
_SWAPS = str.maketrans("0123456789i|", "olzeasgtbgll")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_SHORTEST_MISSPELT = 6
_SHORTEST_SWAPPED = 4
_SHORTEST_WITHIN = 5
_SHORTEST_ANYWHERE = 7
_TOKEN = re.compile(r"[^\W_]+")
_EAST_ASIAN_SCRIPTS = frozenset({"HAN", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})


@dataclass(frozen=True)
class Imitation:
    """A brand's name where it does not belong."""

    kind: ImitationKind
    brand: Brand
    where: Literal["host", "path"]
    excerpt: str
    """The part of the link that shows it, as a person reads it."""


@lru_cache(maxsize=256)
def imitations(anatomy: Anatomy) -> tuple[Imitation, ...]:
    """The brands that a link passes itself off as, the clearest sign first, each brand once.

    A brand's own domains imitate nobody, and neither does its bare name under a country's suffix
    (`paypal.de`): nearly all of those are its own, and no list holds them all.
    """
    if is_official(anatomy.owner) or _is_national(anatomy.owner):
        return ()
    found: dict[str, Imitation] = {}
    for imitation in (*_in_domain(anatomy), *_in_subdomain(anatomy), *_in_path(anatomy)):
        found.setdefault(imitation.brand.name, imitation)
    return tuple(found.values())


def is_official(owner: Ownership) -> bool:
    """Whether a registered domain belongs to a brand, as far as is known."""
    if owner.registered_domain in official_domains():
        return True
    if owner.suffix in brand_names():  # a brand's own top-level domain, such as .google
        return True
    return is_among(owner.suffix, _closed_suffixes())


def skeleton(text: str) -> str:
    """`text` with everything that looks alike made the same; equal skeletons look alike.

    After Unicode Technical Standard 39, section 4, with its table of confusables, and wider: case,
    accents, digits that stand for letters, and `rn` for `m`.

    >>> skeleton("раура1") == skeleton("PayPal")
    True
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = plain.translate(_STROKES).translate(_confusables()).lower()
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain.translate(_SWAPS)


def mixed_script(host: str) -> str:
    """The first label of `host` that mixes scripts which no language writes together, or "".

    Latin beside Chinese, Japanese or Korean is how those languages are written and is no mixture.
    """
    for label in host.split("."):
        scripts = {_script(letter) for letter in label if letter.isalpha()} - {"COMMON"}
        if len(scripts - {"LATIN"} - _EAST_ASIAN_SCRIPTS) + ("LATIN" in scripts) > 1:
            return label
    return ""


def is_one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter added, dropped, changed or swapped with its neighbour makes them equal.

    The restricted Damerau-Levenshtein distance is 1.

    >>> is_one_edit_apart("payapl", "paypal")
    True
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, letter in enumerate(one) if letter != other[i]), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    swapped = one[start + 1 : start + 2] + one[start] + one[start + 2 :]
    return one[start + 1 :] == other[start + 1 :] or swapped == other[start:]


def _is_national(owner: Ownership) -> bool:
    """Whether it is a brand's bare name under the suffix of a country."""
    country = owner.suffix.rpartition(".")[2]
    national = len(country) == len("de") and country not in words("free_for_all_country_suffixes")
    return national and not owner.platform and owner.label in brand_names()


def _in_domain(anatomy: Anatomy) -> Iterator[Imitation]:
    owner = anatomy.owner
    label = decoded(owner.label)
    if not label:
        return
    hosted = _is_hosted(anatomy)
    if (brand := brand_names().get(label)) and (hosted or not brand.word):
        bare: ImitationKind = "brand_on_free_hosting" if hosted else "brand_other_suffix"
        yield Imitation(bare, brand, "host", owner.registered_domain)
        return
    for kind, likeness in _likenesses(label):
        tenant = hosted and kind == "brand_in_domain"
        yield Imitation("brand_on_free_hosting" if tenant else kind, likeness, "host", label)


def _in_subdomain(anatomy: Anatomy) -> Iterator[Imitation]:
    labels = [decoded(label) for label in anatomy.owner.subdomain.split(".") if label]
    hosted = _is_hosted(anatomy)
    for place, label in enumerate(labels):
        if brand := _official_at(labels, place):
            excerpt = ".".join(labels[place : place + 2])
            yield Imitation("brand_domain_in_subdomain", brand, "host", excerpt)
        for kind, brand in _likenesses(label):
            if kind != "brand_in_domain":
                yield Imitation(kind, brand, "host", label)
            else:
                where: ImitationKind = "brand_on_free_hosting" if hosted else "brand_in_subdomain"
                yield Imitation(where, brand, "host", label)


def _in_path(anatomy: Anatomy) -> Iterator[Imitation]:
    for segment in anatomy.path.lower().split("/"):
        name = segment.partition(".")[0]
        named = brand_names().get(name)
        brand = official_domains().get(segment.removeprefix("www."))
        if brand is None and named and not named.word:
            brand = named
        if brand:
            yield Imitation("brand_in_path", brand, "path", segment)


def _likenesses(label: str) -> Iterator[tuple[ImitationKind, Brand]]:
    """How one label of a host resembles names of brands, the clearest first."""
    yield from _look_alikes(label)
    tokens = _TOKEN.findall(label)
    yield from _named(tokens)
    for token in tokens:
        yield from _compounds(token)
    for token in {label, *tokens}:
        for name in _near(token):
            yield "brand_misspelt", brand_names()[name]


def _look_alikes(label: str) -> Iterator[tuple[ImitationKind, Brand]]:
    foreign = any(
        _script(letter) not in {"LATIN", "COMMON"} for letter in label if letter.isalpha()
    )
    for token in dict.fromkeys([label, *_TOKEN.findall(label)]):
        name = _skeletons().get(skeleton(token))
        if name is None or token == name:
            continue
        brand = brand_names()[name]
        if not token.isascii():
            clear = foreign or not brand.word
            yield "brand_homograph" if clear else "brand_near", brand
        elif not brand.word or (token == label and re.search(r"[0-9]", token)):
            yield "brand_digit_swap", brand


def _named(tokens: list[str]) -> Iterator[tuple[ImitationKind, Brand]]:
    """Brands whose name stands between hyphens; a word needs the words of a log-in beside it."""
    for token in tokens:
        brand = brand_names().get(token)
        if brand and (not brand.word or not words("credential").isdisjoint(tokens)):
            yield "brand_in_domain", brand


def _compounds(token: str) -> Iterator[tuple[ImitationKind, Brand]]:
    """Brands whose name is run together with other words: `securepaypal`, `appleidlogin`."""
    for name, brand in brand_names().items():
        if len(name) < _SHORTEST_WITHIN or name not in token or name == token:
            continue
        before, _, after = token.partition(name)
        companions = [word for part in (before, after) for word in _segmented(part)]
        known = (not before or _segmented(before)) and (not after or _segmented(after))
        if known and (not brand.word or not words("credential").isdisjoint(companions)):
            yield "brand_in_domain", brand
        elif not brand.word and len(name) >= _SHORTEST_ANYWHERE:
            yield "brand_near", brand


@lru_cache(maxsize=1024)
def _segmented(text: str) -> tuple[str, ...]:
    """`text` cut into words that go with brands, longest first; empty if it is not made of them."""
    known = words("credential") | words("brand_companions")
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(text) + 1):
        for start in range(end):
            part = text[start:end]
            if start in best and (part in known or part.isdigit()):
                best[end] = (*best[start], part)
                break
    return best.get(len(text), ())


def _near(token: str) -> Iterable[str]:
    """Names of brands that are one edit away from `token`, by the index of deletions."""
    if len(token) < _SHORTEST_MISSPELT - 1 or token in brand_names():
        return ()
    index = _deletions()
    candidates = {name for variant in _variants(token) for name in index.get(variant, ())}
    return sorted(name for name in candidates if is_one_edit_apart(token, name))


@cache
def _closed_suffixes() -> frozenset[str]:
    """Suffixes under which only their owner registers, such as gov.uk."""
    return frozenset(domain for domain in official_domains() if is_public_suffix(domain))


@cache
def _deletions() -> Mapping[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for name, brand in brand_names().items():
        if not brand.word and len(name) >= _SHORTEST_MISSPELT:
            for variant in _variants(name):
                index[variant] = (*index.get(variant, ()), name)
    return index


def _variants(name: str) -> set[str]:
    return {name} | {name[:place] + name[place + 1 :] for place in range(len(name))}


@cache
def _skeletons() -> Mapping[str, str]:
    return {skeleton(name): name for name in brand_names() if len(name) >= _SHORTEST_SWAPPED}


@cache
def _confusables() -> Mapping[int, str]:
    """Letters beyond ASCII → the ASCII letter that each looks like."""
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[int, str] = {}
    for letter, alike in confusables_data.items():
        plain = [row["c"] for row in alike if row["c"].isascii() and row["c"].isalnum()]
        if not letter.isascii() and len(letter) == 1 and plain:
            table[ord(letter)] = plain[0]
    return table


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    from confusable_homoglyphs.categories import alias

    return "LATIN" if letter.isascii() else str(alias(letter))


def _official_at(labels: list[str], place: int) -> Brand | None:
    """The brand whose whole address (`paypal.com`) stands among `labels` from `place` on."""
    for length in (2, 3):
        if brand := official_domains().get(".".join(labels[place : place + length])):
            return brand
    following = labels[place + 1] if place + 1 < len(labels) else ""
    return brand_names().get(labels[place]) if following.startswith(("com-", "com_")) else None


def _is_hosted(anatomy: Anatomy) -> bool:
    shared = hosts("free_hosting") | hosts("dynamic_dns")
    tenant = anatomy.owner.subdomain and is_among(anatomy.host, shared)
    return bool(anatomy.owner.platform or tenant)
