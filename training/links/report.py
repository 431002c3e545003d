"""How good the score is, with intervals, on domains and lists that it never learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.links.assess import RISKS, Risk, assess, letters_speak
from tools.links.score import Scorer
from training.links.samples import Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 400
_BINS = 10


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, by resampling owners of hosts rather than links."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As it stands in the card."""
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def scores(scorer: Scorer, links: Sheet) -> NDArray[np.float64]:
    """The score of every link, by the code that ships; 0 where `assess` gives none."""
    import numpy as np

    return np.array(
        [scorer.score(parts) if letters_speak(parts) else 0.0 for parts in links.anatomies]
    )


def reach_rate(
    links: Sheet, scored: NDArray[np.float64], threshold: float, *, resamples: int = RESAMPLES
) -> Estimate:
    """Share of `links` that reach `threshold`."""
    import numpy as np

    reached = (scored >= threshold).astype(float)
    return _resampled(
        links.owners, lambda weights: float(np.average(reached, weights=weights)), resamples
    )


def auc_score(links: Sheet, scored: NDArray[np.float64], *, resamples: int = RESAMPLES) -> Estimate:
    """Chance that a phishing link scores above an honest one (area under the ROC curve)."""
    from sklearn.metrics import roc_auc_score

    owners = [f"{bad}{owner}" for bad, owner in zip(links.phishing, links.owners, strict=True)]
    return _resampled(
        owners,
        lambda weights: float(roc_auc_score(links.phishing, scored, sample_weight=weights)),
        resamples,
    )


def calibration_error(links: Sheet, scored: NDArray[np.float64]) -> float:
    """Expected calibration error in 10 bins of equal width; both classes weigh the same."""
    import numpy as np

    weights = np.where(links.phishing, 0.5 / links.phishing.mean(), 0.5 / (~links.phishing).mean())
    bins = np.minimum((scored * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for place in range(_BINS):
        inside = bins == place
        if inside.any():
            share = weights[inside].sum() / weights.sum()
            found = np.average(links.phishing[inside], weights=weights[inside])
            error += share * abs(found - np.average(scored[inside], weights=weights[inside]))
    return float(error)


def risk_shares(links: Sheet, scorer: Scorer) -> dict[Risk, float]:
    """Share of `links` at each risk, by all signs together and without any list."""
    found = Counter(link.risk for link in assess([s.url for s in links.samples], scorer=scorer))
    return {risk: found[risk] / len(links.samples) for risk in RISKS if risk != "listed"}


def _resampled(
    owners: Sequence[str], figure: Callable[[NDArray[np.float64]], float], resamples: int
) -> Estimate:
    """`figure` of all links, and its interval over samples of owners (cluster bootstrap)."""
    import numpy as np

    _, member = np.unique(owners, return_inverse=True)
    size = member.max() + 1
    rng = np.random.default_rng(1)
    drawn = [
        figure(np.bincount(rng.integers(size, size=size), minlength=size)[member].astype(float))
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(figure(np.ones(len(member))), float(low), float(high))
