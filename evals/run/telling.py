"""Tell how far a run is: a bar where somebody watches, a line now and then where nobody does."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from agent.view import terminal
from evals.run.run import Progress

EVERY_SECONDS = 30.0


@contextmanager
def telling_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """Yield the function that tells on stderr how many are done, the time left and the cost."""
    console = terminal(stderr=True)
    if not console.is_terminal:
        yield now_and_then(title)
        return
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[cost]}"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(title, total=None, cost="")
        yield lambda now: bar.update(
            task, completed=now.done, total=now.total, cost=_cost(now.cost_usd)
        )


def now_and_then(
    title: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[Progress], None]:
    """A line every half minute, for a log."""
    started = told = clock()
    first: int | None = None

    def tell(now: Progress) -> None:
        nonlocal told, first
        first = now.done - 1 if first is None else first
        if clock() - told < EVERY_SECONDS:
            return
        told = clock()
        left = (told - started) / (now.done - first) * (now.total - now.done)
        line = f"{title}: {now.done} of {now.total}, {_minutes(left)} left{_cost(now.cost_usd)}"
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    return tell


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"  # noqa: PLR2004


def _cost(usd: float) -> str:
    """Nothing for a model that costs nothing."""
    return f", ${usd:,.4f} so far" if usd else ""
