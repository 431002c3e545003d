"""Judge families of cases one after the other, and stop as soon as the answer is clear."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from evals.metrics.decisions import is_right
from evals.wording.judging import Item, Judged, Pace, judge_items
from evals.wording.sequential import SequentialTest
from evals.wording.side_by_side import Sides

AT_ONCE = 16
"""So many families are judged between two looks."""


@dataclass(frozen=True)
class Early:
    """How far a comparison that may stop has come."""

    stopped: bool
    """Whether it stopped before the last case."""
    judged: int
    of: int
    """Cases that the edit can touch."""
    p: float
    """Of the test that may be looked at as often as one likes."""
    real: bool
    """Whether one wording is right more often, by the test as it was planned."""


def judge_until_clear(
    items: Sequence[Item], sides: Sides, pace: Pace, *, seed: int = 0
) -> tuple[list[Judged], Early]:
    """Return the cases that were judged before it was clear which wording is right more often.

    Whole families are judged, in random order, so that those that were judged are a fair sample;
    each stands for as many as there are.

    Args:
        items: Cases that the edit can touch, with known answers.
        sides: The reviewers of both wordings.
        pace: Repeats and threads.
        seed: Of the order.
    """
    families = _shuffled(items, seed)
    test, judged = SequentialTest(), list[Judged]()
    for first in range(0, len(families), AT_ONCE):
        batch = [item for family in families[first : first + AT_ONCE] for item in family]
        fresh = judge_items(batch, sides, pace)
        judged += fresh
        if test.add_all(_steps(fresh)):
            break
    stopped = len(judged) < len(items)
    early = Early(
        stopped, len(judged), len(items), test.p, test.decided if stopped else test.at_the_end()
    )
    weight = len(items) / len(judged) if judged else 1.0
    return [replace(one, weight=weight) for one in judged], early


def _shuffled(items: Sequence[Item], seed: int) -> list[list[Item]]:
    by_family: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_family[item.family].append(item)
    families = list(by_family.values())
    random.Random(seed).shuffle(families)
    return families


def _steps(judged: Sequence[Judged]) -> list[int]:
    """What each family says: by how many cases the new wording is right more often."""
    sums: dict[str, int] = defaultdict(int)
    for one in judged:
        outcomes = one.outcomes()
        if outcomes is not None and not one.failed:
            sums[one.item.family] += is_right(outcomes[1])[0] - is_right(outcomes[0])[0]
    return list(sums.values())
