"""Imported block lists: hosts and links that somebody else has found to be bad."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, and_, delete, func, insert, select

from errors import InputError, UsageError, shown
from records.hosts import host_of, normalise_host, normalise_url, parents
from records.imports import BadRows, ImportReport, Progress
from records.link_files import LinkKind, read_entries
from records.staging import Batches, count, merging, staged_copy, staging
from records.store import Records
from records.tables import link_lists, links

__all__ = [
    "LinkHit",
    "LinkList",
    "import_urls",
    "link_hits",
    "list_links",
    "normalise_host",
    "normalise_url",
]

_MOST_AT_ONCE = 500  # of addresses in one statement


@dataclass(frozen=True)
class LinkHit:
    """An entry of a block list that a host or a link matches."""

    list_name: str
    entry: str
    kind: LinkKind
    category: str


@dataclass(frozen=True)
class LinkList:
    """A block list that was imported; another content has another fingerprint."""

    name: str
    entries: int
    fingerprint: str


def import_urls(
    records: Records,
    path: Path,
    *,
    list_name: str,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Load a block list in one transaction; it takes the place of what had its name before.

    Args:
        records: Where to.
        path: A hosts file, a plain list or CSV; see `records/link_files.py`.
        list_name: What a hit is reported under.
        skip_bad: Load the good entries although there are bad ones; otherwise nothing is then.
        progress: Told how many bytes have been read, and how many there are.

    Raises:
        UsageError: `list_name` is empty or cannot be printed.
        InputError: The file cannot be read at all, or holds no entry.
        RecordsError: The list cannot be written; then the old one stands.
    """
    if not list_name.strip() or not list_name.isprintable():
        raise UsageError(
            f"{shown(list_name)} cannot name a block list", hint="give it a short, plain name"
        )
    bad = BadRows()
    with staging(records, _incoming) as connection:
        with connection.begin():
            fingerprint = _stage(connection, path, list_name, bad, progress)
            total = count(connection, _wanted)
        if bad.total and not skip_bad:
            return bad.report()
        if not total:
            raise InputError(
                f"{path.name} holds no entry that can be read",
                hint="the list that was imported before stays; check the file",
            )
        with merging(connection):
            return _replace(connection, LinkList(list_name, total, fingerprint), bad)


def link_hits(records: Records, hosts: Iterable[str], urls: Iterable[str]) -> list[LinkHit]:
    """Return the entries that match, sorted by list; nothing is opened or resolved.

    An entry for a host matches that host and every one below it, also as the host of a link; an
    entry for a link matches the same link over http or https.
    """
    links_told = [url for url in map(normalise_url, urls) if url]
    told = chain(map(normalise_host, hosts), map(host_of, links_told))
    above = sorted({above for host in told if host for above in parents(host)})
    same = sorted({each for url in links_told for each in _over_any_scheme(url)})
    with records.reading() as connection:
        hits = [*_hits(connection, "host", above), *_hits(connection, "url", same)]
    return sorted(hits, key=lambda hit: (hit.list_name, hit.kind, hit.entry))


def list_links(records: Records) -> list[LinkList]:
    """Return the block lists that were imported, by name."""
    query = select(link_lists).order_by(link_lists.c.name)
    with records.reading() as connection:
        return [LinkList(*row) for row in connection.execute(query)]


_incoming = staged_copy(links)
_keys = (_incoming.c.entry, _incoming.c.kind, _incoming.c.list_name)
# Lists repeat themselves; that is no fault.
_wanted = select(*_keys, func.max(_incoming.c.category).label("category")).group_by(*_keys)


def _stage(
    connection: Connection, path: Path, list_name: str, bad: BadRows, progress: Progress | None
) -> str:
    """Write the entries into the temporary table, and return a hash of them all."""
    staged, content = Batches(connection, _incoming), hashlib.sha256()
    for entry in read_entries(path, progress):
        if entry.fault:
            bad.add(entry.line, entry.fault)
            continue
        content.update(f"{entry.kind} {entry.address} {entry.category}\n".encode())
        staged.add(
            {
                "line": entry.line,
                "entry": entry.address,
                "kind": entry.kind,
                "list_name": list_name,
                "category": entry.category,
            }
        )
    staged.flush()
    return f"sha256:{content.hexdigest()}"


def _replace(connection: Connection, new: LinkList, bad: BadRows) -> ImportReport:
    wanted, ours = _wanted.subquery(), links.c.list_name == new.name
    same_entry = and_(ours, links.c.entry == wanted.c.entry, links.c.kind == wanted.c.kind)
    kept = select(links.c.entry).join(wanted, same_entry)
    stay = count(connection, kept)
    changed = count(connection, kept.where(links.c.category != wanted.c.category))
    removed = count(connection, select(links.c.entry).where(ours)) - stay
    connection.execute(delete(links).where(ours))
    connection.execute(insert(links).from_select(list(wanted.c.keys()), select(wanted)))
    connection.execute(delete(link_lists).where(link_lists.c.name == new.name))
    connection.execute(insert(link_lists).values(vars(new)))
    return bad.report(
        new=new.entries - stay, changed=changed, unchanged=stay - changed, removed=removed
    )


def _hits(connection: Connection, kind: LinkKind, entries: Sequence[str]) -> list[LinkHit]:
    hits = []
    for start in range(0, len(entries), _MOST_AT_ONCE):
        some = links.c.entry.in_(entries[start : start + _MOST_AT_ONCE])
        query = select(links.c.list_name, links.c.entry, links.c.kind, links.c.category)
        found = connection.execute(query.where(links.c.kind == kind, some))
        hits += [LinkHit(*row) for row in found]
    return hits


def _over_any_scheme(url: str) -> tuple[str, ...]:
    scheme, rest = url.split("://", 1)
    return (f"http://{rest}", f"https://{rest}") if scheme in {"http", "https"} else (url,)
