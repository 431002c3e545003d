"""From log-odds to probabilities and lines, on texts that no detector had learnt from."""

from __future__ import annotations

import numpy as np

from training.classifier.calibrate import Platt, calibrate, line
from training.classifier.train import BASE_RATE, LINES
from training.injection.measure import Unseen
from training.injection.rows import Reals


def reading(unseen: Unseen) -> dict[str, float]:
    """Return slope, offset and lines, as `config.json` keeps them.

    Platt's sigmoid, rows weighted to 20 % positives and sets by the root of their size; the lines
    are those shares of harmless texts, every set counting alike (models/classifier/CARD.md).
    """
    known = unseen.texts.known
    fitted = calibrate(unseen.log_odds[:, None], known, BASE_RATE)
    rounded = Platt((round(fitted.slopes[0], 5),), round(fitted.offset, 5))
    said = rounded.probability(unseen.log_odds[:, None])
    fine = unseen.texts.harmless
    lines = {name: line(said[fine], known.source[fine], share) for name, share in LINES.items()}
    return {"slope": rounded.slopes[0], "offset": rounded.offset, **lines}


def unseen_probabilities(unseen: Unseen) -> Reals:
    """Return each text's probability, by the calibration that was fitted without its fold."""
    said = np.zeros(len(unseen.log_odds))
    for fold in np.unique(unseen.texts.fold).tolist():
        here = unseen.texts.fold == fold
        fitted = calibrate(unseen.log_odds[:, None], unseen.texts.known.only(~here), BASE_RATE)
        said[here] = fitted.probability(unseen.log_odds[here, None])
    return said
