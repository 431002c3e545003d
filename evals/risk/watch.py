"""Whether a claim still holds: a test that may be looked at after every single case.

Somebody who claims "at most `limit` of these are wrong" is bet against. A gambler who stakes a
share of their money on each audited case being wrong, at odds that are fair if the rate is `limit`,
cannot expect to gain while the claim holds; the chance of ever multiplying the money by 1/alarm is
at most `alarm`, however often one looks (Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating
means of bounded random variables by betting", JRSS B 86, section 4). The money is spread evenly
over gamblers who each believe in another rate above the limit, so that nobody has to know how large
the change will be. Nothing is assumed about the order of the cases, only that each is a fair draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evals.risk.bounds import divergence

_GAMBLERS = 24
_NEAREST, _FARTHEST = 1.25, 0.98
"""The most timid believes in this many times the limit, the boldest in this rate."""


@dataclass(frozen=True)
class Watch:
    """What the audits of one claim have come to."""

    limit: float
    alarm: float
    """The chance of ever stopping a claim that holds."""
    audited: int = 0
    mistakes: int = 0

    @property
    def evidence(self) -> float:
        """How many times the gamblers' money has multiplied; 1 says nothing, 1/alarm stops.

        >>> Watch(0.05, 0.05, audited=20, mistakes=1).evidence < 1
        True
        """
        believed = _believed(self.limit)
        right = self.audited - self.mistakes
        won = self.mistakes * np.log(believed / self.limit)
        lost = right * (np.log1p(-believed) - math.log1p(-self.limit))
        return float(np.exp(np.minimum(won + lost, 700.0)).mean())

    @property
    def broken(self) -> bool:
        """Whether the claim no longer fits what was audited."""
        return self.evidence >= 1 / self.alarm

    def after(self, *, wrong: bool) -> Watch:
        """Return the watch after one more audited case."""
        return Watch(self.limit, self.alarm, self.audited + 1, self.mistakes + wrong)


def stopped_at(outcomes: Iterable[bool], *, limit: float, alarm: float) -> int | None:
    """Return after how many audited cases the alarm goes off, or None; True is a mistake.

    What was bet and won stays won: a claim that was broken once is not mended by later luck.
    """
    watch = Watch(limit, alarm)
    for wrong in outcomes:
        watch = watch.after(wrong=wrong)
        if watch.broken:
            return watch.audited
    return None


def expected_audits(rate: float, *, limit: float, alarm: float) -> float:
    """Return about how many audits it takes at a rate above the limit, on average.

    The money to be won, and what the spreading costs, over what one case brings (Wald 1945).

    >>> round(expected_audits(0.2, limit=0.05, alarm=0.05))
    34
    """
    if rate <= limit:
        return math.inf
    believed = _believed(limit)
    gains = rate * np.log(believed / limit) + (1 - rate) * (
        np.log1p(-believed) - math.log1p(-limit)
    )
    order = np.sort(gains)[::-1]
    # However many of the best gamblers one counts on, each holds one part of the money.
    needs = (
        math.log(1 / alarm) + math.log(_GAMBLERS / number) for number in range(1, _GAMBLERS + 1)
    )
    counted = zip(needs, order, strict=True)
    return float(min(need / gain for need, gain in counted if gain > 0))


def least_audits(rate: float, *, limit: float, alarm: float) -> float:
    """Return what nobody can beat, even knowing `rate`: Wald's lower bound on the average."""
    return math.log(1 / alarm) / divergence(rate, limit) if rate > limit else math.inf


@lru_cache(maxsize=64)
def _believed(limit: float) -> NDArray[np.float64]:
    nearest = min(_NEAREST * limit, (limit + _FARTHEST) / 2)
    return np.geomspace(nearest, max(_FARTHEST, (1 + limit) / 2), _GAMBLERS)
