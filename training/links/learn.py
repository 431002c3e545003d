"""From links to weights: logistic regression, its strictness, its calibration, its thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.links.features import HOST_BUCKETS, MEASUREMENTS
from tools.links.score import Scorer
from training.links.phishing import FAMILIES
from training.links.samples import LEARN, SETTLE, Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRICTNESS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Candidates for C, the inverse of the penalty on large weights."""
NEARLY = 0.01
"""How much of the share caught a stricter choice may cost."""
MEDIUM_FALSE_ALARMS = 0.01
HIGH_FALSE_ALARMS = 0.001


@dataclass(frozen=True)
class Fit:
    """Weights before calibration."""

    weights: NDArray[np.float64]
    intercept: float

    def raw(self, links: Sheet) -> NDArray[np.float64]:
        """The scores of `links` on the scale of log-odds."""
        scores: NDArray[np.float64] = links.matrix @ self.weights + self.intercept
        return scores


def fit(links: Sheet, strictness: float) -> Fit:
    """Logistic regression with an L2 penalty; both classes weigh the same."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strictness, class_weight="balanced", max_iter=500, tol=1e-4)
    model.fit(links.matrix, links.phishing)
    return Fit(model.coef_[0], float(model.intercept_[0]))


def choose_strictness(links: Sheet) -> tuple[float, Mapping[float, float]]:
    """The C that catches most of a kind of phishing that it was never shown.

    Each family of generated phishing is left out in turn, and caught or not at 1 % false alarms on
    domains that were left out as well. What a generator repeats helps nobody there, so this guards
    against learning the generator by heart. Of those that catch nearly the most, the strictest is
    taken. Returned are the choice and the mean share caught.
    """
    learn, settle = links.in_folds(LEARN), links.in_folds(SETTLE)
    caught = {
        strictness: sum(_caught_unseen(learn, settle, family, strictness) for family in FAMILIES)
        / len(FAMILIES)
        for strictness in STRICTNESS
    }
    good = max(caught.values()) - NEARLY
    return min(strictness for strictness, share in caught.items() if share >= good), caught


def calibrated(found: Fit, settle: Sheet) -> Scorer:
    """The weights with scores that can be read as probabilities, and with thresholds.

    Platt's sigmoid (1999) on domains held out from learning. The thresholds are scores that no
    more than 1 % and 0.1 % reach of any kind of honest link there.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    raw = found.raw(settle)
    platt = LogisticRegression(C=1e6, class_weight="balanced").fit(raw[:, None], settle.phishing)
    slope, offset = float(platt.coef_[0][0]), float(platt.intercept_[0])
    scored = 1 / (1 + np.exp(-(slope * raw + offset)))
    split = len(MEASUREMENTS)
    arrays = {
        "measurements": found.weights[:split],
        "host": found.weights[split : split + HOST_BUCKETS],
        "path": found.weights[split + HOST_BUCKETS :],
        "intercept": np.array(found.intercept),
        "slope": np.array(slope),
        "offset": np.array(offset),
    }
    return Scorer(
        weights={name: array.astype(np.float32) for name, array in arrays.items()},
        medium=threshold(settle, scored, MEDIUM_FALSE_ALARMS),
        high=threshold(settle, scored, HIGH_FALSE_ALARMS),
        version="unsaved",
    )


def threshold(links: Sheet, scored: NDArray[np.float64], false_alarms: float) -> float:
    """The score that no more than `false_alarms` of any kind of honest link in `links` reach.

    By kind, because front pages are many and harmless: they would hide what happens to real pages.
    """
    import numpy as np

    kinds = np.array([sample.kind for sample in links.samples])
    lines = [
        np.quantile(scored[(kinds == kind) & ~links.phishing], 1 - false_alarms, method="higher")
        for kind in sorted(set(kinds[~links.phishing]))
    ]
    return float(max(lines))


def _caught_unseen(learn: Sheet, settle: Sheet, family: str, strictness: float) -> float:
    import numpy as np

    found = fit(learn.only(sample.family != family for sample in learn.samples), strictness)
    honest = found.raw(settle.only(~settle.phishing))
    unseen = found.raw(settle.only(sample.family == family for sample in settle.samples))
    return float((unseen >= np.quantile(honest, 1 - MEDIUM_FALSE_ALARMS)).mean())
