"""Assess the words of a run: by code always, by a judge model where there is one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from agent.llm.options import LanguageOptions, is_language_model
from agent.review_file import write_whole
from errors import InputError, UsageError, shown
from evals.judge.asking import Judge, judged
from evals.judge.checks import checked
from evals.judge.flaws import planted
from evals.judge.report import Assessment
from evals.judge.rubric import shipped_rubric
from evals.judge.sheet import sheet
from evals.judge.worth import read_labels
from evals.run import Recorded, Run, read_run
from policies.rulebook import Rulebook

BY_CODE = frozenset({"", "none", "embedded"})
"""Names that mean: no judge model. The embedded one reads sections and writes no opinion."""


@dataclass(frozen=True)
class Asked:
    """How the judge is asked."""

    model: str = ""
    labels: Path | None = None
    """Marks that people gave."""
    samples: int = 1
    limit: int | None = None
    """Most verdicts that it reads, drawn by the seed; labelled ones come first."""
    seed: int = 0
    workers: int = 1
    planted: int = 0
    """How many verdicts are spoilt for each criterion, to see whether the judge notices."""


def assess(  # noqa: PLR0913 - what a judge is opened with
    folder: Path,
    rulebook: Rulebook,
    asked: Asked,
    *,
    language: LanguageOptions,
    home: Path,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Assessment:
    """Return what is found about the words of the run in `folder`.

    Raises:
        InputError: There is no finished run, it was made with another rulebook, or a label is bad.
        UsageError: There is no such judge model.
        ModelError: The judge gave no usable answer at all.
    """
    run = read_run(folder)
    _check_rulebook(run, rulebook)
    rubric = shipped_rubric()
    labels = read_labels(asked.labels, run.records, rubric) if asked.labels else {}
    checks = checked(run.records, rulebook, list(rubric.checks))
    if asked.model in BY_CODE:
        return Assessment(run, rubric, run.records, checks, labels=labels)
    if not is_language_model(asked.model):
        raise UsageError(
            f"there is no judge model {shown(asked.model)}",
            hint="name openai:MODEL or anthropic:MODEL, or leave --model out to let code check",
        )
    records = _drawn(run, set(labels), asked)
    flaws = planted(records, rulebook, most=asked.planted, seed=asked.seed)
    judge, closing = _open_judge(asked, rulebook, language, home)
    try:
        marks, failed = judged(
            judge,
            [*records, *(flaw.spoilt for flaw in flaws)],
            workers=asked.workers,
            on_progress=on_progress,
        )
    finally:
        for close in closing:
            close()
    name = judge.line.provider.name
    return Assessment(run, rubric, records, checks, name, marks, failed, labels, flaws)


def _open_judge(
    asked: Asked, rulebook: Rulebook, language: LanguageOptions, home: Path
) -> tuple[Judge, list[Callable[[], None]]]:
    from agent.llm.opening import open_language_model

    model, closing = open_language_model(asked.model, language, rulebook, home=home)
    judge = Judge(
        line=model.line,
        rubric=shipped_rubric(),
        rulebook=rulebook,
        draw=lambda: secrets.token_hex(8),
        mode=model.asking.mode,
        samples=asked.samples,
    )
    return judge, closing


def _check_rulebook(run: Run, rulebook: Rulebook) -> None:
    if run.manifest.rulebook != rulebook.id:
        raise InputError(
            f"{run.folder}: the run was made with the rulebook {run.manifest.rulebook[:19]}…,"
            f" this is {rulebook.id[:19]}…",
            hint="name the rulebook of the run with --policies",
        )


def marking_sheet(folder: Path, sheet_file: Path, asked: Asked) -> int:
    """Write a sheet of verdicts for people to mark, and return how many are on it.

    Raises:
        InputError: There is no finished run, or the sheet cannot be written.
    """
    run = read_run(folder)
    records = _drawn(run, set(), asked)
    write_whole(sheet_file, sheet(records, shipped_rubric()))
    return len(records)


def _drawn(run: Run, labelled: set[str], asked: Asked) -> list[Recorded]:
    """The verdicts that the judge reads: what people marked first, then others by chance."""
    if asked.limit is None or asked.limit >= len(run.records):
        return list(run.records)
    shuffled = Random(asked.seed).sample(run.records, len(run.records))
    shuffled.sort(key=lambda record: record.case_id not in labelled)
    chosen = {record.case_id for record in shuffled[: asked.limit]}
    return [record for record in run.records if record.case_id in chosen]
