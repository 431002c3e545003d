"""What the trained score sees of a link: measurements with names, and hashed runs of letters."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote
from zlib import crc32

from tools.links.anatomy import Anatomy
from tools.links.facts import hosts, is_among, words
from tools.links.lookalike import ImitationKind, imitations, is_official

HOST_BUCKETS: Final = 1 << 13
PATH_BUCKETS: Final = 1 << 13
MEASUREMENTS: Final = (
    "host_length",
    "label_length",
    "label_digits",
    "label_hyphens",
    "label_entropy",
    "label_vowels",
    "longest_consonant_run",
    "subdomains",
    "subdomain_length",
    "address",
    "port",
    "encoded_name",
    "hosted",
    "dynamic_dns",
    "official",
    "brand_imitated",
    "brand_resembled",
    "brand_in_path",
    "credential_words_host",
    "credential_words_path",
    "path_depth",
    "path_length",
    "longest_segment",
    "path_digits",
    "path_capitals",
    "path_entropy",
    "hex_token",
    "script_page",
    "plain_page",
    "hidden_folder",
    "double_slash",
    "tilde",
    "percent_signs",
    "query_length",
    "parameters",
    "mail_address_in_query",
    "oddities",
)
_RESEMBLANCES: Final = frozenset[ImitationKind](
    {"brand_near", "brand_in_subdomain", "brand_other_suffix"}
)
_LONGEST_HOST = 128
_LONGEST_PATH = 256
_HEX = re.compile(r"(?<![0-9a-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,}(?![0-9a-z])")
_CONSONANTS = re.compile(r"[b-df-hj-np-tv-z]+")
_WORD = re.compile(r"[a-z]+")
_DIGITS = re.compile(r"[0-9]")
_MAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}\.")
_SCRIPT_PAGES = (".php", ".asp", ".aspx", ".cgi", ".jsp", ".do")
_PLAIN_PAGES = (".htm", ".html", ".shtml")


def measure(anatomy: Anatomy) -> tuple[float, ...]:
    """The measurements of a link, in the order of `MEASUREMENTS`, most of them between 0 and 2.

    The scheme and a leading `www.` are left out: whether somebody typed them says nothing.
    """
    return (*_of_host(anatomy), *_of_names(anatomy), *_of_path(anatomy), *_of_query(anatomy))


def host_buckets(anatomy: Anatomy) -> tuple[int, ...]:
    """Which of `HOST_BUCKETS` the runs of 3 and 4 letters of the host fall into, each once."""
    host = anatomy.host.removeprefix("www.")[-_LONGEST_HOST:]
    if anatomy.address is not None:
        return ()
    suffix = anatomy.owner.suffix
    name = host.removesuffix(suffix).rstrip(".") if suffix else host
    grams = {*_runs(f"^{_DIGITS.sub('0', name)}$"), f"suffix {suffix}"}
    return tuple(sorted({crc32(gram.encode()) % HOST_BUCKETS for gram in grams}))


def path_buckets(anatomy: Anatomy) -> tuple[int, ...]:
    """Which of `PATH_BUCKETS` the words and runs of 4 letters of path and query fall into."""
    text = f"{anatomy.path}?{anatomy.query}"[:_LONGEST_PATH].lower()
    plain = _DIGITS.sub("0", text)
    grams = {plain[i : i + 4] for i in range(len(plain) - 3)}
    grams |= {f"word {word}" for word in _WORD.findall(plain)}
    return tuple(sorted({crc32(gram.encode()) % PATH_BUCKETS for gram in grams}))


def _runs(text: str) -> Iterator[str]:
    for length in (3, 4):
        yield from (text[i : i + length] for i in range(len(text) - length + 1))


def _of_host(anatomy: Anatomy) -> Iterator[float]:
    label = anatomy.owner.label
    subdomain = anatomy.owner.subdomain
    subdomain = "" if subdomain == "www" else subdomain.removeprefix("www.")
    letters = max(1, len(label))
    yield min(2.0, len(anatomy.host.removeprefix("www.")) / 40)
    yield min(2.0, len(label) / 20)
    yield len(_DIGITS.findall(label)) / letters
    yield min(2.0, label.count("-") / 2)
    yield _entropy(label) / 4
    yield sum(letter in "aeiouy" for letter in label) / letters
    yield min(2.0, max(map(len, _CONSONANTS.findall(label)), default=0) / 6)
    yield min(2.0, (subdomain.count(".") + 1 if subdomain else 0) / 2)
    yield min(2.0, len(subdomain) / 20)
    yield float(anatomy.address is not None and anatomy.address.is_global)
    yield float(anatomy.port is not None)
    yield float("xn--" in anatomy.host)


def _of_names(anatomy: Anatomy) -> Iterator[float]:
    kinds = {imitation.kind for imitation in imitations(anatomy)}
    asked = words("credential").intersection(_WORD.findall(anatomy.host))
    hosted = bool(anatomy.owner.platform) or is_among(anatomy.host, hosts("free_hosting"))
    yield float(hosted)
    yield float(is_among(anatomy.host, hosts("dynamic_dns")))
    yield float(is_official(anatomy.owner))
    yield float(bool(kinds - _RESEMBLANCES - {"brand_in_path"}))
    yield float(bool(kinds & _RESEMBLANCES))
    yield float("brand_in_path" in kinds)
    yield min(2.0, len(asked) / 2)


def _of_path(anatomy: Anatomy) -> Iterator[float]:
    path = anatomy.path[:_LONGEST_PATH]
    segments = [segment for segment in path.split("/") if segment]
    name = segments[-1].lower() if segments else ""
    letters = max(1, len(path))
    yield min(2.0, len(words("credential").intersection(_WORD.findall(path.lower()))) / 2)
    yield min(2.0, len(segments) / 4)
    yield min(2.0, math.log1p(len(anatomy.path)) / 3)
    yield min(2.0, max(map(len, segments), default=0) / 30)
    yield len(_DIGITS.findall(path)) / letters
    yield sum("A" <= letter <= "Z" for letter in path) / letters
    yield _entropy(path) / 5
    yield float(_HEX.search(f"{path}?{anatomy.query[:_LONGEST_PATH]}".lower()) is not None)
    yield float(name.endswith(_SCRIPT_PAGES))
    yield float(name.endswith(_PLAIN_PAGES))
    yield float(any(segment.startswith(".") for segment in segments))
    yield float("//" in path)
    yield float("/~" in path)
    yield min(2.0, path.count("%") / 4)


def _of_query(anatomy: Anatomy) -> Iterator[float]:
    query = anatomy.query[: 4 * _LONGEST_PATH]
    yield min(2.0, math.log1p(len(anatomy.query)) / 3)
    yield min(2.0, query.count("=") / 3)
    yield float(_MAIL.search(unquote(f"{anatomy.path[:_LONGEST_PATH]}?{query}")) is not None)
    yield float(min(2, len(anatomy.oddities - {"defanged"})))


def _entropy(text: str) -> float:
    """Bits per letter (Shannon)."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())
