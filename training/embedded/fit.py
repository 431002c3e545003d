"""Fit the weights and choose the lines, on folds of cases, and say how good they are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from agent.embedded.evidence import CASE_FEATURES, FEATURES, STEEPEST
from agent.embedded.posture import Posture
from agent.embedded.weighing import WeightsFile
from training.embedded.gather import Gathered
from training.embedded.posture import fit_posture, out_of_fold

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FOLDS = 10
SECTION_STRENGTH = 10.0
CASE_STRENGTH = 1.0
"""Inverse L2 penalties of the two models."""

MOST_WRONG_REMOVALS = 0.05
MOST_MISSED = 0.05
"""The lines are put where, on the folds, no more than these shares are decided wrongly."""


@dataclass(frozen=True)
class Fitted:
    """The weights that ship, and what they reach on cases that they have not seen."""

    weights: WeightsFile
    posture: Posture
    probability: Floats
    """For each case that it breaks a rule, out of fold."""
    violating: Bools
    """For each case whether it does."""
    right_section: Bools
    """For each case whether its likeliest section, out of fold, is an answer."""


@dataclass(frozen=True)
class _Table:
    """The evidence as arrays: a row for a section in a case."""

    terms: Floats
    answers: Bools
    owners: Ints
    cases: int

    def best(self, weights: Floats, of: Bools) -> tuple[Floats, Bools]:
        """For the chosen cases what their likeliest section adds up to, and whether it answers."""
        near, right = np.zeros(self.cases), np.zeros(self.cases, bool)
        for case in np.flatnonzero(of):
            rows = np.flatnonzero(self.owners == case)
            if len(rows):
                sums = self.terms[rows] @ weights
                near[case], right[case] = sums.max(), self.answers[rows[sums.argmax()]]
        return near, right


def fit(gathered: Gathered, *, seed: int = 0) -> Fitted:
    """Return the weights, and what they reach on folds of cases.

    The weights of sections are those of a conditional logit (McFadden 1974): among the sections
    that were shown for a violating case, an answer should add up to the most. The weights of cases
    are a logistic regression over that sum, the posture and the loudest label.
    """
    table = _table(gathered)
    violating = np.array([case.expected.decision == "violating" for case in gathered.cases])
    folds = np.random.default_rng(seed).permutation(table.cases) % FOLDS
    hard = np.array([case.slices.get("kind") != "everyday" for case in gathered.cases])
    postures = _postures(gathered, folds, hard)
    near, right = np.zeros(table.cases), np.zeros(table.cases, bool)
    for fold in range(FOLDS):
        held = folds == fold
        fold_near, fold_right = table.best(_section_weights(table, violating & ~held), held)
        near, right = near + fold_near, right | fold_right
    terms = _case_terms(near, postures, gathered)
    probability = np.zeros(table.cases)
    for fold in range(FOLDS):
        held = folds == fold
        model = _case_model().fit(terms[~held], violating[~held])
        probability[held] = model.predict_proba(terms[held])[:, 1]
    # The everyday texts would make the lines look safer than they are where it is hard.
    allowed_line, violating_line = lines(probability[hard], violating[hard])
    final = _case_model().fit(terms, violating)
    weights = WeightsFile(
        section=_named(FEATURES, _section_weights(table, violating)),
        case=_named(CASE_FEATURES, final.coef_[0]),
        intercept=round(float(final.intercept_[0]), 5),
        violating_line=violating_line,
        allowed_line=allowed_line,
        about="python -m training.embedded; see CARD.md",
    )
    hard_examples = [e for e, is_hard in zip(gathered.examples, hard, strict=True) if is_hard]
    posture = fit_posture([*hard_examples, *gathered.others])
    return Fitted(weights, posture, probability[hard], violating[hard], right[hard])


def _postures(gathered: Gathered, folds: Ints, hard: Bools) -> Floats:
    """The posture of every case, told by weights that have not seen it.

    Everyday texts are never learnt from as cases: others of their kind are among the examples.
    """
    learnt = [e for e, is_hard in zip(gathered.examples, hard, strict=True) if is_hard]
    told = np.zeros(len(gathered.cases))
    told[hard] = out_of_fold(learnt, gathered.others, folds[hard])
    final = fit_posture([*learnt, *gathered.others])
    for case in np.flatnonzero(~hard):
        example = gathered.examples[case]
        told[case] = final.log_odds(example.text, example.vector)
    return told


def _table(gathered: Gathered) -> _Table:
    rows = gathered.rows
    return _Table(
        terms=np.array([[row.features[name] for name in FEATURES] for row in rows]),
        answers=np.array([row.answer for row in rows]),
        owners=np.array([row.case for row in rows]),
        cases=len(gathered.cases),
    )


def _case_terms(near: Floats, postures: Floats, gathered: Gathered) -> Floats:
    """The terms of each case in the order of `CASE_FEATURES`."""
    bounded = np.clip(postures, -STEEPEST, STEEPEST) / STEEPEST
    return np.column_stack([near, np.array(gathered.read), bounded, np.array(gathered.loudest)])


def _case_model() -> LogisticRegression:
    return LogisticRegression(C=CASE_STRENGTH, max_iter=5000)


def _section_weights(table: _Table, of: Bools) -> Floats:
    """The weights under which the answers of the chosen cases are the likeliest sections."""
    groups = [
        (table.terms[rows], table.answers[rows])
        for case in np.flatnonzero(of)
        if table.answers[rows := np.flatnonzero(table.owners == case)].any()
    ]

    def loss(weights: Floats) -> float:
        likelihood = sum(
            logsumexp((terms @ weights)[answers]) - logsumexp(terms @ weights)
            for terms, answers in groups
        )
        return float(weights @ weights / (2 * SECTION_STRENGTH) - likelihood)

    found: Floats = minimize(loss, np.zeros(len(FEATURES))).x
    return found


def _named(names: Sequence[str], weights: Floats) -> dict[str, float]:
    return {name: round(float(w), 5) for name, w in zip(names, weights, strict=True)}


def lines(probability: Floats, violating: Bools) -> tuple[float, float]:
    """Return the lines under which a case is allowed and from which on it is violating.

    The lower one is the highest under which at most `MOST_MISSED` of the violating cases lie, the
    upper one the lowest above which at most `MOST_WRONG_REMOVALS` of the allowed cases lie.
    """
    allowed = float(np.quantile(probability[violating], MOST_MISSED, method="lower"))
    removed = float(np.quantile(probability[~violating], 1 - MOST_WRONG_REMOVALS, method="higher"))
    lower = np.floor(allowed * 1000) / 1000
    upper = np.ceil(removed * 1000) / 1000 + 0.001
    return round(float(min(lower, upper)), 3), round(float(max(lower, upper)), 3)


def shares(probability: Floats, violating: Bools, between: tuple[float, float]) -> dict[str, float]:
    """Return how the cases fall between the lines, as shares of all, allowed or violating ones."""
    lower, upper = between
    removed, passed = probability >= upper, probability < lower
    return {
        "decided": float(np.mean(removed | passed)),
        "decided right": float(np.mean((removed & violating) | (passed & ~violating))),
        "wrongly removed": float(np.mean(removed[~violating])),
        "wrongly allowed": float(np.mean(passed[violating])),
    }
