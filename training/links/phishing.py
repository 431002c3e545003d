"""Phishing-shaped links, generated: the shapes are well described, and no real one is needed.

Each family is one way of getting a page in front of people: a domain that imitates a brand, words
of a log-in page, letters at random, stacked sub-domains, free hosting, a bare address, and a folder
on somebody else's hacked site, where nothing but the path gives it away.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tools.links.facts import brands, hosts, words
from training.links.vocabulary import (
    BASE62,
    HEX,
    Sample,
    chosen,
    encoded,
    letters,
    mail_address,
    pronounceable,
    word,
)

_LOOK_ALIKES = {"o": "0", "l": "1", "i": "1", "e": "3", "a": "4", "s": "5", "m": "rn", "w": "vv"}
_HOMOGLYPHS = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "i": "і", "s": "ѕ", "x": "х"}


def phishing_link(rng: Random, hacked: str) -> Sample:
    """One phishing-shaped link; `hacked` is an honest domain, for those that abuse one."""
    family = chosen(rng, [(weight, name) for name, (weight, _) in _FAMILIES.items()])
    host = _FAMILIES[family][1](rng, hacked)
    on_site = family == "hacked site"
    path = _hacked_path(rng) if on_site else _path(rng)
    return Sample(f"{rng.choice(('http', 'https'))}://{host}/{path}", phishing=True, family=family)


def _brand_domain(rng: Random, _: str) -> str:
    name = _brand(rng)
    joint = rng.choice(("-", "-", "", "."))
    extra = [_credential(rng) for _ in range(rng.randint(1, 2))]
    parts = [name, *extra]
    rng.shuffle(parts)
    number = rng.choice(("", "", str(rng.randint(1, 9999)), "-" + letters(rng, HEX, 3, 6)))
    return f"{joint.join(parts)}{number}.{_suffix(rng)}"


def _look_alike(rng: Random, _: str) -> str:
    name = _misspelt(rng, _brand(rng))
    extra = rng.choice(("", "", f"-{_credential(rng)}", _credential(rng)))
    return f"{rng.choice(('', 'www.'))}{name}{extra}.{_suffix(rng)}"


def _credential_domain(rng: Random, _: str) -> str:
    parts = [_credential(rng) for _ in range(rng.randint(2, 4))]
    parts += rng.choice(([], [str(rng.randint(1, 99_999))], [letters(rng, HEX, 4, 8)]))
    return f"{rng.choice(('-', '-', '')).join(parts)}.{_suffix(rng)}"


def _random_domain(rng: Random, _: str) -> str:
    name = rng.choice(
        (
            letters(rng, "abcdefghijklmnopqrstuvwxyz", 6, 14),
            letters(rng, BASE62.lower(), 6, 12),
            pronounceable(rng, rng.randint(3, 6)) + letters(rng, "0123456789", 0, 4),
            word(rng, "nouns") + letters(rng, "abcdefghijklmnopqrstuvwxyz", 2, 4),
        )
    )
    return f"{name}.{_suffix(rng)}"


def _stacked(rng: Random, _: str) -> str:
    front = rng.choice(brands()).domains[0]
    extra = [_credential(rng) for _ in range(rng.randint(1, 3))]
    stem = rng.choice((front, front.replace(".", "-"), f"{front}-{_credential(rng)}", _brand(rng)))
    base = rng.choice(
        (letters(rng, BASE62.lower(), 4, 10), pronounceable(rng, 3), _credential(rng))
    )
    return ".".join((stem, *extra, f"{base}.{_suffix(rng)}"))


def _free_hosting(rng: Random, _: str) -> str:
    place = rng.choice(sorted(hosts("free_hosting") | hosts("dynamic_dns")))
    tenant = rng.choice(
        (
            f"{_brand(rng)}-{_credential(rng)}",
            _brand(rng) + _credential(rng),
            _misspelt(rng, _brand(rng)),
            f"{_credential(rng)}-{letters(rng, '0123456789', 2, 6)}",
            letters(rng, BASE62.lower(), 6, 14),
            f"{_credential(rng)}{_credential(rng)}",
        )
    )
    return f"{tenant}.{place}"


def _address(rng: Random, _: str) -> str:
    octets = [rng.randint(1, 223), *(rng.randint(0, 255) for _ in range(3))]
    plain = ".".join(map(str, octets))
    port = rng.choice(("", "", f":{rng.choice((81, 8080, 8081, 8888, 2086))}"))
    odd = rng.choice((plain, plain, plain, str(int.from_bytes(bytes(octets))), hex(octets[0])))
    return (odd if odd != hex(octets[0]) else f"{odd}.{'.'.join(map(str, octets[1:]))}") + port


def _hacked(rng: Random, domain: str) -> str:
    front = rng.choice(("", "", "", "www.", "www.", f"{word(rng, 'honest_subdomains')}."))
    return front + domain


def _path(rng: Random) -> str:
    """What stands behind a host of the phisher's own, often nothing."""
    return rng.choice((_nothing, _nothing, _short, _kit, _kit, _encoded_path))(rng)


def _hacked_path(rng: Random) -> str:
    """A folder on somebody else's site; without one there would be nothing to see."""
    start = rng.choice(
        (f"{word(rng, 'hacked_folders')}/", f"{word(rng, 'hacked_folders')}/", "", "")
    )
    return start + rng.choice((_short, _kit, _kit, _kit, _encoded_path))(rng)


def _nothing(rng: Random) -> str:
    return rng.choice(("", "", word(rng, "kit_pages")))


def _short(rng: Random) -> str:
    folder = rng.choice(
        (word(rng, "kit_folders"), _brand(rng), letters(rng, BASE62, 3, 8), _brand(rng).title())
    )
    return folder + rng.choice(("", "/", "/", f"/{word(rng, 'kit_pages')}"))


def _kit(rng: Random) -> str:
    makers: tuple[Callable[[], str], ...] = (
        lambda: word(rng, "kit_folders"),
        lambda: word(rng, "kit_folders").title(),
        lambda: _brand(rng),
        lambda: letters(rng, BASE62, 4, 12),
        lambda: letters(rng, HEX, 24, 32),
        lambda: f"{word(rng, 'kit_folders')}{rng.choice('-_')}{word(rng, 'kit_folders')}",
    )
    folders = [rng.choice(makers)() for _ in range(rng.randint(1, 5))]
    page = rng.choice(("", word(rng, "kit_pages"), word(rng, "kit_pages")))
    return "/".join((*folders, page)) + rng.choice(("", "", _parameters(rng)))


def _parameters(rng: Random) -> str:
    values: tuple[Callable[[], str], ...] = (
        lambda: word(rng, "kit_values"),
        lambda: letters(rng, HEX, 16, 64),
        lambda: letters(rng, BASE62, 6, 30),
        lambda: quote(mail_address(rng), safe=rng.choice(("", "@"))),
        lambda: str(rng.randint(1, 10**10)),
        lambda: encoded(rng, mail_address(rng)),
    )
    pairs = [
        f"{word(rng, 'kit_parameters')}={rng.choice(values)()}" for _ in range(rng.randint(1, 5))
    ]
    return "?" + rng.choice(("&", "&", "&amp;")).join(pairs)


def _encoded_path(rng: Random) -> str:
    text = rng.choice(
        (mail_address(rng), _brand(rng) + _credential(rng), letters(rng, HEX, 20, 30))
    )
    every = "".join(f"%{byte:02x}" for byte in text.encode())
    return f"{word(rng, 'kit_folders')}/{rng.choice((every, encoded(rng, text), quote(text)))}"


def _brand(rng: Random) -> str:
    return rng.choice(rng.choice(brands()).names)


def _credential(rng: Random) -> str:
    return rng.choice(sorted(words("credential") | words("brand_companions")))


def _suffix(rng: Random) -> str:
    return word(rng, "cheap_suffixes")


def _misspelt(rng: Random, name: str) -> str:
    place = rng.randrange(len(name))
    letter = name[place]
    return rng.choice(
        (
            name[:place] + name[place + 1 :],
            name[:place] + letter + name[place:],
            name[:place] + rng.choice("abcdefghijklmnopqrstuvwxyz") + name[place + 1 :],
            name[: place - 1] + letter + name[place - 1 : place] + name[place + 1 :],
            name.replace(letter, _LOOK_ALIKES.get(letter, letter), 1),
            name.replace(letter, _HOMOGLYPHS.get(letter, letter), 1),
        )
    )


_FAMILIES: dict[str, tuple[float, Callable[[Random, str], str]]] = {
    "brand domain": (0.12, _brand_domain),
    "look-alike": (0.08, _look_alike),
    "credential words": (0.10, _credential_domain),
    "random domain": (0.12, _random_domain),
    "stacked sub-domains": (0.08, _stacked),
    "free hosting": (0.12, _free_hosting),
    "bare address": (0.03, _address),
    "hacked site": (0.35, _hacked),
}
FAMILIES = tuple(_FAMILIES)
