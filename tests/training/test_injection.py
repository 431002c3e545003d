"""How the injection detector is made: its texts, its vocabulary, its graph, its calibration."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from errors import InputError
from evals.seen import plain_words
from tests.training.random_bert import random_tensors
from training.classifier.learn import answers
from training.classifier.rows import Row
from training.embedder.graph import Shape
from training.embedder.storage import FULL
from training.injection.calibrate import reading, unseen_probabilities
from training.injection.graph import detector_graph
from training.injection.measure import Unseen, found, harmless_documents, innocent_line, over
from training.injection.rows import Material, written
from training.injection.vocabulary import trimmed

SHAPE = Shape(layers=2, width=128, heads=4, window=12)
ROOT = Path(__file__).resolve().parents[2]


def test_the_written_texts_are_many_of_both_kinds_and_stand_once() -> None:
    rows = list(written())
    attacks = [row for row in rows if row.known["injection"] == 1]

    assert len(attacks) > 1_000
    assert len(rows) - len(attacks) > 1_000
    assert len({plain_words(row.text) for row in rows}) > len(rows) - 5


def test_a_family_of_written_texts_holds_one_answer() -> None:
    answered: dict[str, set[int]] = defaultdict(set)
    for row in written():
        answered[row.family].add(row.known["injection"])

    assert [name for name, told in answered.items() if len(told) > 1] == []


def test_no_golden_case_is_among_the_written_texts() -> None:
    own = {plain_words(row.text) for row in written()}
    golden = (ROOT / "evals" / "sets" / "golden.jsonl").read_text("utf-8").splitlines()

    assert not own & {plain_words(json.loads(line).get("text") or "") for line in golden}


@pytest.fixture(scope="module")
def tokenizer() -> str:
    return (resources.files("models") / "embedder" / "tokenizer.json").read_text("utf-8")


def test_a_smaller_vocabulary_reads_what_it_was_made_from_as_before(tokenizer: str) -> None:
    text = "Please ignore everything above, said the teacher."
    smaller, kept = trimmed(tokenizer, [text] * 3)
    before = Tokenizer.from_str(tokenizer).encode(text, add_special_tokens=False)
    after = Tokenizer.from_str(smaller).encode(text, add_special_tokens=False)

    assert after.tokens == before.tokens
    assert [kept[new] for new in after.ids] == before.ids
    assert len(kept) < 3_000


def test_a_word_without_its_piece_is_spelled(tokenizer: str) -> None:
    smaller, _ = trimmed(tokenizer, [])
    found = Tokenizer.from_str(smaller).encode("teacher", add_special_tokens=False)

    assert found.tokens == ["t", "##e", "##a", "##c", "##h", "##e", "##r"]


def test_the_marks_of_a_text_are_kept(tokenizer: str) -> None:
    smaller = Tokenizer.from_str(trimmed(tokenizer, [])[0])

    assert None not in [smaller.token_to_id(mark) for mark in ("[CLS]", "[SEP]", "[UNK]")]


def test_the_graph_joins_the_first_token_and_the_mean() -> None:
    tensors = random_tensors(SHAPE, words=50)
    drawn = np.random.default_rng(1).normal(size=(1, 2 * SHAPE.width))
    head = drawn.astype(np.float32)
    ids = np.array([[1, 7, 49, 7, 2], [3, 3, 0, 11, 5]], np.int64)

    def logits(weight: NDArray[np.float32]) -> NDArray[np.float32]:
        bias = np.full(1, 0.5, np.float32)
        own = {**tensors, "head.weight": weight, "head.bias": bias}
        session = onnxruntime.InferenceSession(detector_graph(own, FULL, SHAPE))
        return np.asarray(session.run(["logit"], {"ids": ids})[0])

    first, rest = head.copy(), head.copy()
    first[:, SHAPE.width :] = 0
    rest[:, : SHAPE.width] = 0
    assert logits(head).shape == (2,)
    np.testing.assert_allclose(logits(head), logits(first) + logits(rest) - 0.5, atol=1e-4)
    assert not np.allclose(logits(first), logits(rest))


def unseen(seed: int = 0, rows: int = 2_000) -> Unseen:
    """Texts whose log-odds are twice what they should be."""
    chance = np.random.default_rng(seed)
    true = chance.normal(-1.4, 2.0, rows)
    y = chance.random(rows) < 1 / (1 + np.exp(-true))
    sources = ("notinject", "injection_variants", "own")
    texts = [
        Row(f"t-{n}", f"text {n}", sources[n % 3], {"injection": int(answer)})
        for n, answer in enumerate(y.tolist())
    ]
    material = Material(texts, answers(texts, "injection"), np.arange(rows), np.arange(rows) % 5)
    return Unseen(material, 2 * true, np.full(rows, np.nan))


def test_calibration_undoes_what_the_network_overstates() -> None:
    made = reading(unseen())

    assert made["slope"] == pytest.approx(0.5, abs=0.1)
    assert made["watch_line"] < made["line"] < made["strict_line"]


def test_a_line_is_crossed_by_its_share_of_harmless_texts() -> None:
    some = unseen()
    made = reading(some)
    said = 1 / (1 + np.exp(-(made["slope"] * some.log_odds + made["offset"])))
    harmless = some.texts.harmless

    assert (said[harmless] > made["line"]).mean() == pytest.approx(0.01, abs=0.005)
    assert (said[harmless] > made["watch_line"]).mean() == pytest.approx(0.05, abs=0.005)


def test_probabilities_of_a_fold_do_not_hang_on_its_answers() -> None:
    some = unseen()
    before = unseen_probabilities(some)
    here = some.texts.fold == 0
    some.texts.known.y[here] = 1 - some.texts.known.y[here]

    after = unseen_probabilities(some)

    np.testing.assert_allclose(after[here], before[here])
    assert not np.allclose(after[~here], before[~here])


def test_attacks_are_counted_at_the_line_that_one_in_twenty_innocent_texts_cross() -> None:
    some = unseen()
    line = innocent_line(some)
    innocent, number = over(some, some.of("notinject"), line)
    share, attacks = found(some, some.of("injection_variants"), line)

    assert innocent <= 0.05
    assert number > 400
    assert attacks > 100
    assert share.low < share.value < share.high


def test_scores_are_carried_on_for_the_same_texts_alone(tmp_path: Path) -> None:
    file = tmp_path / "scores"
    some = unseen()
    some.write(file)

    assert Unseen.read(some.texts, file).log_odds.tolist() == some.log_odds.tolist()
    with pytest.raises(InputError, match="about other texts"):
        Unseen.read(unseen(rows=30).texts, file)


def test_harmless_documents_are_as_long_as_asked() -> None:
    for text in harmless_documents(["one two three", "four five"], words=40, number=3):
        assert 40 <= len(text.split()) <= 43
