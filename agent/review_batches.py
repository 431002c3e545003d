"""Review a file of cases in the batches of a provider: half the price, within a day, resumable.

Every case is run until it asks something that nobody has answered; what all of them ask goes to the
provider as one batch, and with its answers they are run again, until every case has its verdict.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent.llm.batch_passes import BatchOutcome, Progress, work_in_batches
from agent.llm.batch_patience import Waiting
from agent.llm.batching import open_batching
from agent.llm.language_model import LanguageModel
from agent.llm.options import LanguageOptions
from agent.reading_cases import read_cases
from agent.review_file import (
    CaseFile,
    finished_lines,
    keep_line,
    run_id,
    run_journal,
    verdict_line,
)
from agent.reviewer import Reviewer
from errors import RecordsError, UsageError


def review_in_batches(  # noqa: PLR0913 - a run, and who is told of it
    file: CaseFile,
    *,
    reviewer: Reviewer,
    options: LanguageOptions,
    journals: Path,
    waiting: Waiting | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    done: Callable[[BatchOutcome], None] = lambda _: None,
) -> Generator[str, None, None]:
    """Yield one verdict a case as a line of JSON, in the order of the file, when all are there.

    Args:
        file: The file, as `check_case_file` found it.
        reviewer: Who reviews; its model is reached over a wire.
        options: How that model is reached.
        journals: The folder of unfinished runs.
        waiting: How long is waited between two looks at the open batches.
        tell: Told how far the work is.
        done: Told in the end what it took.

    Raises:
        LeftOpenError: Somebody pressed Ctrl-C; the same command goes on.
        ProviderError: The provider cannot be reached; open batches stay open.
        RecordsError: The journal cannot be written, or another process works on the same file.
    """
    model = reviewer.desk.model
    if not isinstance(model, LanguageModel) or reviewer.till is None:
        raise UsageError(
            "--batch needs a language model", hint="name one with --model, such as openai:MODEL"
        )
    models = [model.line.provider.name]
    if model.critic is not None:
        models.append(model.critic.line.provider.name)
    cases = [case for _, case in read_cases(file.path, max_text_chars=file.max_text_chars)]
    with (
        _alone(journals),
        run_journal(journals, f"batch-{run_id(file, reviewer)}") as journal,
        open_batching(models, options, reviewer.till, waiting=waiting or Waiting()) as batching,
    ):
        finished: dict[int, str] = {}
        for line in finished_lines(journal):
            entry = json.loads(line)
            finished[entry["number"]] = entry["verdict"]
        reviewer.till = batching.till
        reviewer.book_under(journal.run)

        def attempt(number: int) -> None:
            if number not in finished:
                line = verdict_line(reviewer.review(cases[number]))
                keep_line(journal, json.dumps({"number": number, "verdict": line}))
                finished[number] = line

        done(
            work_in_batches(
                len(cases), attempt, desk=batching.desk, offices=batching.offices, tell=tell
            )
        )
        yield from (finished[number] for number in range(len(cases)))


@contextmanager
def _alone(journals: Path) -> Iterator[None]:
    """Keep every other process of this home from working on the open batches."""
    journals.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(journals / "batches.lock").acquire(timeout=0):
            yield
    except Timeout:
        raise RecordsError(
            "another amicus works in batches",
            hint="wait for it, or review this file without --batch",
        ) from None
