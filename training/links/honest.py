"""Honest links: real domains with generated paths, and invented domains of ordinary words.

Phishing links have paths; if honest ones had none, a path would be all that the model learns.
Log-in pages, files in upload folders, session ids and free hosting are therefore here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tools.links.facts import brands, hosts
from training.links.vocabulary import BASE62, HEX, Sample, letters, pronounceable, word

_EVEN = 0.5


def honest_links(rng: Random, domain: str, *, paths: int) -> list[Sample]:
    """The front page of `domain` and `paths` pages deeper in it."""
    front = rng.choice(("", "www."))
    links = [Sample(f"http://{front}{domain}/", phishing=False, family="front page")]
    for _ in range(paths):
        family = rng.choice(tuple(_PATHS))
        host = domain if rng.random() < 0.7 else f"{word(rng, 'honest_subdomains')}.{domain}"  # noqa: PLR2004
        url = f"https://{rng.choice(('', 'www.'))}{host}/{_PATHS[family](rng)}"
        links.append(Sample(url, phishing=False, family=family))
    return links


def invented_domain(rng: Random) -> str:
    """A domain of ordinary words, as small businesses, bloggers and clubs have."""
    name = rng.choice(_NAMES)(rng)
    if rng.random() < 0.3:  # noqa: PLR2004
        return f"{name}.{rng.choice(sorted(hosts('free_hosting')))}"
    return f"{name}.{word(rng, 'honest_suffixes')}"


def slug(rng: Random) -> str:
    """A title as it stands in an address."""
    size = rng.randint(2, 8)
    kinds = rng.choices(("nouns", "adjectives", "small_words", "names"), (5, 3, 3, 1), k=size)
    return rng.choice("-----_+").join(word(rng, kind) for kind in kinds)


def _article(rng: Random) -> str:
    ending = rng.choice(("", "/", ".html", ".htm", f"-{rng.randint(100, 9_999_999)}", ".php"))
    return f"{word(rng, 'sections')}/{slug(rng)}{ending}"


def _dated(rng: Random) -> str:
    day = f"{rng.randint(2001, 2026)}/{rng.randint(1, 12):02}"
    return f"{day}/{slug(rng)}{rng.choice(('', '/', '.html', '?m=1'))}"


def _section(rng: Random) -> str:
    parts = [word(rng, "sections") for _ in range(rng.randint(1, 3))]
    return "/".join(parts) + rng.choice(("", "/", ".php", ".html", ".aspx", "/index.html"))


def _product(rng: Random) -> str:
    number = rng.choice((letters(rng, "BX0123456789", 8, 10), str(rng.randint(1000, 99_999_999))))
    return rng.choice(
        (
            f"product/{slug(rng)}",
            f"{slug(rng)}/dp/{number}",
            f"p/{number}/{slug(rng)}",
            f"item/{number}",
        )
    )


def _query(rng: Random) -> str:
    page = rng.choice(("search", "index.php", "results", "view.php", "catalog.asp", "list", "node"))
    pairs = []
    for _ in range(rng.randint(1, 5)):
        value = rng.choice((word(rng, "nouns"), str(rng.randint(1, 99_999)), slug(rng)))
        pairs.append(f"{word(rng, 'honest_parameters')}={value}")
    return f"{page}?{'&'.join(pairs)}"


def _forum(rng: Random) -> str:
    number = rng.randint(1, 2_000_000)
    return rng.choice(
        (
            f"forum/viewtopic.php?f={rng.randint(1, 60)}&t={number}",
            f"threads/{slug(rng)}.{number}/",
            f"showthread.php?t={number}",
            f"topic/{number}-{slug(rng)}/",
            f"questions/{number}/{slug(rng)}",
        )
    )


def _account(rng: Random) -> str:
    page = word(rng, "honest_account_pages")
    if "?" in page or rng.random() < 0.7:  # noqa: PLR2004
        return page
    back = quote(f"/{word(rng, 'sections')}", safe="")
    return f"{page}?{rng.choice(('next', 'return', 'redirect'))}={back}"


def _file(rng: Random) -> str:
    folder = rng.choice(
        (
            f"wp-content/uploads/{rng.randint(2008, 2026)}/{rng.randint(1, 12):02}",
            "sites/default/files",
            "images",
            "static",
            "assets",
            "downloads",
            f"media/{letters(rng, HEX, 2, 8)}",
            "files/docs",
        )
    )
    size = rng.choice(("", f"-{rng.randint(1, 12) * 100}x{rng.randint(1, 12) * 100}", ".min"))
    return f"{folder}/{slug(rng)}{size}.{word(rng, 'extensions')}"


def _identified(rng: Random) -> str:
    code = rng.choice(
        (
            letters(rng, BASE62 + "-_", 11, 11),
            letters(rng, HEX, 24, 40),
            "-".join(letters(rng, HEX, n, n) for n in (8, 4, 4, 4, 12)),
            letters(rng, BASE62, 5, 10),
        )
    )
    place = rng.choice(("watch?v=", "d/", "share/", "id/", "s/", "embed/", "document/d/", "c/"))
    return (
        place + code + rng.choice(("", "/edit", "?usp=sharing", "&t=30s" if "?" in place else ""))
    )


def _tracked(rng: Random) -> str:
    campaign = f"utm_source={word(rng, 'nouns')}&utm_medium=email&utm_campaign={slug(rng)}"
    click = f"&fbclid=IwAR{letters(rng, BASE62 + '-_', 40, 60)}" if rng.random() < _EVEN else ""
    return f"{_article(rng)}?{campaign}{click}"


def _foreign(rng: Random) -> str:
    alphabet = rng.choice(("абвгдеклмнопрст", "的一是不了人我在有他", "אבגדהוזחט", "éèàüöñç"))
    title = quote(letters(rng, alphabet, 3, 14))
    return rng.choice((f"wiki/{title}", f"{word(rng, 'sections')}/{title}/", f"tag/{title}"))


def _profile(rng: Random) -> str:
    name = word(rng, "names") + rng.choice(("", str(rng.randint(1, 999)), word(rng, "nouns")))
    return rng.choice((f"@{name}", f"user/{name}", f"{name}", f"~{name}/", f"u/{name}/posts"))


def _code(rng: Random) -> str:
    name = f"{word(rng, 'names')}/{word(rng, 'nouns')}-{word(rng, 'nouns')}"
    return name + rng.choice(
        (
            "",
            f"/issues/{rng.randint(1, 9999)}",
            "/blob/main/README.md",
            "/releases/tag/v1.2.0",
            ".git",
        )
    )


def _capitals(rng: Random) -> str:
    title = "_".join(word(rng, "nouns").title() for _ in range(rng.randint(1, 4)))
    joined = "".join(word(rng, "nouns").title() for _ in range(rng.randint(1, 3)))
    return rng.choice(
        (
            f"wiki/{title}",
            f"{joined}.html",
            f"{word(rng, 'sections').upper()}/{joined}",
            f"{joined}/{word(rng, 'nouns')}-{rng.randint(1, 9)}",
            f"docs/{joined}/{joined}.html#{title}",
            f"{word(rng, 'nouns').upper()}-{rng.randint(1, 9_999)}",
            f"{word(rng, 'sections').title()}/{title}.aspx",
        )
    )


def _about_a_brand(rng: Random) -> str:
    brand = rng.choice(brands())
    name = rng.choice((brand.names[0], brand.names[0], brand.name.replace(" ", "_")))
    start = rng.choice(("wiki", "tag", "integrations", "topics", "companies", "share", "news", "r"))
    end = rng.choice(("", "/", f"/{slug(rng)}", ".html", f"/{word(rng, 'nouns')}"))
    return f"{start}/{name}{end}"


def _one_word(rng: Random) -> str:
    return word(rng, "nouns") + rng.choice(("", "s", str(rng.randint(1, 99))))


def _two_words(rng: Random) -> str:
    return word(rng, "adjectives") + rng.choice(("", "", "-")) + word(rng, "nouns")


def _business(rng: Random) -> str:
    return rng.choice(("", "-")).join((word(rng, "names"), word(rng, "nouns")))


def _invented(rng: Random) -> str:
    return pronounceable(rng, rng.randint(2, 4)) + rng.choice(("", word(rng, "nouns")))


_NAMES: tuple[Callable[[Random], str], ...] = (_one_word, _two_words, _business, _invented)
_PATHS: dict[str, Callable[[Random], str]] = {
    "article": _article,
    "dated article": _dated,
    "section": _section,
    "product": _product,
    "query": _query,
    "forum": _forum,
    "account page": _account,
    "file": _file,
    "identifier": _identified,
    "tracked": _tracked,
    "other script": _foreign,
    "profile": _profile,
    "code": _code,
    "capitals": _capitals,
    "about a brand": _about_a_brand,
}
