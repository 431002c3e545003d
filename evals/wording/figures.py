"""Metrics of both wordings with paired intervals, tests by section, and what could be seen at all.

Cases that the edit cannot touch stand in the sample with the weight of all those they stand for.
Their verdicts are the same on both sides, so that every difference comes from the cases that were
all judged; only the levels beside it are estimates.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.compare.change import Change
from evals.estimate import Estimate
from evals.intervals import SEED, Weights, bias_corrected, clopper_pearson, resamples
from evals.metrics.decisions import is_right
from evals.metrics.measure import SLICED
from evals.metrics.metric import Metric
from evals.outcome import Outcome
from evals.significance import both_errors, holm, mcnemar
from evals.wording.judging import Judged

DRAWS = 1000
FEWEST_OF_A_SLICE = 5


@dataclass(frozen=True)
class Paired:
    """The outcomes of both wordings, case by case, and for how many cases each stands."""

    old: tuple[Outcome, ...]
    new: tuple[Outcome, ...]
    weights: Weights
    families: tuple[str, ...]

    @property
    def cases(self) -> int:
        """How many cases of the set they stand for."""
        return round(float(self.weights.sum()))


@dataclass(frozen=True)
class Shift:
    """How the decisions on some cases moved, with the exact test."""

    name: str
    fixed: int
    broken: int
    more_removed: int
    """Cases that are called violating now and were not."""
    fewer_removed: int
    wrongly_removed_more: int
    """Allowed cases that are called violating now, less those that no longer are."""
    allowed: int
    """Allowed cases in all, as far as they were judged."""
    n: int
    p: float
    """Of McNemar's exact test that it is as often right as before."""
    p_holm: float
    p_removed: float
    """Of the same test that it removes as often as before."""
    p_wrong: float
    """The same of the allowed cases alone."""


@dataclass(frozen=True)
class Sight:
    """What this set could have shown."""

    smallest_change: float
    """The change in the share decided right that is found four times in five."""
    cases_needed: int | None
    """How many cases the change that was seen would need; None where nothing changed."""


def paired(judged: Sequence[Judged]) -> Paired:
    """Return the outcomes of the cases whose answer is known and that both sides could judge."""
    kept = [(one, both) for one in judged if not one.failed and (both := one.outcomes())]
    return Paired(
        tuple(both[0] for _, both in kept),
        tuple(both[1] for _, both in kept),
        np.array([one.weight for one, _ in kept], dtype=np.float64),
        tuple(one.item.family for one, _ in kept),
    )


def changes(
    pairs: Paired,
    *,
    metrics: Mapping[str, Metric] = SLICED,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Change]:
    """Return the change of every decision metric, by paired bootstrap over families.

    A share whose cases are the same on both sides has the exact p of McNemar's test, unless the
    cases come in families (see `evals.compare.changes`).
    """
    if not pairs.old:
        return {}
    drawn = list(resamples(pairs.families, draws=draws, seed=seed))
    exact = len(set(pairs.families)) == len(pairs.families)
    return {name: _change(metric, pairs, drawn, exact=exact) for name, metric in metrics.items()}


def _change(metric: Metric, pairs: Paired, drawn: Sequence[Weights], *, exact: bool) -> Change:
    before, now = metric.statistic(pairs.old), metric.statistic(pairs.new)
    was, is_now = before(pairs.weights), now(pairs.weights)
    difference = is_now - was
    if math.isnan(difference):
        return Change(was, is_now, Estimate(math.nan, math.nan, math.nan, 0), math.nan)
    steps = np.array([now(w * pairs.weights) - before(w * pairs.weights) for w in drawn])
    steps = steps[np.isfinite(steps)]
    low, high = bias_corrected(steps, difference)
    estimate = Estimate(difference, min(low, difference), max(high, difference), pairs.cases)
    p = _exact_p(metric, pairs) if exact else None
    return Change(was, is_now, estimate, _bootstrap_p(steps) if p is None else p)


def _exact_p(metric: Metric, pairs: Paired) -> float | None:
    if metric.count is None:
        return None
    counts = [(metric.count(a), metric.count(b)) for a, b in zip(pairs.old, pairs.new, strict=True)]
    if any(a[1] != b[1] or a[1] > 1 for a, b in counts):
        return None
    hits = [(a[0], b[0]) for a, b in counts if a[1]]
    return mcnemar(hits.count((1, 0)), hits.count((0, 1)))


def _bootstrap_p(drawn: Weights) -> float:
    """Twice the share of resamples on the other side of no difference (two-sided)."""
    if not drawn.size:
        return math.nan
    beyond = min(int(np.sum(drawn <= 0)), int(np.sum(drawn >= 0)))
    return min(1.0, 2 * (beyond + 1) / (drawn.size + 1))


def shifts(pairs: Paired, slice_name: str) -> list[Shift]:
    """Return how each value of a slice moved, Holm's correction over those that moved at all.

    Holding the rest against a section that cannot have moved would only blunt the test.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, outcome in enumerate(pairs.old):
        if slice_name in outcome.slices:
            groups[outcome.slices[slice_name]].append(number)
    found = [_shift(name, pairs, numbers) for name, numbers in sorted(groups.items())]
    moved = [s for s in found if s.fixed or s.broken or s.more_removed or s.fewer_removed]
    corrected = holm({shift.name: shift.p for shift in moved})
    return [_with_holm(shift, corrected[shift.name]) for shift in moved]


def whole_shift(pairs: Paired) -> Shift:
    """Return how all cases together moved."""
    return _shift("all cases", pairs, range(len(pairs.old)))


def _with_holm(shift: Shift, p: float) -> Shift:
    return Shift(**{**vars(shift), "p_holm": p})


def _shift(name: str, pairs: Paired, numbers: Sequence[int]) -> Shift:
    both = [(pairs.old[n], pairs.new[n], pairs.families[n]) for n in numbers]
    right = _signs((is_right(b)[0] - is_right(a)[0], family) for a, b, family in both)
    removed = [(_removes(b) - _removes(a), family) for a, b, family in both]
    wrong = [
        (_removes(b) - _removes(a), family) for a, b, family in both if a.expected == "allowed"
    ]
    steps = [is_right(b)[0] - is_right(a)[0] for a, b, _ in both]
    p = mcnemar(right.count(-1), right.count(1))
    return Shift(
        name=name,
        fixed=steps.count(1),
        broken=steps.count(-1),
        more_removed=sum(step > 0 for step, _ in removed),
        fewer_removed=sum(step < 0 for step, _ in removed),
        wrongly_removed_more=sum(step for step, _ in wrong),
        allowed=len(wrong),
        n=len(both),
        p=p,
        p_holm=p,
        p_removed=_fair(removed),
        p_wrong=_fair(wrong),
    )


def _fair(steps: Sequence[tuple[int, str]]) -> float:
    signs = _signs(iter(steps))
    return mcnemar(signs.count(-1), signs.count(1))


def _removes(outcome: Outcome) -> int:
    return int(outcome.decided == "violating")


def _signs(steps: Iterator[tuple[int, str]]) -> list[int]:
    """The direction in which each family moved: one coin a family, none where it is a tie."""
    sums: dict[str, int] = defaultdict(int)
    for step, family in steps:
        sums[family] += step
    return [(total > 0) - (total < 0) for total in sums.values() if total]


def sight(pairs: Paired) -> Sight:
    """Return the smallest change that the set could have shown, at a level of 5 %.

    Miller 2024 (arXiv 2411.00640), section 5, on families; where no case moved, the most that so
    many cases can hide stands in for the spread.
    """
    n = pairs.cases
    sums: dict[str, float] = defaultdict(float)
    for before, after, family in zip(pairs.old, pairs.new, pairs.families, strict=True):
        sums[family] += is_right(after)[0] - is_right(before)[0]
    mean = sum(sums.values()) / n if n else 0.0
    spread = sum(total**2 for total in sums.values()) - n * mean**2
    error = math.sqrt(max(spread, 0.0)) / n if n else math.nan
    if not any(sums.values()) and n:
        error = math.sqrt(clopper_pearson(0, n)[1] / n)
    smallest = both_errors() * error
    needed = math.ceil(n * (smallest / abs(mean)) ** 2) if mean else None
    return Sight(smallest, needed)


def slice_names(pairs: Paired) -> list[str]:
    """Return the slices that cases of this set carry."""
    return sorted({name for outcome in pairs.old for name in outcome.slices})


def by_slice(pairs: Paired) -> Mapping[str, list[Shift]]:
    """Return how every slice moved, the ones that did not left out."""
    found = {name: shifts(pairs, name) for name in slice_names(pairs)}
    return {name: moved for name, moved in found.items() if moved}
