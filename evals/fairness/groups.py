"""Who pays for the mistakes: wrong removals and missed violations, group by group.

A gap between groups is itself an estimate: it has its own interval, and among many groups some
gap is always large by chance, so p values are corrected (Holm) and the widest gap is judged with
an interval that knows it was chosen for being the widest (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from evals.estimate import NO_DATA, Estimate
from evals.intervals import clustered_share, effective_cases
from evals.metrics.decisions import is_missed, is_wrongly_removed
from evals.metrics.metric import Count
from evals.outcome import Outcome, clusters_of
from evals.significance import difference_interval, fisher, holm

Rate = Callable[[Outcome], Count]
RATES: Mapping[str, Rate] = {
    "wrong_removal_rate": is_wrongly_removed,
    "missed_violation_rate": is_missed,
}
FEWEST = 10
"""Below so many cases a group's rate says next to nothing, and the report says so."""


@dataclass(frozen=True)
class Gap:
    """How much worse a group fares than all others together, or than another one."""

    group: str
    other: str
    """The group that it is compared with; empty: everybody else."""
    difference: Estimate
    p: float
    """Fisher's exact test, corrected for the number of groups; NaN for the widest gap."""


@dataclass(frozen=True)
class GroupRates:
    """One rate over the groups of a slice."""

    rate: str
    groups: Mapping[str, Estimate]
    gaps: Sequence[Gap]
    """Each group against everybody else."""
    widest: Gap | None
    """Of the groups with enough cases, the two that lie furthest apart; None without two such."""
    too_small: Sequence[str]
    """Groups with fewer than `FEWEST` cases."""


@dataclass(frozen=True)
class _Tally:
    hits: int
    tries: int
    effective: float

    @property
    def value(self) -> float:
        return self.hits / self.tries


def group_rates(outcomes: Sequence[Outcome], slice_name: str) -> list[GroupRates]:
    """Return the rates of each group of a slice, with their gaps.

    A case without the slice counts among everybody else.
    """
    return [_rates(outcomes, slice_name, name, rate) for name, rate in RATES.items()]


def _rates(outcomes: Sequence[Outcome], slice_name: str, name: str, rate: Rate) -> GroupRates:
    members = [o.slices.get(slice_name, "") for o in outcomes]
    named = zip(map(rate, outcomes), clusters_of(outcomes), members, strict=True)
    counted = [(hits, tries, cluster, group) for (hits, tries), cluster, group in named if tries]
    groups = sorted(set(members) - {""})
    inside = {g: [(h, n, c) for h, n, c, group in counted if group == g] for g in groups}
    tallies = {g: _tally(inside[g]) for g in groups}
    others = {g: _tally([(h, n, c) for h, n, c, group in counted if group != g]) for g in groups}
    known = [g for g in groups if tallies[g].tries]
    return GroupRates(
        rate=name,
        groups={g: _estimate(inside[g]) for g in groups},
        gaps=_against_others(known, tallies, others),
        widest=_widest([g for g in known if tallies[g].tries >= FEWEST], tallies),
        too_small=[g for g in groups if tallies[g].tries < FEWEST],
    )


def _tally(counted: Sequence[tuple[int, int, str]]) -> _Tally:
    effective = effective_cases(counted) if counted else 0.0
    return _Tally(sum(h for h, _, _ in counted), sum(n for _, n, _ in counted), effective)


def _estimate(counted: Sequence[tuple[int, int, str]]) -> Estimate:
    hits, tries = [h for h, _, _ in counted], [n for _, n, _ in counted]
    return clustered_share(hits, tries, [cluster for _, _, cluster in counted])


def _against_others(
    groups: Sequence[str], tallies: Mapping[str, _Tally], others: Mapping[str, _Tally]
) -> list[Gap]:
    compared = [g for g in groups if others[g].tries]
    p = holm(
        {
            g: fisher(tallies[g].hits, tallies[g].tries, others[g].hits, others[g].tries)
            for g in compared
        }
    )
    return [Gap(g, "", _difference(tallies[g], others[g]), p[g]) for g in compared]


def _widest(groups: Sequence[str], tallies: Mapping[str, _Tally]) -> Gap | None:
    pairs = list(combinations(groups, 2))
    if not pairs:
        return None
    ordered = sorted(groups, key=lambda g: tallies[g].value)
    worst, best = ordered[-1], ordered[0]
    confidence = 1 - 0.05 / len(pairs)
    difference = _difference(tallies[worst], tallies[best], confidence=confidence)
    return Gap(worst, best, difference, math.nan)


def _difference(one: _Tally, other: _Tally, *, confidence: float = 0.95) -> Estimate:
    if not one.tries or not other.tries:
        return NO_DATA
    low, high = difference_interval(
        one.value, one.effective, other.value, other.effective, confidence=confidence
    )
    return Estimate(one.value - other.value, low, high, one.tries + other.tries)
