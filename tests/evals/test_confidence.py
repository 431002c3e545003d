"""A stated confidence is worth what golden cases say it is worth."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from agent.llm.calibration import Calibration, logit, read_calibration, write_calibration
from agent.verdict import Draft
from errors import InputError, SettingsError
from evals.confidence import fit_line, fitted
from evals.outcome import Outcome


def outcomes(cases: int, *, stated: float = 0.95, right: float = 0.75) -> list[Outcome]:
    draw = random.Random(1)
    return [
        Outcome(
            "violating",
            "violating" if draw.random() < right else "allowed",
            confidence=min(0.999, max(0.5, draw.gauss(stated, 0.03))),
            case_id=f"c-{number}",
        )
        for number in range(cases)
    ]


def test_a_model_that_is_too_sure_of_itself_is_corrected() -> None:
    line = fitted(outcomes(400), model="openai:m@x", golden="g")

    assert line.cases == 400
    assert line.of(0.95) == pytest.approx(0.75, abs=0.06)
    assert line.error_after < 0.1 < line.error_before


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (outcomes(20), "20 decided cases say too little"),
        ([Outcome("allowed", "abstain", confidence=0.0)] * 500, "0 decided cases"),
        (outcomes(100, right=1.0), "every decided case was right"),
    ],
)
def test_too_little_to_learn_from_is_said(seen: list[Outcome], told: str) -> None:
    with pytest.raises(InputError, match=told):
        fitted(seen, model="m", golden="g")


def test_the_line_is_that_of_a_logistic_regression() -> None:
    draw = np.random.default_rng(3)
    logits = draw.normal(1.0, 1.5, 5_000)
    right = (draw.random(5_000) < 1 / (1 + np.exp(-(0.6 * logits - 0.3)))).astype(float)
    line = fit_line(logits, right)
    theirs = LogisticRegression(C=1e9).fit(logits.reshape(-1, 1), right)

    assert line.slope == pytest.approx(float(theirs.coef_[0, 0]), abs=0.01)
    assert line.offset == pytest.approx(float(theirs.intercept_[0]), abs=0.01)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60))
def test_surer_is_never_worth_less(told: list[tuple[float, bool]]) -> None:
    logits = np.array([logit(stated) for stated, _ in told])
    line = fit_line(logits, np.array([float(right) for _, right in told]))
    worth = line.of(np.sort(logits))

    assert np.all(np.diff(worth) >= -1e-12)
    assert np.all((worth > 0) & (worth < 1))


def test_a_line_is_kept_by_model_and_an_abstention_stays_as_it_is(tmp_path: Path) -> None:
    fields = {"golden": "g", "cases": 9, "error_before": 0.2, "error_after": 0.1}
    line = Calibration(model="openai:a@x", slope=0.5, offset=0.0, **fields)
    write_calibration(tmp_path, line)
    write_calibration(tmp_path, line.model_copy(update={"model": "openai:b@x", "slope": 1.0}))
    draft = Draft(decision="allowed", confidence=0.9, rationale="r", counterargument="c")
    abstained = draft.model_copy(update={"decision": "abstain", "abstain_reason": "policy_gap"})

    assert read_calibration(tmp_path, "openai:a@x") == line
    assert read_calibration(tmp_path, "openai:c@x") is None
    assert line.applied(draft).confidence == 0.75
    assert line.applied(abstained).confidence == 0.9


def test_a_broken_file_of_lines_is_named(tmp_path: Path) -> None:
    (tmp_path / "confidence.json").write_text('{"lines": 3}')

    with pytest.raises(SettingsError, match=r"confidence\.json"):
        read_calibration(tmp_path, "m")
