"""Other queues, one job at a time as they work: `python evals/bench_queues.py NAME JOBS WHERE`.

Run by the Python of an environment that holds huey, persist-queue and procrastinate; it needs
nothing of ours. Every commit waits for the disk, as it does in ours. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

BODY = {"text": "some words that somebody has posted " * 6}


def _look(text: str) -> int:
    """What a job does."""
    return len(text)


def huey(jobs: int, where: str) -> tuple[float, float]:
    """Return the seconds in which huey takes in, and works off, jobs in SQLite."""
    queue: Any = import_module("huey").SqliteHuey(
        filename=str(Path(where) / "huey.db"), fsync=True, results=False
    )

    look = queue.task()(_look)
    began = time.perf_counter()
    for _ in range(jobs):
        look(**BODY)
    added = time.perf_counter()
    for _ in range(jobs):
        queue.execute(queue.dequeue())
    return added - began, time.perf_counter() - added


def persist_queue(jobs: int, where: str) -> tuple[float, float]:
    """Return the same for persist-queue, which acknowledges each job."""
    queue: Any = import_module("persistqueue").SQLiteAckQueue(where, auto_commit=True)
    began = time.perf_counter()
    for _ in range(jobs):
        queue.put(BODY)
    added = time.perf_counter()
    for _ in range(jobs):
        queue.ack(queue.get())
    return added - began, time.perf_counter() - added


def procrastinate(jobs: int, where: str) -> tuple[float, float]:
    """Return the same for procrastinate, on PostgreSQL, with eight jobs side by side."""
    return asyncio.run(_procrastinate(jobs, where))


async def _procrastinate(jobs: int, where: str) -> tuple[float, float]:
    library: Any = import_module("procrastinate")
    app: Any = library.App(connector=library.PsycopgConnector(conninfo=where))
    look = app.task(name="look")(_look)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began = time.perf_counter()
        for _ in range(jobs):
            await look.defer_async(**BODY)
        added = time.perf_counter()
        await app.run_worker_async(
            wait=False, concurrency=8, install_signal_handlers=False, listen_notify=False
        )
        return added - began, time.perf_counter() - added


if __name__ == "__main__":
    name, number, place = sys.argv[1:]
    measured = {"huey": huey, "persist-queue": persist_queue, "procrastinate": procrastinate}[name]
    put, worked = measured(int(number), place)
    print(json.dumps({"put": int(number) / put, "work": int(number) / worked}))
