"""What the tests let another process do to the records, and how they start it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from records.accounts import import_accounts
from records.ledger import append
from records.store import Records, open_records


@contextmanager
def another_process(
    task: str, url: str, home: Path, *rest: str | Path
) -> Iterator[subprocess.Popen[str]]:
    """Start a task below on the records; it ends with its standard input."""
    command = [sys.executable, __file__, task, url, str(home), *map(str, rest)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.communicate(timeout=60)


def hears(process: subprocess.Popen[str]) -> str:
    """Return the next line that the process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def hold(records: Records) -> None:
    """Keep a write transaction open until the test has had enough."""
    with records.writing():
        _say("holding")
        sys.stdin.readline()


def append_many(records: Records, case_id: str, number: str) -> None:
    """Append records of one case."""
    for turn in range(int(number)):
        append(records, "verdict", case_id, {"turn": turn}, at=datetime(2026, 11, 1, tzinfo=UTC))


def import_file(records: Records, file: str) -> None:
    """Import accounts, and say how many were new."""
    _say(str(import_accounts(records, Path(file)).new))


def stop_in_import(records: Records, file: str) -> None:
    """Import accounts, and stop once the first of them are written."""

    @event.listens_for(records.engine, "after_cursor_execute")
    def _stop(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO accounts"):
            _say("writing")
            sys.stdin.readline()

    import_accounts(records, Path(file))


def _say(word: str) -> None:
    print(word, flush=True)  # noqa: T201 (to the test)


TASKS = {"hold": hold, "append": append_many, "import": import_file, "stop": stop_in_import}

if __name__ == "__main__":
    name, address, folder, *arguments = sys.argv[1:]
    with open_records(address, home=Path(folder), busy_seconds=60) as opened:
        TASKS[name](opened, *arguments)  # type: ignore[operator]
