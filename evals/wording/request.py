"""What somebody asks of a comparison, and the comparison from beginning to end."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.case import Case
from agent.reading_cases import read_cases
from agent.reviewer import Options
from errors import UsageError
from evals.golden import MAX_TEXT_CHARS, GoldenCase, drawn, read_golden
from evals.wording.comparison import Plan, WordingComparison, compare_wordings
from evals.wording.impact import MINUTES_A_CASE
from evals.wording.judging import Pace
from evals.wording.side_by_side import side_by_side
from evals.wording.texts import Wordings, read_wordings
from policies.rulebook import Rulebook


@dataclass(frozen=True)
class Request:
    """What to compare, on which cases, and how carefully."""

    new: str
    old: str | None = None
    golden: Path | None = None
    cases: Path | None = None
    """Past cases without known answers, instead of golden ones."""
    accounts: Path | None = None
    precedents: Path | None = None
    judge_all: bool = False
    stop_early: bool = False
    repeats: int = 1
    workers: int = 1
    limit: int | None = None
    seed: int = 0
    per_day: float | None = None
    minutes: float = MINUTES_A_CASE
    max_text_chars: int = MAX_TEXT_CHARS


def carry_out(
    request: Request,
    options: Options,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> WordingComparison:
    """Return what the new wording changes.

    Raises:
        UsageError: No cases are named, or both kinds.
        AmicusError: A wording, the cases or a model cannot be opened.
    """
    if (request.golden is None) == (request.cases is None):
        raise UsageError(
            "a comparison needs cases: golden ones, or past ones without answers",
            hint="add --golden F (see evals/sets/golden.jsonl) or --cases F",
        )
    wordings = read_wordings(request.old, request.new)
    cases = cases_of(request, wordings)
    pace = Pace(request.repeats, request.workers, on_progress)
    plan = Plan(
        pace,
        judge_all=request.judge_all,
        seed=request.seed,
        per_day=request.per_day,
        minutes=request.minutes,
        stop_early=request.stop_early,
    )
    with side_by_side(
        options, wordings, accounts=request.accounts, precedents=request.precedents
    ) as sides:
        return compare_wordings(wordings, sides, cases, plan)


def cases_of(request: Request, wordings: Wordings) -> Sequence[GoldenCase | Case]:
    """Return the cases that a request names, in their order.

    Raises:
        InputError: A line is no case, or an answer names a section that neither wording has.
    """
    if request.golden is not None:
        golden = read_golden(
            request.golden, either(wordings), max_text_chars=request.max_text_chars
        )
        return drawn(golden, request.limit, seed=request.seed)
    assert request.cases is not None  # noqa: S101 - checked by `carry_out`
    past = [case for _, case in read_cases(request.cases, max_text_chars=request.max_text_chars)]
    if request.limit is None or request.limit >= len(past):
        return past
    chosen = sorted(random.Random(request.seed).sample(range(len(past)), request.limit))
    return [past[number] for number in chosen]


def either(wordings: Wordings) -> Rulebook:
    """Return both wordings as one list of sections, to look up which answers make sense."""
    old, new = wordings.old.rulebook, wordings.new.rulebook
    return Rulebook((*old.policies, *new.policies), {})
