"""The ledger's anchor: the last record's number and hash, kept in a file outside the database.

With the database alone one could drop the end of the ledger, put an older copy of everything in
its place, or rewrite the chain from any record on: it would still be a chain. The anchor makes
that visible. It may lag behind the ledger (a process was killed between the commit and this file)
but never leads it, and it moves on only along the chain it already vouches for: once the ledger
no longer fits, the anchor stays where it is, as evidence.

What it cannot do: whoever holds the database *and* the home folder can write both anew. With a
ledger key, kept elsewhere, such a person cannot make an anchor; all that is left is to put back an
older database together with the anchor of that time. Against that only a copy of the head kept
somewhere else helps: `verify` reports it for this purpose.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, select

from errors import RecordsError, shown
from records.tables import ledger, ledger_head

_log = logging.getLogger(__name__)


class Anchor(BaseModel):
    """What the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ledger: str
    seq: int = Field(ge=0)
    hash: str
    seal: str | None = None
    """HMAC-SHA256 over the rest, where a key was set."""


@dataclass(frozen=True)
class Anchorage:
    """Where the anchor lies, and the key that seals it."""

    home: Path
    key: str | None = None

    @property
    def file(self) -> Path:
        """The anchor."""
        return self.home / "ledger.anchor"

    def read(self) -> Anchor | None:
        """Return the anchor, or None where there is none.

        Raises:
            RecordsError: It cannot be read, does not parse, or does not carry the key's seal.
        """
        try:
            raw = self.file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from None
        try:
            anchor = Anchor.model_validate_json(raw)
        except ValidationError:
            raise self._error("is not an anchor") from None
        if self.key is not None and not _sealed(anchor, self.key):
            raise self._error("is forged, or was written without this ledger key")
        return anchor

    def write(self, ledger_id: str, seq: int, hash_: str) -> None:
        """Replace the anchor in one step, while it is held; OSError where the folder refuses."""
        anchor = Anchor(ledger=ledger_id, seq=seq, hash=hash_)
        if self.key is not None:
            anchor = anchor.model_copy(update={"seal": _seal(anchor, self.key)})
        draft = self.home / "ledger.anchor.new"
        with os.fdopen(_owned(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), "wb") as file:
            file.write(anchor.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # The folder is not synchronised: should the power fail, an older anchor is a lag, no lie.
        draft.replace(self.file)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process and thread from moving the anchor."""
        lock = _owned(self.home / "ledger.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _error(self, what: str) -> RecordsError:
        return RecordsError(
            f"{shown(str(self.file), 200)} {what}",
            hint="put the ledger.anchor of a backup back, and run `amicus ledger verify`",
        )


def anchor_new_ledger(anchorage: Anchorage, connection: Connection) -> None:
    """Anchor a ledger that is still empty; from then on a missing anchor means something.

    Raises:
        RecordsError: The home folder does not let us write.
    """
    head = connection.execute(select(ledger_head)).one_or_none()
    if head is None or head.seq != 0:
        return
    try:
        with anchorage.held():
            if _may_begin(anchorage, head.ledger):
                anchorage.write(head.ledger, 0, head.hash)
    except OSError as error:
        raise _unwritable(anchorage, error) from None


def move_anchor(anchorage: Anchorage, connection: Connection, seq: int) -> None:
    """Let the anchor vouch for record `seq` or a later one, after its commit.

    An anchor that is missing, or that the ledger does not fit, is left for `verify` to report.

    Raises:
        RecordsError: The anchor cannot be read or written.
    """
    try:
        with anchorage.held():
            anchor = anchorage.read()
            # Another process may have moved it past us while we waited.
            if anchor is not None and anchor.seq < seq:
                _move(anchorage, anchor, connection)
    except OSError as error:
        raise _unwritable(anchorage, error) from None


def anchor_anew(anchorage: Anchorage, connection: Connection) -> None:
    """Anchor the ledger as it stands, whatever the file said before.

    For a person who has looked: a new home for an old ledger, a new key, a restored backup.

    Raises:
        RecordsError: The anchor cannot be written.
    """
    try:
        with anchorage.held():
            head = connection.execute(select(ledger_head)).one()
            anchorage.write(head.ledger, head.seq, head.hash)
    except OSError as error:
        raise _unwritable(anchorage, error) from None


def _move(anchorage: Anchorage, anchor: Anchor, connection: Connection) -> None:
    if anchor.seal is not None and anchorage.key is None:
        _log.warning("the ledger's anchor is sealed and stays as it is: no ledger key is set")
        return
    head = connection.execute(select(ledger_head.c.ledger)).one_or_none()
    last = connection.execute(
        select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    ).one_or_none()
    vouched = connection.execute(
        select(ledger.c.hash).where(ledger.c.seq == anchor.seq)
    ).scalar_one_or_none()
    fits = anchor.seq == 0 or vouched == anchor.hash
    if head is not None and last is not None and head.ledger == anchor.ledger and fits:
        anchorage.write(anchor.ledger, last.seq, last.hash)
    else:
        _log.warning("the ledger does not fit its anchor: run `amicus ledger verify`")


def _may_begin(anchorage: Anchorage, ledger_id: str) -> bool:
    try:
        # Read without the key: a new key may replace an anchor that vouches for nothing yet.
        anchor = Anchorage(anchorage.home).read()
    except RecordsError:
        return False
    if anchor is None:
        return True
    sealed = anchor.seal is not None
    return anchor.ledger == ledger_id and anchor.seq == 0 and sealed != (anchorage.key is not None)


def _unwritable(anchorage: Anchorage, error: OSError) -> RecordsError:
    return RecordsError(
        f"cannot write in {shown(str(anchorage.home), 200)}: {error.strerror}",
        hint="set AMICUS_HOME to a folder that you may write in",
    )


def _seal(anchor: Anchor, key: str) -> str:
    told = json.dumps([anchor.ledger, anchor.seq, anchor.hash]).encode()
    return hmac.new(key.encode(), told, "sha256").hexdigest()


def _sealed(anchor: Anchor, key: str) -> bool:
    return anchor.seal is not None and hmac.compare_digest(
        anchor.seal.encode(), _seal(anchor, key).encode()
    )


def _owned(file: Path, flags: int) -> int:
    return os.open(file, flags, 0o600)
