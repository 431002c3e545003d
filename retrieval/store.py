"""Chroma collections on disk: built once, whole or not at all, and never changed afterwards.

Every collection lies in a folder of its own, `<home>/index/<name>.<random>`. It is built beside its
place and moved there when it is complete, so a build that was interrupted is never seen, two
programs that build at once do not meet, and nobody reads what somebody else is writing: Chroma
allows many readers, but a reader beside a writer in another process loses results.

The name carries a fingerprint of everything that went in. So a collection is never stale, and what
lies there can be deleted at any time: it is built again when it is needed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import chromadb
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings
from chromadb.errors import ChromaError

from errors import RecordsError, shown

if sys.platform != "win32":
    import fcntl

_OPENING = threading.RLock()  # Chroma's own cache of open folders is not safe between threads
_LOCK = "lock"
_BUILDING = ".building-"
_HINT = "make room on the disk, or set AMICUS_HOME to a folder that you can write to"

Fill = Callable[[Collection], None]


@dataclass(frozen=True)
class Stored:
    """An open collection; it stays on disk at least as long as this object lives."""

    collection: Collection
    folder: Path


def open_stored(home: Path, name: str, *, size: int, about: dict[str, str], fill: Fill) -> Stored:
    """Return the collection `name`, building it first if it is not there or not sound.

    Args:
        home: The folder of this installation's data.
        name: What it is and a fingerprint of everything that goes in.
        size: How many items it has when it is complete.
        about: What a person should read in the collection's metadata.
        fill: Puts the items into an empty collection.

    Raises:
        RecordsError: The folder cannot be written, or the disk is full.
    """
    shelf = home / "index"
    with _OPENING:
        found = _first_sound(shelf, name)
        if found is None:
            _build(shelf, name, {"size": size, **about}, fill)
            found = _first_sound(shelf, name)
    if found is None:
        raise RecordsError(f"the index in {shown(str(shelf))} cannot be read back", hint=_HINT)
    return found


@contextmanager
def reading(stored: Stored) -> Iterator[None]:
    """Within this, a collection that cannot be read (any more) is an error with a hint.

    Raises:
        RecordsError: The folder was deleted or damaged while it was open.
    """
    try:
        yield
    except ChromaError as error:
        raise RecordsError(
            f"cannot read the index {shown(str(stored.folder), 200)}: {error}",
            hint="run the command again: an index that is damaged or gone is built anew",
        ) from error


def newest(home: Path, prefix: str) -> Stored | None:
    """Return the collection made last whose name begins with `prefix`, if there is one."""
    with _OPENING:
        opened = map(_opened, reversed(_by_age(home / "index", prefix)))
        return next((stored for stored in opened if stored is not None), None)


def clear_out(home: Path, prefix: str, *, keep: int) -> None:
    """Delete all but the newest `keep` collections named `prefix…`, unless somebody uses them."""
    for folder in _by_age(home / "index", prefix)[:-keep]:
        _discard(folder)


def _by_age(shelf: Path, prefix: str) -> Sequence[Path]:
    """Folders of collections named `prefix…`, oldest first; a folder that vanishes comes first."""

    def age(folder: Path) -> float:
        try:
            return folder.stat().st_mtime
        except OSError:
            return 0.0

    return sorted(shelf.glob(f"{prefix}*.*"), key=lambda folder: (age(folder), folder.name))


def _first_sound(shelf: Path, name: str) -> Stored | None:
    """Open the collection `name` if it is there; clear away what is damaged."""
    for folder in sorted(shelf.glob(f"{name}.*")):
        if stored := _opened(folder):
            return stored
        _discard(folder)
    return None


def _opened(folder: Path) -> Stored | None:
    """Open what lies in `folder`; None if it is damaged, incomplete or being deleted."""
    held = _lock(folder, exclusive=False)
    if held is None:
        return None
    client = None
    try:
        client = _client(folder)
        collection = client.get_collection(folder.stem, embedding_function=None)
        sound = len(collection.get(include=[])["ids"]) == collection.metadata["size"]
    except (ChromaError, OSError):
        sound = False
    if not sound:
        _release(client, held)
        return None
    stored = Stored(collection, folder)
    weakref.finalize(stored, _release, client, held)
    return stored


def _build(shelf: Path, name: str, metadata: dict[str, Any], fill: Fill) -> None:
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        _sweep(shelf)
        with _workshop(shelf) as folder:
            with _client(folder) as client:
                fill(
                    client.create_collection(
                        name,
                        metadata=metadata,
                        embedding_function=None,
                        # One thread, so that the same items always make the same graph.
                        configuration={
                            "hnsw": {"space": "cosine", "num_threads": 1, "ef_search": 256}
                        },
                    )
                )
            folder.rename(shelf / f"{name}.{folder.name.removeprefix(_BUILDING)}")
    except (ChromaError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RecordsError(
            f"cannot build an index in {shown(str(shelf), 200)}: {reason}", hint=_HINT
        ) from error


@contextmanager
def _workshop(shelf: Path) -> Iterator[Path]:
    """A folder that nobody else touches; what is still there in the end is deleted."""
    folder = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=shelf))
    held = None
    try:
        (folder / _LOCK).touch()
        held = _lock(folder, exclusive=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _sweep(shelf: Path) -> None:
    """Delete what builds that were killed have left behind."""
    for folder in shelf.glob(f"{_BUILDING}*"):
        _discard(folder)


def _discard(folder: Path) -> None:
    """Delete a folder of ours unless somebody is using it."""
    held = _lock(folder, exclusive=True)
    if held is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _client(folder: Path) -> Client:
    settings = Settings(anonymized_telemetry=False)
    return cast(Client, chromadb.PersistentClient(str(folder), settings=settings))


def _release(client: Client | None, held: int) -> None:
    if client is not None:
        client.close()
    os.close(held)


if sys.platform == "win32":

    def _lock(folder: Path, *, exclusive: bool) -> int | None:
        """Windows refuses to delete open files, so shared use needs no lock; nothing is deleted."""
        return None if exclusive or not folder.exists() else os.open(folder / _LOCK, os.O_RDONLY)

else:

    def _lock(folder: Path, *, exclusive: bool) -> int | None:
        """Lock a folder of ours and return the open lock; None if it is gone or locked."""
        try:
            held = os.open(folder / _LOCK, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(held, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            (folder / _LOCK).stat()  # deleted between our opening and locking it?
        except OSError:
            os.close(held)
            return None
        return held
