"""Look while it runs, and stop early without cheating: a test that holds at every look.

Each family of cases is one coin: it went to the new wording, to the old one, or it is a tie and
says nothing. If neither wording is better the coin is fair. Against that stands a mixture of all
other coins, weighted by a symmetric beta distribution; the ratio of both likelihoods is a
martingale, and by Ville's inequality it reaches 1 / level with no more than that chance, however
often somebody looks (Ville 1939; Ramdas, Grünwald, Vovk and Shafer 2023, "Game-theoretic statistics
and safe anytime-valid inference", section 3).

Such a test pays for its freedom with power. So a small part of the level is spent on the early
looks, and what is left on McNemar's exact test when all cases were judged; by the union bound both
together stay below the level, whenever one stops.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from evals.significance import mcnemar

LEVEL = 0.05
EARLY = 0.005
"""What of the level the looks on the way may use; the rest is for the end."""
SHAPE = 3.0
"""Of the beta mixture: wide enough for four of five coins on one side, or for two of three."""


def e_value(better: int, worse: int, *, shape: float = SHAPE) -> float:
    """Return how many times likelier these coins are under the mixture than under fair ones.

    >>> e_value(0, 0)
    1.0
    >>> round(e_value(12, 1, shape=1.0), 1)
    45.0
    """
    return math.exp(
        _log_beta(shape + better, shape + worse)
        - _log_beta(shape, shape)
        + (better + worse) * math.log(2)
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@dataclass
class SequentialTest:
    """Takes one coin after the other, and knows at each look whether it may stop."""

    level: float = LEVEL
    early: float = EARLY
    better: int = 0
    worse: int = 0
    highest: float = field(default=1.0)
    """The highest e-value so far."""

    def add(self, step: int) -> bool:
        """Take the coin of a family (above 0: better now; 0: a tie); return `decided`."""
        if step:
            self.better += step > 0
            self.worse += step < 0
            self.highest = max(self.highest, e_value(self.better, self.worse))
        return self.decided

    def add_all(self, steps: Iterable[int]) -> bool:
        """Take coins until it is decided; return whether it is."""
        return any(self.add(step) for step in steps)

    @property
    def decided(self) -> bool:
        """Whether it may be stopped here, and the difference be called real."""
        return self.highest >= 1 / self.early

    @property
    def p(self) -> float:
        """A p value that holds however often somebody has looked."""
        return min(1.0, 1 / self.highest)

    def at_the_end(self) -> bool:
        """Whether the difference is real, once all cases that were planned have been judged."""
        return self.decided or mcnemar(self.worse, self.better) <= self.level - self.early
