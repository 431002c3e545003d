import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression

from errors import InputError
from policies.rulebook import Signal
from tools.classifier import open_classifier
from tools.classifier.features import Shape
from tools.classifier.tokens import forms
from training.classifier.__main__ import main
from training.classifier.encoders import Encoders, Remembering
from training.classifier.export import export
from training.classifier.groups import folds, groups
from training.classifier.learn import UNKNOWN, answers, mixed_weights
from training.classifier.measure import label_report
from training.classifier.metrics import (
    auc_score,
    average_precision_score,
    calibration_error,
    estimate,
    weighted_quantile,
)
from training.classifier.own_sentences import (
    FILLED_FILE,
    as_jsonl,
    fill_templates,
    own_sentences,
)
from training.classifier.rows import LABELS, Row, read_jsonl
from training.classifier.train import FOLDS, Trained, train

TOY_LABELS: tuple[Signal, ...] = ("spam", "violence")
WORDS = ("river", "garden", "friend", "coffee", "music", "train", "window", "paper", "bread")
LURES = ("buy cheap pills now", "win a free prize", "click for a discount", "best offer today")
THREATS = ("I will hurt you", "you will bleed", "I am coming to beat you", "we will break you")
SMALL = Shape(char_bits=14, word_bits=13)


def toy_rows() -> list[Row]:
    chance = random.Random(7)
    rows = []
    for number in range(240):
        filler = " ".join(chance.choices(WORDS, k=9))
        lure, threat = number % 3 == 1, number % 3 == 2
        extra = chance.choice(LURES) if lure else chance.choice(THREATS) if threat else ""
        known: dict[Signal, int] = {"spam": int(lure), "violence": int(threat)}
        rows.append(Row(f"toy-{number}", f"{filler} {extra} {number}", "own", known))
    return rows


class BagOfWords:
    """A small encoder that behaves like a real one: the same text, the same row."""

    name = "bag@1"

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = np.zeros((len(texts), 32), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for form in forms(text):
                row[sum(map(ord, form)) % 32] += 1
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
        return np.asarray(rows / lengths, dtype=np.float32)


ENCODERS = Encoders("bag@1", [BagOfWords()] * FOLDS)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(toy_rows(), TOY_LABELS, encoders=ENCODERS, shape=SMALL)


def test_training_learns_a_toy_set_end_to_end(trained: Trained, tmp_path: Path) -> None:
    export(trained.learned, tmp_path)
    for classifier in (
        open_classifier(folder=tmp_path),
        open_classifier(BagOfWords(), folder=tmp_path),
    ):
        bad, fine = classifier.score(["coffee win a free prize", "bread and music in the garden"])
        assert bad["spam"] > 0.5 > bad["violence"]
        assert max(fine.values()) < 0.5


def test_a_classifier_can_be_made_without_an_encoder(tmp_path: Path) -> None:
    alone = train(toy_rows(), TOY_LABELS, encoders=None, shape=SMALL)
    export(alone.learned, tmp_path)
    classifier = open_classifier(BagOfWords(), folder=tmp_path)
    bad, fine = classifier.score(["coffee win a free prize", "bread and music"])
    assert alone.encoded == {}
    assert bad["spam"] > 0.5 > fine["spam"]


def test_the_runtime_agrees_with_scikit_learn(trained: Trained, tmp_path: Path) -> None:
    export(trained.learned, tmp_path, precision=np.float32)
    material = trained.material
    texts = [row.text for row in material.rows]
    scores = open_classifier(folder=tmp_path).score(texts)
    for label in TOY_LABELS:
        known, recipe = answers(material.rows, label), trained.recipes[label]
        model = LogisticRegression(C=recipe.cost, max_iter=300, tol=1e-3)
        weight = mixed_weights(known, recipe.positives)
        model.fit(material.ngrams.whole, known.y, sample_weight=weight)
        reading = trained.plain[label].reading
        logits = model.decision_function(material.ngrams.whole) * reading.ngrams + reading.offset
        expected = 1 / (1 + np.exp(-logits))
        assert np.allclose([each[label] for each in scores], expected, atol=1e-5)


def test_the_same_rows_give_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(trained.learned, tmp_path / name)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_a_line_is_crossed_by_its_share_of_harmless_texts_at_most(trained: Trained) -> None:
    for unseen in (trained.plain["spam"], trained.encoded["spam"]):
        said = unseen.said[unseen.harmless]
        assert len(said) == 80
        assert (said > unseen.reading.line).mean() <= 0.01
        assert (said > unseen.reading.watch_line).mean() <= 0.05


def test_the_sentences_of_a_long_text_are_held_to_a_higher_line(
    trained: Trained, tmp_path: Path
) -> None:
    export(trained.learned, tmp_path)
    classifier = open_classifier(folder=tmp_path)
    reading = trained.plain["spam"].reading
    lure = "win a free prize and bread and music in the garden tonight."
    filler = "the quiet river runs by the old garden under a window. " * 20
    short, long = classifier.score([lure, f"{filler}\n{lure}\n{filler}"])
    assert reading.tail > 0
    assert long["spam"] < short["spam"]


class Constant:
    """An encoder that says the same number of every text, and counts how many it was asked."""

    name = "constant@1"

    def __init__(self, number: float) -> None:
        self.number, self.asked = number, 0

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += len(texts)
        return np.full((len(texts), 1), self.number, np.float32)


def test_a_text_is_encoded_by_the_encoder_that_has_not_seen_its_fold() -> None:
    encoders = Encoders("any", [Constant(0), Constant(1), Constant(2)])
    said = encoders.unseen(["a", "b", "a", "c"], np.asarray([2, 0, 1, 2]))
    assert said[:, 0].tolist() == [2, 0, 1, 2]


def test_an_encoder_is_asked_about_a_text_once(tmp_path: Path) -> None:
    first, second = Constant(1), Constant(1)
    said = Remembering(first, tmp_path / "kept" / "fold.npz").logits(["a", "b", "a"])
    again = Remembering(second, tmp_path / "kept" / "fold.npz").logits(["b", "c"])
    assert said[:, 0].tolist() == [1, 1, 1]
    assert again[:, 0].tolist() == [1, 1]
    assert (first.asked, second.asked) == (2, 1)


def test_what_another_encoder_said_is_not_remembered(tmp_path: Path) -> None:
    Remembering(Constant(1), tmp_path / "fold.npz").logits(["a"])
    other = Constant(2)
    other.name = "other@1"
    assert Remembering(other, tmp_path / "fold.npz").logits(["a"])[0, 0] == 2


def test_a_label_is_measured_with_an_interval(trained: Trained) -> None:
    report = label_report(trained.plain["spam"], trained.material.group)
    assert report.rows == 240
    assert report.positives == 80
    assert 0.9 < report.auc.value <= 1 + 1e-9
    assert report.auc.low <= report.auc.high


def test_training_without_data_says_how_to_name_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMICUS_DATA", raising=False)
    assert main([]) == 2
    assert "hint: Use --data DIR" in capsys.readouterr().err


def test_training_on_a_folder_without_data_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "no folds were named" in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "--out", str(tmp_path), "--no-encoder"]) == 1
    assert "hatexplain.jsonl: cannot be read" in capsys.readouterr().err


def test_an_unknown_label_is_not_an_absent_one() -> None:
    rows = [
        Row("a", "one", "s", {"spam": 1}),
        Row("b", "two", "s", {"spam": 0, "violence": 0}),
    ]
    assert answers(rows, "violence").y.tolist() == [UNKNOWN, 0]
    assert mixed_weights(answers(rows, "violence"), None)[0] == 0


def test_positives_get_their_share_of_the_weight() -> None:
    rows = [Row(str(n), str(n), "s", {"spam": int(n < 2)}) for n in range(10)]
    known = answers(rows, "spam")
    weight = mixed_weights(known, 0.3)
    assert weight[known.y == 1].sum() / weight.sum() == pytest.approx(0.3)


def test_near_duplicates_and_pairs_stay_on_one_side() -> None:
    long = "please call this number now to claim the prize that is waiting for you at home"
    rows = [
        Row("a", long + " 07700 900111", "s", {}),
        Row("b", long + " 07700 900222", "s", {}),
        Row("c", "a quiet evening with tea and an old book about ships and storms", "s", {}),
        Row("d", "x", "s", {}, group_keys=("pair:1",)),
        Row("e", "another text altogether, nothing like it", "s", {}, group_keys=("pair:1",)),
    ]
    group = groups(rows).tolist()
    assert group[0] == group[1]
    assert group[3] == group[4]
    assert len({group[0], group[2], group[3]}) == 3
    assert len(set(folds(groups(rows), 5)[[0, 1]].tolist())) == 1


def test_no_family_of_ours_is_both_trained_on_and_held_out() -> None:
    splits: dict[str, set[str]] = {}
    for sentence in own_sentences():
        splits.setdefault(sentence.family, set()).add(sentence.split)
    assert all(len(split) == 1 for split in splits.values())


def test_every_label_has_trained_and_held_out_sentences_of_ours() -> None:
    for split in ("train", "held"):
        held = {x for s in own_sentences() if s.split == split for x in s.labels}
        assert held == set(LABELS)


def test_no_held_out_sentence_is_in_the_training_part() -> None:
    texts: dict[str, set[str]] = {"train": set(), "held": set()}
    for sentence in own_sentences():
        texts[sentence.split].add(sentence.text.casefold())
    assert not texts["train"] & texts["held"]


def test_the_filled_templates_are_up_to_date() -> None:
    assert FILLED_FILE.read_text(encoding="utf-8") == as_jsonl(fill_templates())


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 1}\nnot json\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2"):
        list(read_jsonl(file))


def test_every_group_stands_in_the_same_sentences(tmp_path: Path) -> None:
    (tmp_path / "slots.txt").write_text("identity: Irish | deaf | Sikh\nname: Sam | Priya\n")
    (tmp_path / "templates_x.txt").write_text("## b | none | train\nA {identity} friend, {name}.\n")
    texts = [sentence.text for sentence in fill_templates(tmp_path)]
    assert [text.split(" friend")[0] for text in texts] == ["An Irish", "A deaf", "A Sikh"]


def test_a_third_of_the_groups_stands_in_a_template_for_everyone(tmp_path: Path) -> None:
    terms = ["Irish", "deaf", "Sikh", "queer", "Arab", "blind"]
    (tmp_path / "slots.txt").write_text(f"everyone: {' | '.join(terms)}\n")
    templates = [f"Template {number} on {{everyone}} people." for number in range(60)]
    told = "\n".join(templates)
    (tmp_path / "templates_x.txt").write_text(f"## b | none | train\n{told}\n")
    texts = [sentence.text for sentence in fill_templates(tmp_path)]
    assert len(texts) == 60 * 2
    often = [sum(term in text for text in texts) for term in terms]
    assert min(often) > 10


def test_an_unknown_slot_is_named(tmp_path: Path) -> None:
    (tmp_path / "slots.txt").write_text("name: Sam | Priya\n")
    (tmp_path / "templates_x.txt").write_text("## greeting | none | train\nHello {who}\n")
    with pytest.raises(InputError, match=r"templates_x\.txt:2: no slot is called 'who'"):
        fill_templates(tmp_path)


def test_metrics_agree_with_scikit_learn() -> None:
    from sklearn import metrics

    chance = np.random.default_rng(3)
    y = chance.integers(0, 2, 400)
    score = np.asarray(np.round(chance.random(400) * 0.6 + y * 0.3, 2), dtype=np.float64)
    weight = chance.random(400)
    assert auc_score(y, score, weight) == pytest.approx(
        metrics.roc_auc_score(y, score, sample_weight=weight)
    )
    assert average_precision_score(y, score, weight) == pytest.approx(
        metrics.average_precision_score(y, score, sample_weight=weight)
    )


def test_a_calibrated_score_has_a_small_error_and_a_boast_a_large_one() -> None:
    chance = np.random.default_rng(4)
    said = chance.random(20_000)
    y = (chance.random(20_000) < said).astype(np.int64)
    assert calibration_error(y, said, np.ones(20_000)) < 0.02
    assert calibration_error(y, np.ones(20_000), np.ones(20_000)) == pytest.approx(0.5, abs=0.02)


def test_an_interval_holds_its_value_and_widens_with_copies() -> None:
    chance = np.random.default_rng(5)
    y = chance.integers(0, 2, 100)
    score = chance.random(100) + y * 0.5
    alone = estimate(auc_score, y, score, group=np.arange(100))
    copied = estimate(auc_score, y, score, group=np.arange(100) // 10)
    assert alone.low < alone.value < alone.high
    assert copied.low < copied.value < copied.high


def test_the_quantile_leaves_its_share_above() -> None:
    score = np.arange(100.0)
    line = weighted_quantile(score, np.ones(100), 0.95)
    assert (score > line).mean() == pytest.approx(0.05)
