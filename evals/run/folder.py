"""The folder of a run: its manifest, one line a case, and its figures.

The manifest is written first, the figures last: a folder with figures is a finished run. In between
every finished case stands in `outcomes.jsonl`, flushed to the disk, so that whatever ends a run (a
kill, a full disk, a reboot) costs no more than the cases in hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Any

from filelock import FileLock, Timeout

from errors import InputError, RecordsError, shown
from evals.estimate import Estimate, estimate_from
from evals.metrics import Metrics
from evals.outcome import Outcome
from evals.run.manifest import Manifest, differences, manifest_from
from evals.run.recorded import Recorded, line_of, outcome_of, record_from

MANIFEST = "manifest.json"
OUTCOMES = "outcomes.jsonl"
METRICS = "metrics.json"
SLICES = "slices.json"
DETAILS = "details.json"
_LOCK = ".lock"


@dataclass(frozen=True)
class Run:
    """A finished run, as it stands in its folder."""

    folder: Path
    manifest: Manifest
    records: tuple[Recorded, ...]

    @property
    def outcomes(self) -> list[Outcome]:
        """What the metrics read."""
        return [outcome_of(record) for record in self.records]


def read_run(folder: Path) -> Run:
    """Return the finished run in a folder.

    Raises:
        InputError: There is no run, or it is not finished.
        RecordsError: A file of it cannot be read.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(
            f"{folder}: no run in this folder (no {MANIFEST})",
            hint="name the folder that `amicus eval run --out` wrote",
        )
    with _telling(folder):
        manifest = manifest_from((folder / MANIFEST).read_text("utf-8"), where=folder / MANIFEST)
        lines = _whole_lines(folder / OUTCOMES)[0]
        finished = (folder / METRICS).is_file()
    if not finished or len(lines) != manifest.cases:
        raise InputError(
            f"{folder}: this run is not finished ({len(lines)} of {manifest.cases} cases)",
            hint="give the command of `amicus eval run` again: it goes on where it stopped",
        )
    places = ((f"{folder / OUTCOMES}:{n}", line) for n, line in enumerate(lines, start=1))
    return Run(folder, manifest, tuple(record_from(line, where=at) for at, line in places))


def read_metrics(folder: Path) -> Metrics:
    """Return the figures of a finished run as its files have them.

    Raises:
        InputError: There is no finished run.
        RecordsError: The files hold something else.
    """
    with _telling(folder):
        if not (folder / METRICS).is_file():
            raise InputError(
                f"{folder}: no finished run in this folder (no {METRICS})",
                hint="name the folder that `amicus eval run --out` wrote, and finish that run",
            )
        texts = [(folder / name).read_text("utf-8") for name in (METRICS, SLICES)]
    try:
        overall, slices = (json.loads(text) for text in texts)
        return Metrics(
            _estimates(overall),
            {
                name: {value: _estimates(metrics) for value, metrics in values.items()}
                for name, values in slices.items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecordsError(
            f"{folder}: {METRICS} or {SLICES} holds no figures of a run",
            hint="remove both and give the command of `amicus eval run` again",
        ) from None


def _estimates(data: Any) -> dict[str, Estimate]:
    return {name: estimate_from(estimate) for name, estimate in data.items()}


class Journal:
    """The outcomes of a run while it is being made."""

    def __init__(self, file: IO[bytes], earlier: Sequence[Recorded]) -> None:
        """Hold the open file, and what stood in it."""
        self.earlier = {record.case_id: record for record in earlier}
        self._file = file
        self._lock = Lock()

    def keep(self, record: Recorded) -> None:
        """Write an outcome so that a power cut cannot take it back."""
        with self._lock:
            self._file.write(line_of(record).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())


@contextmanager
def open_run(folder: Path, manifest: Manifest) -> Iterator[Journal]:
    """Begin a run in a folder, or go on with one, for this process alone.

    Raises:
        RecordsError: The folder holds another run, or another process works in it.
    """
    with _telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _begin(folder, manifest)
            lines, end = _whole_lines(folder / OUTCOMES)
            earlier = [
                record_from(line, where=f"{folder / OUTCOMES}:{number}")
                for number, line in enumerate(lines, start=1)
            ]
            with (folder / OUTCOMES).open("ab") as file:
                if file.seek(0, os.SEEK_END) != end:
                    file.truncate(end)
                yield Journal(file, earlier)


def _begin(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, or make sure that the one that is there is the same."""
    path = folder / MANIFEST
    if not path.exists():
        if (folder / OUTCOMES).exists():
            raise RecordsError(
                f"{folder}: {OUTCOMES} is there, but no {MANIFEST}",
                hint="evaluate into a new folder, or start this one anew with --fresh",
            )
        write_file(path, pretty(manifest.model_dump(mode="json")))
        return
    kept = manifest_from(path.read_text("utf-8"), where=path)
    if told := differences(kept, manifest):
        raise RecordsError(
            f"{folder} holds another run: {'; '.join(told)}",
            hint="evaluate into a new folder, or start this one anew with --fresh",
        )


def remove_run(folder: Path) -> None:
    """Remove the files of an earlier run, and nothing else.

    Raises:
        RecordsError: One of them cannot be removed.
    """
    with _telling(folder):
        for name in (METRICS, SLICES, DETAILS, OUTCOMES, MANIFEST):
            (folder / name).unlink(missing_ok=True)


def finish(folder: Path, records: Sequence[Recorded], files: Sequence[tuple[str, object]]) -> None:
    """Write the outcomes in the order of the golden set and the figures; the last file last.

    Raises:
        RecordsError: A file cannot be written.
    """
    with _telling(folder):
        write_file(folder / OUTCOMES, "".join(line_of(record) + "\n" for record in records))
        for name, value in files:
            write_file(folder / name, pretty(value))


def pretty(value: object) -> str:
    """Return JSON as a person reads it."""
    return json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def _whole_lines(path: Path) -> tuple[list[str], int]:
    """The lines that were written to their end, and where they end: a torn one is dropped."""
    if not path.exists():
        return [], 0
    raw = path.read_bytes()
    end = raw.rfind(b"\n") + 1
    try:
        return raw[:end].decode("utf-8").splitlines(), end
    except UnicodeDecodeError:
        raise RecordsError(
            f"{path}: not UTF-8", hint="the file was changed; evaluate into a new folder"
        ) from None


def write_file(path: Path, text: str) -> None:
    """Write `text` to `path` whole or not at all, whatever stops the program when."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / _LOCK).acquire(timeout=0):
            yield
    except Timeout:
        raise RecordsError(
            f"{folder}: another amicus is at work on this run",
            hint="wait for it, or evaluate into another folder",
        ) from None


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Turn what the operating system says into a line with the folder in it."""
    try:
        yield
    except OSError as error:
        raise RecordsError(
            f"{shown(str(folder), 200)}: {error.strerror or error}",
            hint="name a folder that you may write to, on a disk with space",
        ) from None
