"""Choose where a cascade may stop at the first model, on golden cases that both models judged.

A case is *lost* where the cascade decides wrongly and the second model alone would not have. Lines
are lowered one confidence at a time, as long as the exact upper bound on the share of lost cases
stays under what was allowed: fixed-sequence testing, as in Learn-then-Test (Angelopoulos et al.
2021, arXiv 2110.01052, section 2.3), so that looking at many lines does not cheapen the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agent.cascade import NEVER
from agent.verdict import Decision
from errors import InputError
from evals.estimate import Estimate
from evals.intervals import Weights, bootstrap, clopper_pearson, share
from evals.outcome import Outcome, clusters_of

FOLDS = 2
_BOTH = 2  # lines are chosen for two decisions, and share what may be lost
_ONE_SIDED = 0.9  # a two-sided 90 % interval is a one-sided bound of 95 %


@dataclass(frozen=True)
class Pair:
    """One golden case as both models judged it."""

    first: Outcome
    second: Outcome
    needs_human: bool = False
    """Whether a person had to see the first verdict; then the second model is asked in any case."""

    @property
    def lost(self) -> bool:
        """Whether stopping at the first model is wrong where the second would not have been."""
        return _wrong(self.first) and not _wrong(self.second)


@dataclass(frozen=True)
class Lines:
    """From which confidence on a first decision is enough."""

    violating: float = NEVER
    allowed: float = NEVER

    def settle(self, pair: Pair) -> bool:
        """Return whether a case ends with the first model."""
        line = {"violating": self.violating, "allowed": self.allowed, "abstain": NEVER}
        if pair.needs_human and pair.first.decided != "violating":
            return False
        return pair.first.confidence >= line[pair.first.decided]


@dataclass(frozen=True)
class CascadeReport:
    """What the lines save and cost; everything measured on cases that did not choose them."""

    lines: Lines
    saved: Estimate
    right: Estimate
    """Change in the share decided rightly, against asking the second model every time."""
    wrong: Estimate
    """Change in the share decided wrongly."""
    wrongly_allowed: Estimate
    """Change in the share of violating cases that are allowed."""


def pairs_of(
    first: Sequence[Outcome], second: Sequence[Outcome], *, for_people: frozenset[str] = frozenset()
) -> list[Pair]:
    """Return the cases that both runs hold.

    Args:
        first: What the first model came to.
        second: What the second came to.
        for_people: Ids of the cases whose first verdict a person had to see.

    Raises:
        InputError: The runs hold different cases.
    """
    others = {outcome.case_id: outcome for outcome in second}
    if {outcome.case_id for outcome in first} != set(others):
        raise InputError(
            "the two runs judged different cases", hint="evaluate both on the same golden file"
        )
    return [Pair(one, others[one.case_id], needs_human=one.case_id in for_people) for one in first]


def choose_lines(pairs: Sequence[Pair], *, max_lost: float) -> Lines:
    """Return the lowest lines under which at most `max_lost` of all cases are lost (95 % sure)."""
    allowed = max_lost / _BOTH
    return Lines(
        violating=_lowest(pairs, "violating", allowed),
        allowed=_lowest(pairs, "allowed", allowed),
    )


def _lowest(pairs: Sequence[Pair], decision: Decision, allowed: float) -> float:
    candidates = sorted({p.first.confidence for p in pairs if p.first.decided == decision})
    chosen = NEVER
    for line in reversed(candidates):
        trial = Lines(violating=line) if decision == "violating" else Lines(allowed=line)
        lost = sum(pair.lost for pair in pairs if trial.settle(pair))
        if clopper_pearson(lost, len(pairs), confidence=_ONE_SIDED)[1] > allowed:
            break
        chosen = line
    return chosen


def cascade_report(pairs: Sequence[Pair], *, max_lost: float) -> CascadeReport:
    """Return the lines chosen on all cases, and what lines chosen in this way save and cost.

    Measured by two folds: the lines of one half are judged on the other. Families stay together.
    """
    settled = [False] * len(pairs)
    for inside, outside in _halves(pairs):
        lines = choose_lines([pairs[i] for i in inside], max_lost=max_lost)
        for index in outside:
            settled[index] = lines.settle(pairs[index])
    clusters = clusters_of([pair.first for pair in pairs])

    def change(of: Sequence[float], among: Sequence[bool]) -> Estimate:
        values, counted = np.array(of), np.array(among, dtype=float)

        def statistic(weights: Weights) -> float:
            total = float(weights @ counted)
            return float(weights @ (values * counted)) / total if total else float("nan")

        return bootstrap(statistic, clusters, n=int(counted.sum()))

    everybody = [True] * len(pairs)
    violating = [pair.first.expected == "violating" for pair in pairs]
    return CascadeReport(
        lines=choose_lines(pairs, max_lost=max_lost),
        saved=share(sum(settled), len(pairs)),
        right=change(_changes(pairs, settled, _right), everybody),
        wrong=change(_changes(pairs, settled, _wrong), everybody),
        wrongly_allowed=change(_changes(pairs, settled, _missed), violating),
    )


def _halves(pairs: Sequence[Pair]) -> Iterator[tuple[list[int], list[int]]]:
    clusters = clusters_of([pair.first for pair in pairs])
    order = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    folds = [order[name] % FOLDS for name in clusters]
    for fold in range(FOLDS):
        yield (
            [index for index, other in enumerate(folds) if other != fold],
            [index for index, other in enumerate(folds) if other == fold],
        )


def _changes(
    pairs: Sequence[Pair], settled: Sequence[bool], judged: Callable[[Outcome], bool]
) -> list[float]:
    return [
        float(judged(pair.first)) - float(judged(pair.second)) if stop else 0.0
        for pair, stop in zip(pairs, settled, strict=True)
    ]


def _right(outcome: Outcome) -> bool:
    return outcome.decided == outcome.expected


def _wrong(outcome: Outcome) -> bool:
    return outcome.decided not in {"abstain", outcome.expected}


def _missed(outcome: Outcome) -> bool:
    return outcome.expected == "violating" and outcome.decided == "allowed"
