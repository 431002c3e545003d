"""Fit what a model's confidence is worth, on the outcomes of a run over golden cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.llm.calibration import Calibration, logit
from errors import InputError
from evals.metrics.calibration import expected_calibration_error
from evals.outcome import Outcome, clusters_of

LEAST_CASES = 60
"""With fewer decided cases a line would say more than anybody knows."""
FOLDS = 5
_STEPS = 50
_CLOSE = 1e-9
_PRIOR = 1.0
"""Weight of the belief that what the model says is what it is worth (a ridge around it)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line over logits."""

    slope: float
    offset: float

    def of(self, logits: Floats) -> Floats:
        """Return probabilities."""
        worth: Floats = 1 / (1 + np.exp(-(self.slope * logits + self.offset)))
        return worth


def fitted(outcomes: Sequence[Outcome], *, model: str, golden: str) -> Calibration:
    """Return what the confidence of `model` is worth.

    The error after is measured by folds: families of cases that fitted a line do not judge it.

    Args:
        outcomes: What a run came to; abstentions say nothing about confidence.
        model: The name of the model, as verdicts have it.
        golden: The hash of the golden cases.

    Raises:
        InputError: There are too few decided cases, or all of them were right, or none.
    """
    decided = [outcome for outcome in outcomes if outcome.decided != "abstain"]
    if len(decided) < LEAST_CASES:
        raise InputError(
            f"{len(decided)} decided cases say too little about confidence",
            hint=f"run at least {LEAST_CASES - len(decided)} more that the model decides",
        )
    right = np.array([outcome.decided == outcome.expected for outcome in decided], dtype=float)
    if right.min() == right.max():
        raise InputError(
            "every decided case was right, or every one wrong: nothing to fit a line to",
            hint="take a golden set that is harder, or check its answers",
        )
    stated = np.array([outcome.confidence for outcome in decided])
    logits = np.array([logit(confidence) for confidence in stated])
    families = _folds(clusters_of(decided))
    held_out = np.zeros(len(decided))
    for fold in range(FOLDS):
        inside = families != fold
        held_out[~inside] = fit_line(logits[inside], right[inside]).of(logits[~inside])
    line = fit_line(logits, right)
    truths = [bool(value) for value in right]
    return Calibration(
        model=model,
        golden=golden,
        cases=len(decided),
        slope=line.slope,
        offset=line.offset,
        error_before=round(expected_calibration_error(truths, stated.tolist()), 4),
        error_after=round(expected_calibration_error(truths, held_out.tolist()), 4),
    )


def fit_line(logits: Floats, right: Floats) -> Line:
    """Return the line that makes the outcomes most likely, by Newton's method.

    The slope is held at 0 or above, so that surer is never less likely.
    """
    design = np.column_stack([logits, np.ones_like(logits)])
    believed = np.array([1.0, 0.0])

    def cost(weights: Floats) -> float:
        said = design @ weights
        misfit = float(np.sum(np.logaddexp(0.0, said) - right * said))
        return misfit + _PRIOR * float(np.sum((weights - believed) ** 2)) / 2

    weights = believed.copy()
    for _ in range(_STEPS):
        worth = 1 / (1 + np.exp(-(design @ weights)))
        slope = design.T @ (worth - right) + _PRIOR * (weights - believed)
        curve = (design.T * (worth * (1 - worth))) @ design + _PRIOR * np.eye(2)
        step = np.linalg.solve(curve, slope)
        while cost(weights - step) > cost(weights) and float(np.abs(step).max()) > _CLOSE:
            step = step / 2  # Newton's step may overshoot where the curve is flat
        weights = weights - step
        if float(np.abs(step).max()) < _CLOSE:
            break
    if weights[0] < 0:
        share = (right.sum() + 1) / (len(right) + 2)
        return Line(0.0, float(np.log(share / (1 - share))))
    return Line(float(weights[0]), float(weights[1]))


def _folds(clusters: Sequence[str]) -> NDArray[np.intp]:
    """The fold of each case; a family stays together."""
    order = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return np.array([order[name] % FOLDS for name in clusters], dtype=np.intp)
