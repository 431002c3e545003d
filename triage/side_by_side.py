"""Read the pieces of a long file in several processes, and hand them on in their order.

Reading takes most of the time of an intake and is pure Python, of which one process does one thing
at a time. A child lives at the other end of a pipe, so that it ends when its parent is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from multiprocessing.connection import Connection

from errors import InputError
from triage.reading_lines import Piece, Read, Rules, read_piece

ALONE = 4
"""So many pieces are read before others help: a short file is done before a process has begun."""
MOST_HELPERS = 4

_Ends = tuple[Connection, Connection]


def read_in_order(
    found: Iterable[Piece], rules: Rules, *, alone: int = ALONE, helpers: int | None = None
) -> Iterator[Read]:
    """Yield what each piece holds, in the order of the pieces.

    Args:
        found: The pieces; only a few are held at a time.
        rules: How lines are read.
        alone: So many are read by this process before others start.
        helpers: How many processes; as many as there are cores where nothing is said, to four.
    """
    rest = iter(found)
    for piece in islice(rest, alone):
        yield read_piece(piece, rules)
    following = next(rest, None)
    if following is None:
        return
    number = _cores() if helpers is None else helpers
    if number < 2:  # noqa: PLR2004 - one helper and a parent who waits gain nothing on one core
        yield read_piece(following, rules)
        yield from (read_piece(piece, rules) for piece in rest)
        return
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(_helper(rules)) for _ in range(number)]
        yield from _shared(following, rest, ends)


def _shared(first: Piece, rest: Iterator[Piece], ends: list[Connection]) -> Iterator[Read]:
    """Give every helper a piece, and whoever is asked for its answer the next one."""
    waiting: deque[Connection] = deque()
    free = deque(ends)
    piece: Piece | None = first
    while piece is not None or waiting:
        if piece is not None and free:
            end = free.popleft()
            with _told_plainly():
                end.send(piece)
            waiting.append(end)
            piece = next(rest, None)
            continue
        end = waiting.popleft()
        with _told_plainly():
            answer: Read = end.recv()
        free.append(end)
        yield answer


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise InputError(
            "a process that read the file ended early",
            hint="is there memory left? what was read until here is in; add the file again",
        ) from None


@contextlib.contextmanager
def _helper(rules: Rules) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
    ours, theirs = context.Pipe()
    process = context.Process(target=_help, args=(theirs, rules), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.terminate()
        process.join()


def _help(end: Connection, rules: Rules) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with contextlib.suppress(EOFError, OSError):
        while True:
            end.send(read_piece(end.recv(), rules))


def _cores() -> int:
    return min(len(os.sched_getaffinity(0)), MOST_HELPERS) if _HAS_AFFINITY else 1


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")
