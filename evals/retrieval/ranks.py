"""From ranked answers to figures: recall at a depth, and how much better one search is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from evals.metrics import Estimate, share

_RESAMPLES = 10_000
_SEED = 7


def found(ranked: Sequence[str], accepted: Collection[str], depth: int) -> bool:
    """Return whether an accepted answer is among the first `depth`.

    >>> found(["a", "b", "c"], {"c"}, 2)
    False
    """
    return any(answer in accepted for answer in ranked[:depth])


def recall(hits: Sequence[bool]) -> Estimate:
    """Share of questions whose answer was found, with Wilson's interval; higher is better."""
    return share(sum(hits), len(hits))


def recall_gain(ours: Sequence[bool], theirs: Sequence[bool]) -> Estimate:
    """Recall of `ours` less that of `theirs` on the same questions; higher is better.

    The 95 % interval is the paired bootstrap's (Efron and Tibshirani 1993, chapter 13): questions
    are drawn, not searches, so what is easy for both does not blur the difference.

    >>> recall_gain([True, True, False], [True, True, False])
    Estimate(value=0.0, low=0.0, high=0.0, n=3)
    """
    gains = np.array(ours, float) - np.array(theirs, float)
    drawn = np.random.default_rng(_SEED).choice(gains, (_RESAMPLES, len(gains))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(gains.mean()), float(low), float(high), len(gains))
