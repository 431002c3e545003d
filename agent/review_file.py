"""Review a file of cases: nothing starts before all of it can be read, nothing done is lost.

Each verdict goes to a journal before it is handed on. Whatever ends the run (Ctrl-C, a full disk, a
reboot), the same command goes on behind the last verdict, and a run that is over leaves no journal.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from agent.case import Case
from agent.reading_cases import read_cases
from agent.record import verdict_data
from agent.reviewer import Reviewer
from agent.verdict import Verdict
from errors import InputError, RecordsError


@dataclass(frozen=True)
class CaseFile:
    """A file in which every line was found to be a case."""

    path: Path
    cases: int
    sha256: str
    max_text_chars: int


def check_case_file(path: Path, *, max_text_chars: int) -> CaseFile:
    """Read a whole file of cases once, so that a bad line is known before any work is done.

    Raises:
        InputError: Names the first line that is no case.
    """
    cases = sum(1 for _ in read_cases(path, max_text_chars=max_text_chars))
    return CaseFile(path, cases, _sha256(path), max_text_chars)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def review_file(
    file: CaseFile,
    *,
    reviewer: Reviewer,
    journals: Path,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Generator[str, None, None]:
    """Yield one verdict a case as a line of JSON, in the order of the file.

    Args:
        file: The file, as `check_case_file` found it.
        reviewer: Who reviews; another rulebook, model or set of tools is another run.
        journals: The folder of unfinished runs.
        workers: Reviews side by side.
        on_progress: Called with how many are done, those of an earlier run included.

    Raises:
        RecordsError: The journal cannot be written, or another process works on the same file.
    """
    with run_journal(journals, run_id(file, reviewer)) as journal:
        reviewer.book_under(journal.run)
        earlier = finished_lines(journal)
        on_progress(len(earlier))
        yield from earlier
        cases = (case for _, case in read_cases(file.path, max_text_chars=file.max_text_chars))
        rest = (case for number, case in enumerate(cases) if number >= len(earlier))
        for done, line in enumerate(_lines(rest, reviewer, workers), start=len(earlier) + 1):
            keep_line(journal, line)
            on_progress(done)
            yield line


def run_id(file: CaseFile, reviewer: Reviewer) -> str:
    """Return the name of a run: this content under this rulebook, model, prompts and tools."""
    desk = reviewer.desk
    tools = {tool.name: tool.version for tool in desk.tools}
    state = [file.sha256, desk.rulebook.id, reviewer.model_name, desk.prompts, tools]
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:24]


def _lines(cases: Iterator[Case], reviewer: Reviewer, workers: int) -> Iterator[str]:
    """Review side by side, a bounded number at a time, and give the verdicts back in order."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting: deque[Future[str]] = deque()
        try:
            for case in cases:
                waiting.append(pool.submit(_line, reviewer, case))
                if len(waiting) >= workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _line(reviewer: Reviewer, case: Case) -> str:
    return verdict_line(reviewer.review(case))


def verdict_line(verdict: Verdict) -> str:
    """Return a verdict as a line of a file of verdicts."""
    return json.dumps(verdict_data(verdict), ensure_ascii=False)


@dataclass(frozen=True)
class Journal:
    """What an unfinished run has brought to its end."""

    lines: IO[str]
    run: str
    """The name that its spending is booked under, the same until the run is over."""


@contextmanager
def run_journal(folder: Path, name: str) -> Iterator[Journal]:
    """Open the journal of a run for this process alone; a run that ends well removes it."""
    path, booked = folder / f"{name}.jsonl", folder / f"{name}.run"
    lock = FileLock(path.with_suffix(".lock"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock.acquire(timeout=0), path.open("a+", encoding="utf-8") as lines:
            if not booked.exists():
                write_whole(booked, iter([uuid.uuid4().hex[:12]]))
            yield Journal(lines, booked.read_text("utf-8").strip())
            path.unlink()
            booked.unlink()
    except Timeout:
        raise RecordsError(
            "another amicus is reviewing this very file",
            hint="wait for it; its verdicts are kept, and this command goes on from there",
        ) from None
    except OSError as error:
        raise RecordsError(
            f"{path}: {error.strerror or error}",
            hint="free some space in AMICUS_HOME and run the same command again: it goes on",
        ) from None


def finished_lines(journal: Journal) -> list[str]:
    """Return what was written before; a last line that was cut off is dropped and written anew."""
    journal.lines.seek(0)
    lines: list[str] = []
    end = 0
    while line := journal.lines.readline():
        if not line.endswith("\n") or not _is_json(line):
            break
        lines.append(line.rstrip("\n"))
        end = journal.lines.tell()
    journal.lines.truncate(end)
    journal.lines.seek(end)
    return lines


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def keep_line(journal: Journal, line: str) -> None:
    """Write down what is done, before it is handed on."""
    journal.lines.write(line + "\n")
    journal.lines.flush()


def write_whole(path: Path, lines: Iterator[str]) -> None:
    """Write lines to a file that appears only when it is whole.

    Raises:
        InputError: The file cannot be written there; what was there before is untouched.
    """
    with whole_file(path) as part, part.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a file beside `path` that takes its place once it is written, and is gone otherwise.

    Raises:
        InputError: The file cannot be written there; what was there before is untouched.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        told = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(
            f"{path}: {told}",
            hint="name a file in a folder that you may write in, on a disk with room",
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
