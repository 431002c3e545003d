"""The links to learn from, in folds by registered domain: hosts, not links, decide the folds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

from errors import InputError
from tools.links.anatomy import Anatomy, dissect
from tools.links.assess import letters_speak
from tools.links.extract import find_links
from tools.links.features import (
    HOST_BUCKETS,
    MEASUREMENTS,
    PATH_BUCKETS,
    host_buckets,
    measure,
    path_buckets,
)
from training.links.honest import honest_links, invented_domain
from training.links.phishing import phishing_link
from training.links.vocabulary import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

FOLDS = 10
LEARN = frozenset(range(7))
SETTLE = frozenset({7, 8})
"""Calibration and thresholds."""
REPORT = frozenset({9})

_BENIGN = ("benign_domains_top.txt", "benign_domains_random.txt")
_PHISHING = "phishing_urls_defanged.txt"
MOST_PAGES = 20
_LONGEST_PAGE = 2_000_000


@dataclass(frozen=True, eq=False)
class Sheet:
    """Links with their features."""

    samples: Sequence[Sample]
    anatomies: Sequence[Anatomy]
    matrix: csr_matrix
    """One row a link: measurements, then the buckets of host and of path."""

    @cached_property
    def owners(self) -> list[str]:
        """Who answers for each link: the registered domain, or the host where there is none."""
        return [parts.registered_domain or parts.host for parts in self.anatomies]

    @cached_property
    def phishing(self) -> NDArray[np.bool_]:
        """Which links are phishing."""
        import numpy as np

        return np.array([sample.phishing for sample in self.samples])

    def only(self, keep: Iterable[bool]) -> Sheet:
        """The links for which `keep` is true."""
        chosen = [place for place, kept in enumerate(keep) if kept]
        return Sheet(
            [self.samples[place] for place in chosen],
            [self.anatomies[place] for place in chosen],
            self.matrix[chosen],
        )

    def in_folds(self, folds: frozenset[int]) -> Sheet:
        """The links whose owner falls into one of `folds`."""
        return self.only(crc32(owner.encode()) % FOLDS in folds for owner in self.owners)


def together(one: Sheet, other: Sheet) -> Sheet:
    """The links of both."""
    from scipy.sparse import vstack

    return Sheet(
        [*one.samples, *other.samples],
        [*one.anatomies, *other.anatomies],
        vstack([one.matrix, other.matrix], format="csr"),
    )


def sheet(samples: Sequence[Sample]) -> Sheet:
    """Take the links apart."""
    anatomies = [dissect(sample.url) for sample in samples]
    return Sheet(samples, anatomies, _matrix(anatomies))


def scored_sheet(samples: Sequence[Sample]) -> Sheet:
    """Take apart those links that `assess` would score; the others are left out."""
    links = sheet(samples)
    return links.only(letters_speak(anatomy) for anatomy in links.anatomies)


def generated(data: Path, rng: Random, *, per_domain: int = 1) -> list[Sample]:
    """Honest and phishing-shaped links on and beside the honest domains of `data`.

    Raises:
        InputError: A list is missing.
    """
    domains = [line for name in _BENIGN for line in _lines(data / "lists" / name)]
    invented = [invented_domain(rng) for _ in range(len(domains) // 4)]
    samples = [
        sample
        for domain in (*domains, *invented)
        for sample in honest_links(rng, domain, paths=per_domain)
    ]
    samples += [phishing_link(rng, rng.choice(domains)) for _ in range(len(samples))]
    return samples


def measured_phishing(data: Path) -> list[Sample]:
    """The real phishing links of `data`; they are only ever measured with.

    Raises:
        InputError: The list is missing.
    """
    links = dict.fromkeys(_lines(data / "eval_only" / _PHISHING))
    return [Sample(link, phishing=True, family="real phishing") for link in links]


def real_pages(folder: Path) -> list[Sample]:
    """The links in the Python, Markdown and metadata files below `folder`.

    Each once, and at most `MOST_PAGES` a registered domain, so that no site speaks for all.
    """
    links: dict[str, None] = {}
    for path in sorted(folder.rglob("*")):
        readable = path.suffix in {".py", ".md", ".rst"} or path.name == "METADATA"
        if readable and path.is_file() and path.stat().st_size < _LONGEST_PAGE:
            text = path.read_text(encoding="utf-8", errors="replace")
            found = (link for link in find_links(text) if link.raw.lower().startswith("http"))
            links.update((link.raw, None) for link in found)
    of_owner: dict[str, list[str]] = {}
    for link in links:
        of_owner.setdefault(dissect(link).registered_domain, []).append(link)
    of_owner.pop("", None)
    chosen = (link for owned in of_owner.values() for link in owned[:MOST_PAGES])
    return [Sample(link, phishing=False, family="real page") for link in chosen]


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read: {error}", hint="point --data at the folder with the lists"
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _matrix(anatomies: Sequence[Anatomy]) -> csr_matrix:
    import numpy as np
    from scipy.sparse import csr_matrix

    columns, values, starts = array("i"), array("d"), array("q", [0])
    for anatomy in anatomies:
        for column, value in _row(anatomy):
            columns.append(column)
            values.append(value)
        starts.append(len(columns))
    width = len(MEASUREMENTS) + HOST_BUCKETS + PATH_BUCKETS
    arrays = (np.asarray(values), np.asarray(columns), np.asarray(starts))
    return csr_matrix(arrays, shape=(len(anatomies), width))


def _row(anatomy: Anatomy) -> Iterator[tuple[int, float]]:
    """The columns of a link that are not zero, and what stands in them."""
    yield from ((place, value) for place, value in enumerate(measure(anatomy)) if value)
    start = len(MEASUREMENTS)
    for buckets, size in (
        (host_buckets(anatomy), HOST_BUCKETS),
        (path_buckets(anatomy), PATH_BUCKETS),
    ):
        yield from ((start + bucket, 1 / sqrt(len(buckets))) for bucket in buckets)
        start += size
