"""What a judge is worth: how it agrees with people, and what sways it besides the words.

A mark is shown as a figure about the reviewer only where the judge has been measured against enough
marks of people, agrees with them, and is swayed neither by the order of what it reads nor by
length. Until then its marks are unproven, and every reason for that is named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, create_model

from agent.case import Frozen, Id
from agent.reading_cases import checked, json_lines
from errors import InputError, shown
from evals.estimate import NO_DATA, Estimate
from evals.intervals import Weights, bootstrap, clustered_share
from evals.judge.asking import Judgement
from evals.judge.rubric import LEAST, MOST, Rubric
from evals.run import Recorded

ENOUGH_LABELS = 30
LEAST_AGREEMENT = 0.4
"""The lower bound of weighted kappa: "moderate" by Landis and Koch (1977), table 2."""
MOST_BY_ORDER = 0.5
"""Marks that the order alone may move, at either bound."""
MOST_BY_LENGTH = 0.3
"""Rank correlation of length with how far the judge is above people, at the point."""

TO_READ = "read"
"""The part of a line of a sheet that is there to be read, and not to be filled in."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """What the marks for one criterion are worth."""

    mean: Estimate
    """The mean mark over the verdicts."""
    spread: Estimate
    """Mean standard deviation of the marks for one verdict, over samples and orders."""
    by_order: Estimate
    """Mean mark forwards less mean mark backwards."""
    agreement: Estimate
    """Quadratically weighted kappa with people (Cohen 1968, "Weighted kappa")."""
    above_people: Estimate
    """Mean mark of the judge less that of people."""
    by_length: Estimate
    """Rank correlation (Spearman 1904) of the verdict's length with the judge's lead over people;
    without people, with the mark itself, which may be deserved."""
    unproven: tuple[str, ...]
    """Why the marks are not to be trusted; empty where they may be."""


def read_labels(
    path: Path, records: Sequence[Recorded], rubric: Rubric
) -> dict[str, dict[str, int]]:
    """Return the marks that people gave, by case: `{"case_id": …, "rationale": 4, …}` a line.

    A line of a sheet that nobody has filled in is passed over; one that is half filled in is not.

    Raises:
        InputError: A line has no such marks, names a case that is not in the run or one that was
            marked before; names `file:line`.
    """
    names = [criterion.name for criterion in rubric.criteria]
    fields = {name: (Annotated[int, Field(ge=LEAST, le=MOST)], ...) for name in names}
    model: type[Frozen] = create_model(  # type: ignore[call-overload]  # fields are made here
        "HumanMarks", __base__=Frozen, case_id=(Id, ...), **fields
    )
    empty = dict.fromkeys(names)
    known = {record.case_id for record in records}
    found: dict[str, dict[str, int]] = {}
    for number, row in json_lines(path):
        where = f"{path}:{number}"
        row.pop(TO_READ, None)
        if {name: value for name, value in row.items() if name != "case_id"} == empty:
            continue
        label = checked(model, row, where=where).model_dump()
        case_id = label.pop("case_id")
        if case_id not in known:
            raise InputError(
                f"{where}: the run has no case {shown(case_id)}", hint="mark cases of this run"
            )
        if case_id in found:
            raise InputError(f"{where}: {shown(case_id)} was marked before", hint="keep one")
        found[case_id] = label
    return found


def worth(
    name: str,
    judgements: Sequence[Judgement],
    records: Sequence[Recorded],
    labels: Mapping[str, Mapping[str, int]],
) -> Worth:
    """Return what the marks for the criterion `name` are, and what they are worth.

    Args:
        name: The criterion.
        judgements: Every mark that the judge gave.
        records: The cases that were judged.
        labels: The marks of people, by case; some cases, or none.
    """
    marks = _marks(name, judgements, records)
    judged = [record for record in records if record.case_id in marks]
    families = [record.cluster or record.case_id for record in judged]
    means = np.array([_mean(marks[r.case_id]) for r in judged])
    people = np.array([labels.get(r.case_id, {}).get(name, math.nan) for r in judged])
    lead = means - people if labels else means
    figures = {
        "mean": _mean_of(means, families),
        "spread": _mean_of(np.array([_deviation(marks[r.case_id]) for r in judged]), families),
        "by_order": _mean_of(np.array([_turn(marks[r.case_id]) for r in judged]), families),
        "agreement": _agreement(means, people, families),
        "above_people": _mean_of(means - people, families),
        "by_length": _by_length(np.array([_length(r) for r in judged]), lead, families),
    }
    return Worth(**figures, unproven=tuple(_doubts(figures, len(labels))))


ByOrder = Mapping[str, Sequence[int]]


def _marks(
    name: str, judgements: Sequence[Judgement], records: Sequence[Recorded]
) -> dict[str, ByOrder]:
    """The marks for each verdict by order."""
    wanted = {record.case_id for record in records}
    found: dict[str, dict[str, list[int]]] = {}
    for one in judgements:
        if one.case_id in wanted:
            by_order = found.setdefault(one.case_id, {})
            by_order.setdefault(one.order, []).append(one.marks[name])
    return {case_id: dict(by_order) for case_id, by_order in found.items()}


def _mean(marks: ByOrder) -> float:
    """The mean of both orders: each weighs the same, however many samples it has."""
    return float(np.mean([np.mean(values) for values in marks.values()]))


def _deviation(marks: ByOrder) -> float:
    return float(np.std([mark for values in marks.values() for mark in values]))


def _turn(marks: ByOrder) -> float:
    if len(marks) < 2:  # noqa: PLR2004 - both orders
        return math.nan
    return float(np.mean(marks["forwards"]) - np.mean(marks["backwards"]))


def _length(record: Recorded) -> float:
    return float(len(record.verdict.rationale) + len(record.verdict.counterargument))


def _mean_of(values: Floats, families: Sequence[str]) -> Estimate:
    known = np.isfinite(values)
    n = int(known.sum())
    if n == 0:
        return NO_DATA

    def mean(weights: Weights) -> float:
        total = float(weights[known].sum())
        return float(np.dot(values[known], weights[known])) / total if total else math.nan

    return bootstrap(mean, families, n=n)


def unsupported_rate(judgements: Sequence[Judgement], records: Sequence[Recorded]) -> Estimate:
    """Share of verdicts in which the judge finds a claim that nothing holds; lower is better.

    At least half of the judgements of a verdict have to find one, whichever: one look alone may
    err. Claims are word for word the verdict's own, which code has checked.
    """
    found: dict[str, list[bool]] = {}
    for one in judgements:
        found.setdefault(one.case_id, []).append(bool(one.unsupported))
    judged = [record for record in records if record.case_id in found]
    return clustered_share(
        [int(2 * sum(found[r.case_id]) >= len(found[r.case_id])) for r in judged],
        [1] * len(judged),
        [record.cluster or record.case_id for record in judged],
    )


def _agreement(means: Floats, people: Floats, families: Sequence[str]) -> Estimate:
    known = np.isfinite(people)
    n = int(known.sum())
    if n == 0:
        return NO_DATA
    judge = np.floor(means[known] + 0.5)
    return bootstrap(
        lambda weights: weighted_kappa(judge, people[known], weights[known]), families, n=n
    )


def weighted_kappa(first: Floats, second: Floats, weights: Floats | None = None) -> float:
    """Return Cohen's kappa with quadratic weights: a near miss costs less than a far one.

    Cohen 1968, "Weighted kappa: nominal scale agreement with provision for scaled disagreement".
    NaN where there is nothing to compare, or where all marks are one and the same.

    >>> weighted_kappa(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    weigh = np.ones(len(first)) if weights is None else weights
    total = float(weigh.sum())
    if total == 0:
        return math.nan
    observed = float(np.dot(weigh, (first - second) ** 2)) / total
    mean_a, mean_b = np.dot(weigh, first) / total, np.dot(weigh, second) / total
    square_a, square_b = np.dot(weigh, first**2) / total, np.dot(weigh, second**2) / total
    # The mean squared distance of independent draws: E[a²] + E[b²] - 2 E[a] E[b].
    chance = float(square_a + square_b - 2 * mean_a * mean_b)
    return math.nan if chance <= 0 else 1 - observed / chance


def _by_length(lengths: Floats, lead: Floats, families: Sequence[str]) -> Estimate:
    known = np.isfinite(lead)
    n = int(known.sum())
    if n == 0:
        return NO_DATA
    return bootstrap(
        lambda weights: rank_correlation(lengths[known], lead[known], weights[known]),
        families,
        n=n,
    )


def rank_correlation(first: Floats, second: Floats, weights: Floats | None = None) -> float:
    """Return Spearman's rank correlation (1904); ties share their mean rank, NaN without spread.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 9.0]))
    1.0
    """
    weigh = np.ones(len(first)) if weights is None else weights
    if float(weigh.sum()) == 0:
        return math.nan
    a, b = _ranks(first, weigh), _ranks(second, weigh)
    a, b = a - np.average(a, weights=weigh), b - np.average(b, weights=weigh)
    spread = math.sqrt(float(np.dot(weigh, a**2)) * float(np.dot(weigh, b**2)))
    return float(np.dot(weigh, a * b)) / spread if spread else math.nan


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Mean ranks where each value stands as often as its weight says."""
    unique, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place, weights=weights, minlength=len(unique))
    ranks: Floats = (np.cumsum(counts) - counts / 2)[place]
    return ranks


def _doubts(figures: Mapping[str, Estimate], labels: int) -> list[str]:
    """Why these marks prove nothing yet."""
    if labels == 0:
        return ["nobody has marked any of these verdicts: the judge was not measured"]
    agreement, by_order, by_length = (
        figures[name] for name in ("agreement", "by_order", "by_length")
    )
    doubts = []
    if agreement.n < ENOUGH_LABELS:
        doubts.append(f"people have marked {agreement.n} verdicts, {ENOUGH_LABELS} are needed")
    if not agreement.low >= LEAST_AGREEMENT:
        doubts.append(
            f"it may agree with people by no more than {agreement.low:.2f},"
            f" {LEAST_AGREEMENT} is needed"
        )
    if not max(abs(by_order.low), abs(by_order.high)) <= MOST_BY_ORDER:
        doubts.append(f"the order alone may move a mark by more than {MOST_BY_ORDER}")
    if abs(by_length.value) > MOST_BY_LENGTH:
        doubts.append(f"length sways it (rank correlation {by_length.value:.2f})")
    return doubts
