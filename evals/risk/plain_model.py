"""A plain classifier, fitted where a measurement needs one that has not seen its cases.

Logistic regression over hashed words and parts of words, by AdaGrad (Duchi et al. 2011). It is no
good model and need not be: what is measured is the claim that is made about it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Features = NDArray[np.intp]

_SLOTS = 1 << 17
_PARTS = (3, 4, 5)
_EPOCHS = 6
_RATE = 0.3
_SHRINK = 1e-6


def features(text: str) -> Features:
    """Return the slots of a text: its words, pairs of words and parts of words."""
    words = text.lower().split()
    told = [f"w{word}" for word in words]
    told += [f"p{first} {second}" for first, second in pairwise(words)]
    run = f" {' '.join(words)} "
    told += [run[at : at + size] for size in _PARTS for at in range(len(run) - size + 1)]
    return np.unique(np.array([zlib.crc32(one.encode()) % _SLOTS for one in told], dtype=np.intp))


def fit(texts: Sequence[Features], truths: Sequence[bool], *, seed: int) -> Floats:
    """Return the weights; the last one is the offset."""
    rng = np.random.default_rng(seed)
    weights, grown = np.zeros(_SLOTS + 1), np.full(_SLOTS + 1, 1e-6)
    for _ in range(_EPOCHS):
        for at in rng.permutation(len(texts)):
            slots = np.append(texts[at], _SLOTS)
            scale = 1 / np.sqrt(len(slots))
            told = 1 / (1 + np.exp(-weights[slots].sum() * scale))
            slope = (told - truths[at]) * scale + _SHRINK * weights[slots]
            grown[slots] += slope**2
            weights[slots] -= _RATE * slope / np.sqrt(grown[slots])
    return weights


def logits(weights: Floats, texts: Sequence[Features]) -> Floats:
    """Return the logit of each text."""
    return np.array(
        [(weights[slots].sum() + weights[_SLOTS]) / np.sqrt(len(slots) + 1) for slots in texts]
    )
