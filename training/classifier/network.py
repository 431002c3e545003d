"""A small network over sentence vectors: one hidden layer that all labels share.

Labels that few texts carry learn from those that many carry, because the layer is the same. A label
that is unknown of a row says nothing about it: its error there weighs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.classifier.weights import Network

Reals = npt.NDArray[np.float32]
_BETAS = (0.9, 0.999)
_TINY = 1e-8


@dataclass(frozen=True)
class Schooling:
    """How the network is fitted: Adam with decoupled decay, the rate falling as a cosine."""

    units: int = 256
    rounds: int = 14
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.1
    dropout: float = 0.2
    seed: int = 0


def fit_network(
    rows: Reals, answers: Reals, weight: Reals, schooling: Schooling | None = None
) -> Network:
    """Fit the network to `rows` (texts by dimensions) and `answers`, `weight` (texts by labels)."""
    how = schooling or Schooling()
    chance = np.random.default_rng(how.seed)
    parameters = _start(chance, rows.shape[1], how.units, answers.shape[1])
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    steps = how.rounds * -(-len(rows) // how.batch)
    step = 0
    for _ in range(how.rounds):
        order = chance.permutation(len(rows))
        for start in range(0, len(rows), how.batch):
            step += 1
            some = order[start : start + how.batch]
            kept = chance.random((len(some), how.units)) > how.dropout
            slopes = _slopes(
                parameters, rows[some], answers[some], weight[some], kept / (1 - how.dropout)
            )
            rate = how.rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            for index, slope in enumerate(slopes):
                parameters[index] = _moved(
                    parameters[index], slope, moments[index], step, rate, how.decay
                )
    return Network(*parameters)


def _start(chance: np.random.Generator, width: int, units: int, labels: int) -> list[Reals]:
    return [
        chance.normal(0, (2 / width) ** 0.5, (width, units)).astype(np.float32),
        np.zeros(units, np.float32),
        chance.normal(0, units**-0.5, (units, labels)).astype(np.float32),
        np.zeros(labels, np.float32),
    ]


def _slopes(
    parameters: list[Reals], x: Reals, y: Reals, weight: Reals, kept: npt.NDArray[np.float64]
) -> list[Reals]:
    """Return the slope of the weighted cross-entropy by each parameter."""
    hidden, hidden_bias, out, out_bias = parameters
    before = x @ hidden + hidden_bias
    active = (np.maximum(before, 0) * kept).astype(np.float32)
    said = 1 / (1 + np.exp(-(active @ out + out_bias)))
    error = ((said - y) * weight / len(x)).astype(np.float32)
    back = ((error @ out.T) * kept * (before > 0)).astype(np.float32)
    return [x.T @ back, back.sum(axis=0), active.T @ error, error.sum(axis=0)]


def _moved(  # noqa: PLR0913, PLR0917 - Adam has that many terms
    value: Reals, slope: Reals, moments: tuple[Reals, Reals], step: int, rate: float, decay: float
) -> Reals:
    """Move a parameter one step of Adam (Kingma 2015) with decoupled decay (Loshchilov 2019)."""
    mean, square = moments
    mean *= _BETAS[0]
    mean += (1 - _BETAS[0]) * slope
    square *= _BETAS[1]
    square += (1 - _BETAS[1]) * slope**2
    move = (mean / (1 - _BETAS[0] ** step)) / (np.sqrt(square / (1 - _BETAS[1] ** step)) + _TINY)
    fade = decay * value if value.ndim > 1 else 0.0
    moved: Reals = (value - rate * (move + fade)).astype(np.float32)
    return moved
