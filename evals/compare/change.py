"""How much a metric changed, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.estimate import Estimate
from evals.intervals import (
    RESAMPLES,
    SEED,
    Statistic,
    Weights,
    bias_corrected,
    clopper_pearson,
    resamples,
)
from evals.metrics import METRICS
from evals.metrics.decisions import is_right
from evals.metrics.metric import Metric
from evals.outcome import Outcome, clusters_of
from evals.significance import both_errors, holm, mcnemar


@dataclass(frozen=True)
class Change:
    """A metric before and after, on the same cases."""

    old: float
    new: float
    difference: Estimate
    """New less old, with the interval of the paired difference."""
    p: float


@dataclass(frozen=True)
class PolicyChange:
    """The decisions on the cases of one policy, before and after."""

    old_right: int
    new_right: int
    n: int
    p: float
    p_holm: float
    """Corrected for the number of policies."""


@dataclass(frozen=True)
class Sensitivity:
    """What these cases could have shown."""

    smallest_change: float
    """The change in the share decided right that is found four times in five."""
    cases_for_observed: int | None
    """How many cases the change that was seen would need; None where nothing changed."""


def changes(
    old: Sequence[Outcome], new: Sequence[Outcome], *, draws: int = RESAMPLES, seed: int = SEED
) -> dict[str, Change]:
    """Return the change of every metric, by paired bootstrap.

    Cases are drawn, not runs, whole families at a time: what is hard for both does not blur the
    difference (Efron and Tibshirani 1993, chapter 13; Miller 2024, section 4). A share whose cases
    are the same in both runs has the exact p of McNemar's test, unless the cases come in families.
    """
    weights = list(resamples(clusters_of(old), draws=draws, seed=seed))
    alone = len(set(clusters_of(old))) == len(old)
    return {
        name: _change(metric, old, new, weights, exact=alone) for name, metric in METRICS.items()
    }


def _change(
    metric: Metric,
    old: Sequence[Outcome],
    new: Sequence[Outcome],
    weights: Sequence[Weights],
    *,
    exact: bool,
) -> Change:
    before, now = metric.statistic(old), metric.statistic(new)
    ones = np.ones(len(old))
    was, is_now = before(ones), now(ones)
    difference = is_now - was
    if math.isnan(difference):
        return Change(was, is_now, Estimate(math.nan, math.nan, math.nan, 0), math.nan)
    drawn = _drawn(before, now, weights)
    low, high = bias_corrected(drawn, difference)
    estimate = Estimate(difference, min(low, difference), max(high, difference), len(old))
    p = _exact_p(metric, old, new) if exact else None
    return Change(was, is_now, estimate, _bootstrap_p(drawn) if p is None else p)


def _drawn(
    before: Statistic,
    now: Statistic,
    weights: Sequence[Weights],
) -> Weights:
    drawn = np.array([now(w) - before(w) for w in weights], dtype=np.float64)
    known: Weights = drawn[np.isfinite(drawn)]
    return known


def _exact_p(metric: Metric, old: Sequence[Outcome], new: Sequence[Outcome]) -> float | None:
    """McNemar's p, where both runs are asked about the very same cases and answer yes or no."""
    if metric.count is None:
        return None
    before, now = [metric.count(o) for o in old], [metric.count(o) for o in new]
    if any(a[1] != b[1] or a[1] > 1 for a, b in zip(before, now, strict=True)):
        return None
    hits = [(a[0], b[0]) for a, b in zip(before, now, strict=True) if a[1]]
    return mcnemar(hits.count((1, 0)), hits.count((0, 1)))


def _bootstrap_p(drawn: Weights) -> float:
    """Twice the share of resamples on the other side of no difference (two-sided)."""
    n = drawn.size
    if n == 0:
        return math.nan
    beyond = min(int(np.sum(drawn <= 0)), int(np.sum(drawn >= 0)))
    return min(1.0, 2 * (beyond + 1) / (n + 1))


def policy_changes(old: Sequence[Outcome], new: Sequence[Outcome]) -> dict[str, PolicyChange]:
    """Return the decisions policy by policy, with Holm's correction over the policies."""
    named: dict[str, list[tuple[bool, bool]]] = {}
    for before, now in zip(old, new, strict=True):
        policy = before.slices.get("policy")
        if policy:
            right = (bool(is_right(before)[0]), bool(is_right(now)[0]))
            named.setdefault(policy, []).append(right)
    p = {
        policy: mcnemar(both.count((True, False)), both.count((False, True)))
        for policy, both in named.items()
    }
    corrected = holm(p)
    return {
        policy: PolicyChange(
            sum(a for a, _ in named[policy]),
            sum(b for _, b in named[policy]),
            len(named[policy]),
            p[policy],
            corrected[policy],
        )
        for policy in sorted(named)
    }


def sensitivity(old: Sequence[Outcome], new: Sequence[Outcome]) -> Sensitivity:
    """Return the smallest change that these cases could have shown, at a level of 5 %.

    Miller 2024, section 5: z(.975) + z(.8) standard errors of the paired difference, families
    taken together. Where no case differs, the most that this many cases can hide stands in.

    >>> same = [Outcome("allowed", "allowed")] * 100
    >>> round(sensitivity(same, same).smallest_change, 3)
    0.053
    """
    steps = np.array(
        [is_right(b)[0] - is_right(a)[0] for a, b in zip(old, new, strict=True)], dtype=float
    )
    error = _standard_error(steps, clusters_of(old))
    if not steps.any():
        hidden = clopper_pearson(0, len(steps))[1]
        error = math.sqrt(hidden / len(steps))
    smallest = both_errors() * error
    seen = abs(float(steps.mean()))
    needed = math.ceil(len(steps) * (smallest / seen) ** 2) if seen else None
    return Sensitivity(smallest, needed)


def _standard_error(steps: Weights, clusters: Sequence[str]) -> float:
    """The standard error of a mean over cases that come in families (Miller 2024, equation 4)."""
    _, number = np.unique(np.array(clusters, dtype=str), return_inverse=True)
    sums = np.bincount(number, weights=steps - steps.mean())
    return float(np.sqrt(np.sum(sums**2)) / len(steps))
