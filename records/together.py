"""Many threads, one commit: what waits for the disk waits together (group commit).

A commit costs a few milliseconds, and one database has one writer. Sixty threads that commit alone
would spend their time in a queue; here whoever comes first commits for all who wait, each in a
savepoint of its own, so that one that fails takes nobody with it. (DeWitt et al., 1984, section 4.)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from records.store import Records

T = TypeVar("T")

MOST_TOGETHER = 256


class Together:
    """Runs pieces of work in shared transactions. Safe to share between threads."""

    def __init__(self, records: Records) -> None:
        """Bind the records that are written to."""
        self._records = records
        self._waiting: deque[_Work[object]] = deque()
        self._turn = threading.Lock()

    def run(self, write: Callable[[Connection], T]) -> T:
        """Return what `write` gives, once it is committed.

        Raises:
            RecordsError: The transaction could not be committed; then nothing of it was kept.
        """
        work = _Work(write)
        self._waiting.append(work)  # type: ignore[arg-type]
        with self._turn:
            while not work.over:
                self._commit()
        return work.outcome()

    def _commit(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
        try:
            with self._records.writing() as connection:
                for work in batch:
                    work.do(connection)
        except BaseException as error:
            for work in batch:
                work.error = error
            raise
        finally:
            for work in batch:
                work.over = True


class _Work(Generic[T]):
    """One piece: what it is to do, and what came of it."""

    def __init__(self, write: Callable[[Connection], T]) -> None:
        self._write = write
        self._gave: list[T] = []
        self.error: BaseException | None = None
        self.over = False

    def do(self, connection: Connection) -> None:
        try:
            with connection.begin_nested():
                self._gave = [self._write(connection)]
        except Exception as error:  # noqa: BLE001 (handed to the thread that asked)
            self.error = error

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self._gave[0]
