"""Fit the weights and choose the lines, on folds of cases, and say how good they are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from agent.embedded.evidence import FEATURES
from agent.embedded.weighing import WeightsFile
from training.embedded.gather import Gathered

Floats = NDArray[np.float64]

FOLDS = 10
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Inverse L2 penalties that are tried."""

MOST_WRONG_REMOVALS = 0.03
MOST_MISSED = 0.05
"""The lines are put where, on the folds, no more than these shares are decided wrongly."""


@dataclass(frozen=True)
class Fitted:
    """The weights that ship, and what they reach on cases that they have not seen."""

    weights: WeightsFile
    strength: float
    log_loss: float
    top: Floats
    """For each case the probability of its likeliest section, out of fold."""
    violating: NDArray[np.bool_]
    """For each case whether a rule is broken."""


def fit(gathered: Gathered, *, seed: int = 0) -> Fitted:
    """Return the weights with the least log loss over folds of cases.

    All rows of a case fall into one fold. The probability is that of *one section* being broken;
    a case counts by its likeliest section.
    """
    terms = np.array([[row.features[name] for name in FEATURES] for row in gathered.rows])
    answers = np.array([row.answer for row in gathered.rows])
    owners = np.array([row.case for row in gathered.rows])
    folds = np.random.default_rng(seed).permutation(len(gathered.cases)) % FOLDS
    tried = {s: _out_of_fold(terms, answers, folds[owners], s) for s in STRENGTHS}
    losses = {s: _log_loss(probabilities, answers) for s, probabilities in tried.items()}
    strength = min(losses, key=lambda s: losses[s])
    violating = np.array([case.expected.decision == "violating" for case in gathered.cases])
    top = _top(tried[strength], owners, len(gathered.cases))
    model = _model(strength).fit(terms, answers)
    allowed_line, violating_line = lines(top, violating)
    weights = WeightsFile(
        intercept=round(float(model.intercept_[0]), 5),
        weights={
            name: round(float(w), 5) for name, w in zip(FEATURES, model.coef_[0], strict=True)
        },
        violating_line=violating_line,
        allowed_line=allowed_line,
        about="python -m training.embedded; see CARD.md",
    )
    return Fitted(weights, strength, losses[strength], top, violating)


def _model(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=5000)


def _out_of_fold(
    terms: Floats, answers: NDArray[np.bool_], folds: NDArray[np.int64], strength: float
) -> Floats:
    probabilities = np.zeros(len(answers))
    for fold in range(FOLDS):
        held = folds == fold
        model = _model(strength).fit(terms[~held], answers[~held])
        probabilities[held] = model.predict_proba(terms[held])[:, 1]
    return probabilities


def _log_loss(probabilities: Floats, answers: NDArray[np.bool_]) -> float:
    bounded = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return float(-np.mean(np.where(answers, np.log(bounded), np.log(1 - bounded))))


def _top(probabilities: Floats, owners: NDArray[np.int64], cases: int) -> Floats:
    top = np.zeros(cases)
    np.maximum.at(top, owners, probabilities)
    return top


def lines(top: Floats, violating: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the lines under which a case is allowed and from which on it is violating.

    The lower one is the highest under which at most `MOST_MISSED` of the violating cases lie, the
    upper one the lowest above which at most `MOST_WRONG_REMOVALS` of the allowed cases lie.
    """
    allowed = float(np.quantile(top[violating], MOST_MISSED, method="lower"))
    removed = float(np.quantile(top[~violating], 1 - MOST_WRONG_REMOVALS, method="higher"))
    lower = np.floor(allowed * 1000) / 1000
    upper = np.ceil(removed * 1000) / 1000 + 0.001
    return round(float(min(lower, upper)), 3), round(float(max(lower, upper)), 3)


def shares(top: Floats, violating: NDArray[np.bool_], lines: Sequence[float]) -> dict[str, float]:
    """Return how the cases fall between the lines, as shares of all, allowed or violating ones."""
    lower, upper = lines
    removed, passed = top >= upper, top < lower
    return {
        "decided": float(np.mean(removed | passed)),
        "decided right": float(np.mean((removed & violating) | (passed & ~violating))),
        "wrongly removed": float(np.mean(removed[~violating])),
        "wrongly allowed": float(np.mean(passed[violating])),
    }
