"""From which confidence on a machine may decide: Learn-then-Test with exact tests.

Every line on the grid is a hypothesis, "of the cases at or above this line, more than `limit` are
decided wrongly", and a line may be used once its hypothesis is rejected (Angelopoulos et al. 2021,
"Learn then Test", arXiv 2110.01052, section 2). Given how many cases lie above a line, mistakes are
binomial, so each test is exact.

Lines are tested from the strictest down, and the risk of a wrong claim is handed on from one to the
next for as long as the tests succeed (fixed-sequence testing, there section 2.3). A strict line has
few cases and fails for want of them, so the risk is split over a few starts: a start that fails
loses its share and no more. This is the fallback procedure (Wiens 2003, "A fixed sequence
Bonferroni procedure"), which keeps the family-wise risk whatever the tests have to do with each
other. Grid and starts stand here, before any data is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.risk.bounds import luck, most_likely_at_worst

_STEPS_PER_LOGIT = 10
_STRICTEST_LOGIT = 7
_START_LOGITS = (4, 3, 2, 1)
START_SHARE = 1 / len(_START_LOGITS)
"""The part of the risk that each start begins with."""


def _confidence(logit: float) -> float:
    return round(1 / (1 + math.exp(-logit)), 4)


GRID = tuple(
    _confidence(step / _STEPS_PER_LOGIT)
    for step in range(_STRICTEST_LOGIT * _STEPS_PER_LOGIT, -1, -1)
)
"""The lines, from .9991 down to .5, evenly spaced on the scale of the logit."""
STARTS = frozenset(_confidence(logit) for logit in _START_LOGITS)


@dataclass(frozen=True)
class Judged:
    """One case that a machine would close."""

    confidence: float
    wrong: bool


@dataclass(frozen=True)
class Line:
    """A line that was shown to be safe, and on what."""

    confidence: float
    """From here on."""
    n: int
    mistakes: int
    bound: float
    """The rate of mistakes is below this, unless the chance `risk` came true."""
    risk: float


@dataclass(frozen=True)
class Trial:
    """How one line came off."""

    confidence: float
    n: int
    mistakes: int
    risk: float
    """What the test was allowed to risk."""
    passed: bool


def trials(judged: Sequence[Judged], *, limit: float, risk: float) -> list[Trial]:
    """Return the test of each line, strictest first.

    Args:
        judged: Independent cases that nothing was fitted on.
        limit: The rate of mistakes that is claimed to be kept.
        risk: The chance of any wrong claim, all lines together.
    """
    surest = sorted(judged, key=lambda one: -one.confidence)
    falling = -np.array([one.confidence for one in surest])
    mistakes = np.concatenate([[0], np.cumsum([one.wrong for one in surest])])
    tried: list[Trial] = []
    budget = 0.0
    for line in GRID:
        budget += risk * START_SHARE if line in STARTS else 0.0
        n = int(np.searchsorted(falling, -line, side="right"))
        wrong = int(mistakes[n])
        passed = budget > 0 and luck(wrong, n, limit) <= budget
        tried.append(Trial(line, n, wrong, budget, passed))
        budget = budget if passed else 0.0
    return tried


def lowest_line(judged: Sequence[Judged], *, limit: float, risk: float) -> Line | None:
    """Return the lowest line that was shown to be safe, or None; arguments as in `trials`.

    Of lines above which the same cases lie it is the strictest: where nothing was seen, nothing is
    closed.
    """
    passed = [trial for trial in trials(judged, limit=limit, risk=risk) if trial.passed]
    if not passed:
        return None
    last = next(trial for trial in passed if trial.n == passed[-1].n)
    bound = most_likely_at_worst(last.mistakes, last.n, risk=last.risk)
    return Line(last.confidence, last.n, last.mistakes, bound, last.risk)
