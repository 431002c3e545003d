"""How the classifier is calibrated and measured: lines, gaps between groups, splits."""

from __future__ import annotations

import numpy as np
import pytest

from training.classifier.calibrate import Calibration, calibrate, calibrate_parts, line, shifts
from training.classifier.fairness import Harmless
from training.classifier.learn import Answers, mixed_weights
from training.classifier.matrix import batched
from training.classifier.splits import plain_features

OWNER = np.asarray([0, 1, 1, 1, 1, 2])
"""Texts 0 and 2 are short; text 1 has three sentences beside its whole."""


def known(y: list[int], source: list[str] | None = None) -> Answers:
    return Answers("spam", np.asarray(y), np.asarray(source or ["own"] * len(y)))


def test_sentences_pay_for_being_many_and_whole_texts_do_not() -> None:
    assert shifts(OWNER).tolist() == pytest.approx([0, 0, *[np.log(3) / 3] * 3, 0])


def test_a_long_harmless_text_crosses_a_line_more_rarely_than_its_sentences_would() -> None:
    chance = np.random.default_rng(0)
    texts, parts = 2_000, 20
    owner = np.concatenate([np.arange(texts), np.repeat(np.arange(0, texts, 2), parts)])
    order = np.argsort(owner, kind="stable")
    logits = chance.exponential(size=(len(owner), 1))[order]
    y = (chance.random(texts) < 0.2).astype(int)
    logits[np.searchsorted(owner[order], np.flatnonzero(y))] += 4
    answers = known(y.tolist())

    fitted = calibrate_parts(logits, owner[order], answers, y == 0, 0.2)
    said = fitted.probability(logits, owner[order])
    threshold = line(said[y == 0], answers.source[y == 0], 0.05)

    unshifted = Calibration(fitted.platt, 0.0).probability(logits, owner[order])
    long = (np.arange(texts) % 2 == 0) & (y == 0)
    assert fitted.tail > 0
    assert (said[long] > threshold).mean() < (unshifted[long] > threshold).mean() - 0.1
    assert np.array_equal(said[1::2], unshifted[1::2])


def test_a_model_that_speaks_against_its_label_is_left_out() -> None:
    chance = np.random.default_rng(1)
    y = chance.integers(0, 2, 400)
    good = y + chance.normal(size=400)
    logits = np.stack([good, -good + chance.normal(size=400) * 3 - 2 * y], axis=1)

    fitted = calibrate(logits, known(y.tolist()), 0.5)

    assert fitted.slopes[0] > 0
    assert fitted.slopes[1] == 0


def test_a_set_can_be_given_more_weight() -> None:
    answers = known([1, 0, 0, 0], ["a", "a", "b", "b"])
    weight = mixed_weights(answers, None, sizes="full", emphasis=[("b", 3.0)])

    assert (weight / weight[0]).tolist() == pytest.approx([1, 1, 3, 3])


def test_the_gap_is_between_the_most_and_the_least_flagged_term() -> None:
    first = np.arange(100) < 50
    harmless = Harmless(["x"] * 100, {"one": first, "two": ~first})
    score = np.concatenate([np.arange(50.0), np.full(50, -1.0)])

    gap = harmless.gap(score)

    assert gap.highest_term == "one"
    assert gap.highest == pytest.approx(0.1)
    assert gap.lowest == 0
    assert gap.width == pytest.approx(0.1)
    assert harmless.rates((score > 24)[:, None])["one"].tolist() == [0.5]


def test_the_plain_model_sees_words_and_letters() -> None:
    learnt, asked = plain_features(["free money now", "free money here"], ["free money"])

    assert learnt.shape[1] == asked.shape[1]
    assert asked.nnz > 0


def test_texts_come_in_batches() -> None:
    assert list(batched(["a", "b", "c"], 2)) == [["a", "b"], ["c"]]
