"""What somebody asks of a comparison, and the comparison from beginning to end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.case import Case
from agent.reading_cases import read_cases
from agent.reviewer import Options
from errors import InputError, UsageError
from evals.golden import MAX_TEXT_CHARS, GoldenCase, drawn, read_golden
from evals.wording.comparison import Plan, WordingComparison, compare_wordings
from evals.wording.impact import MINUTES_A_CASE
from evals.wording.judging import Pace
from evals.wording.side_by_side import side_by_side
from evals.wording.texts import Wordings, read_wordings
from policies.rulebook import Rulebook
from records.docket.reading import read_docket
from records.store import open_records


@dataclass(frozen=True)
class Request:
    """What to compare, on which cases, and how carefully."""

    new: str
    old: str | None = None
    golden: Path | None = None
    cases: Path | None = None
    """Past cases without known answers, instead of golden ones."""
    docket_since: datetime | None = None
    """The cases that came into the docket since then, instead of a file."""
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
    named = [request.golden, request.cases, request.docket_since]
    if sum(one is not None for one in named) != 1:
        raise UsageError(
            "a comparison needs cases of one kind: golden ones, past ones, or the docket's",
            hint="add --golden F (see evals/sets/golden.jsonl), --cases F or --docket DAY",
        )
    wordings = read_wordings(request.old, request.new)
    cases = cases_of(request, wordings, options)
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


def cases_of(request: Request, wordings: Wordings, options: Options) -> Sequence[GoldenCase | Case]:
    """Return the cases that a request names, in their order.

    Raises:
        InputError: A line is no case, or an answer names a section that neither wording has.
    """
    if request.golden is not None:
        golden = read_golden(
            request.golden, either(wordings), max_text_chars=request.max_text_chars
        )
        return drawn(golden, request.limit, seed=request.seed)
    if request.cases is not None:
        longest = request.max_text_chars
        past = [case for _, case in read_cases(request.cases, max_text_chars=longest)]
    else:
        assert request.docket_since is not None  # noqa: S101 - checked by `carry_out`
        past = list(_docket(options, request.docket_since))
    if request.limit is None or request.limit >= len(past):
        return past
    chosen = sorted(random.Random(request.seed).sample(range(len(past)), request.limit))
    return [past[number] for number in chosen]


def _docket(options: Options, since: datetime) -> Iterator[Case]:
    """The cases of the docket, with the time at which they came where they carry none."""
    day = since if since.tzinfo else since.replace(tzinfo=UTC)
    key = options.ledger_key
    with open_records(options.records_url, home=options.home, ledger_key=key) as records:
        found = [one for one in read_docket(records) if one.added_at >= day.timestamp()]
    if not found:
        raise InputError(
            f"no case has come into the docket since {day:%Y-%m-%d}",
            hint="name an earlier day, or a file of past cases with --cases",
        )
    for one in found:
        case = Case.model_validate_json(one.content)
        came = datetime.fromtimestamp(one.added_at, UTC)
        yield case if case.created_at else case.model_copy(update={"created_at": came})


def either(wordings: Wordings) -> Rulebook:
    """Return both wordings as one list of sections, to look up which answers make sense."""
    old, new = wordings.old.rulebook, wordings.new.rulebook
    return Rulebook((*old.policies, *new.policies), {})
