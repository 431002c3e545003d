"""A metric: a named question about outcomes, with an answer that knows its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evals.estimate import Estimate
from evals.intervals import Statistic, Weights, bootstrap, clustered_share
from evals.outcome import Outcome, clusters_of

Count = tuple[int, int]
"""Hits and tries of one case. No tries: the case says nothing about this metric."""
Better = Literal["higher", "lower", "neither"]
Unit = Literal["share", "usd", "seconds", "count"]


@dataclass(frozen=True)
class Metric:
    """One metric: call it with outcomes for its estimate."""

    name: str
    label: str
    """What it says, in the words of a table."""
    estimate: Callable[[Sequence[Outcome]], Estimate]
    statistic: Callable[[Sequence[Outcome]], Statistic]
    """The same figure of a weighted sample: what resampling needs."""
    better: Better
    unit: Unit = "share"
    count: Callable[[Outcome], Count] | None = None
    """Where the metric is a share: what it counts of one case."""

    def __call__(self, outcomes: Sequence[Outcome]) -> Estimate:
        """Return the metric of these outcomes."""
        return self.estimate(outcomes)


def share_of(outcomes: Sequence[Outcome], count: Callable[[Outcome], Count]) -> Estimate:
    """Return the share of hits, with an interval that respects families."""
    counts = [count(outcome) for outcome in outcomes]
    return clustered_share([h for h, _ in counts], [n for _, n in counts], clusters_of(outcomes))


def share_statistic(outcomes: Sequence[Outcome], count: Callable[[Outcome], Count]) -> Statistic:
    """Return the share of hits in a weighted sample; NaN where nothing was tried."""
    counts = np.array([count(outcome) for outcome in outcomes], dtype=np.float64).reshape(-1, 2)
    hits, tries = counts[:, 0].copy(), counts[:, 1].copy()

    def statistic(weights: Weights) -> float:
        of = float(weights @ tries)
        return float(weights @ hits) / of if of else math.nan

    return statistic


def counted(
    name: str,
    label: str,
    count: Callable[[Outcome], Count],
    estimate: Callable[[Sequence[Outcome]], Estimate],
    *,
    better: Better,
) -> Metric:
    """Return the metric of a share that is counted case by case."""
    return Metric(name, label, estimate, lambda o: share_statistic(o, count), better, count=count)


def bootstrapped(
    name: str,
    label: str,
    statistic: Callable[[Sequence[Outcome]], Statistic],
    *,
    on: Callable[[Sequence[Outcome]], int],
    better: Better,
) -> Metric:
    """Return a metric whose interval has to be resampled; `on` says on how many cases it rests."""

    def estimate(outcomes: Sequence[Outcome]) -> Estimate:
        return bootstrap(statistic(outcomes), clusters_of(outcomes), n=on(outcomes))

    return Metric(name, label, estimate, statistic, better)
