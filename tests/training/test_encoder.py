"""How the encoder of labels is made: what its heads are told, its graph, how it learns."""

from __future__ import annotations

import random
import re
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from tests.training.random_bert import random_tensors
from training.classifier.rows import LABELS, Row
from training.embedder.graph import Shape
from training.embedder.storage import FULL
from training.encoder.graph import encoder_graph
from training.encoder.heads import ASSUMED, HEADS, SHARED, told
from training.encoder.rows import ON_EMOJI
from training.encoder.swap import Swap

SHAPE = Shape(layers=2, width=128, heads=4, window=12)


def place(label: str, source: str = "") -> int:
    return [*HEADS].index((label, source))  # type: ignore[arg-type]


def test_there_is_a_head_for_each_label_and_each_once() -> None:
    assert [label for label, source in HEADS if not source] == list(LABELS)
    assert len(set(HEADS)) == len(HEADS)


def test_an_answer_goes_to_the_head_of_its_label_and_to_that_of_its_set() -> None:
    rows = [
        Row("1", "a", "hatemoji", {"hate": 1}),
        Row("2", "b", "own", {"hate": 0, "spam": 1}),
        Row("3", "c", "sms_spam", {"spam": 0, "scam": 0}, assumed=frozenset({"scam"})),
    ]
    found = told(rows)
    shared, own = place("hate"), place("hate", "hatemoji")
    assert found.y[0, [shared, own]].tolist() == [1, 1]
    assert found.weight[0, [shared, own]].tolist() == [SHARED, 1]
    assert found.weight[1, [shared, own, place("spam")]].tolist() == [1, 0, 1]
    assert found.y[1, [shared, place("spam")]].tolist() == [0, 1]
    assert found.weight[2, place("scam")] == pytest.approx(ASSUMED)
    assert found.weight[2].sum() == pytest.approx(1 + ASSUMED)


def test_a_harmless_sentence_of_ours_is_harmless_in_the_sense_of_every_set() -> None:
    none = dict.fromkeys(LABELS, 0)
    rows = [
        Row("1", "a", "own", none),
        Row("2", "b", "own", {**none, "spam": 1}),
        Row("3", "c", "own", {label: 0 for label in LABELS if label != "hate"}),
        Row("4", "d", ON_EMOJI, {"hate": 1}),
    ]
    found = told(rows)
    of_sets = slice(len(LABELS), None)
    assert not found.y[0].any()
    assert (found.weight[0, of_sets] == SHARED).all()
    assert not found.weight[1:3, of_sets].any()
    assert found.y[3, place("hate", "hatemoji")] == found.weight[3, place("hate", "hatemoji")] == 1


def test_another_group_stands_wherever_the_same_one_stood() -> None:
    swap, chance = Swap(), random.Random(0)
    text = "Deaf bakers sing. DEAF choirs, too; straight on, women!"
    assert swap.names(text)
    found = {swap.swapped(text, chance) for _ in range(50)}
    for other in found:
        first, second = re.findall(r"(.+) bakers sing. (.+) choirs", other)[0]
        assert first == second
        assert "straight on, " in other
    assert len(found) > 20
    assert not swap.names("straight on, whitewash and a blinding light")


def test_the_graph_has_a_number_for_each_head() -> None:
    tensors = random_tensors(SHAPE, words=50)
    drawn = np.random.default_rng(1).normal(size=(3, 2 * SHAPE.width)).astype(np.float32)
    ids = np.array([[1, 7, 49, 7, 2], [3, 3, 0, 11, 5]], np.int64)

    def logits(weight: NDArray[np.float32]) -> NDArray[np.float32]:
        own = {**tensors, "head.weight": weight, "head.bias": np.arange(3, dtype=np.float32)}
        session = onnxruntime.InferenceSession(encoder_graph(own, FULL, SHAPE))
        return np.asarray(session.run(["logits"], {"ids": ids})[0])

    found = logits(drawn)
    assert found.shape == (2, 3)
    np.testing.assert_allclose(logits(drawn[[2, 1, 0]])[:, 1], found[:, 1], atol=1e-4)
    np.testing.assert_allclose(logits(drawn[[2, 1, 0]])[:, 0], found[:, 2] - 2, atol=1e-4)


def test_a_small_encoder_learns_and_the_folder_opens_as_the_product_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer

    from retrieval.encoder import open_label_encoder
    from training.encoder.export import write_folder
    from training.encoder.learn import learn
    from training.encoder.network import Encoder
    from training.injection.vocabulary import trimmed
    from training.reader.network import Reader, published

    torch.manual_seed(0)
    rows = [
        Row(f"{n}", f"{'win a prize' if n % 2 else 'see you at home'} {n}", "own", {"spam": n % 2})
        for n in range(40)
    ]
    full = (resources.files("models") / "embedder" / "tokenizer.json").read_text("utf-8")
    tokenizer, kept = trimmed(full, (row.text for row in rows), fewest=1)
    tensors = published(Reader(SHAPE).state_dict(), SHAPE)
    encoder = Encoder(tensors, kept, SHAPE, outputs=len(HEADS), frozen=0)
    learn(encoder, rows, Tokenizer.from_str(tokenizer), steps=60)
    write_folder(encoder.tensors(), tokenizer, SHAPE, tmp_path)

    opened = open_label_encoder(threads=1, folder=tmp_path)
    bad, fine = opened.logits(["win a prize 7", "see you at home 8"])
    assert opened.heads[place("spam")] == "spam"
    assert bad[place("spam")] > 0 > fine[place("spam")]


def test_the_name_of_a_group_moves_the_answer_less_where_readings_are_paired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer

    from training.encoder import learn as learning
    from training.encoder.network import Encoder
    from training.injection.vocabulary import trimmed
    from training.reader.network import Reader, published

    groups = ("Sikhs", "Hindus")
    rows = [
        Row(f"{n}", f"{groups[n % 2]} sing at {place}", "hatexplain", {"hate": n % 2})
        for n, place in enumerate(("home", "work", "sea", "night") * 10)
    ]
    full = (resources.files("models") / "embedder" / "tokenizer.json").read_text("utf-8")
    text, kept = trimmed(full, (row.text for row in rows), fewest=1)
    tokenizer = Tokenizer.from_str(text)
    monkeypatch.setattr(learning, "SWAPPED", 0.0)  # as biased as the rows are

    def moved(paired: float) -> float:
        monkeypatch.setattr(learning, "PAIRED", paired)
        monkeypatch.setattr(
            learning, "_others", lambda *_: {n: [ids[n ^ 1]] for n in range(len(rows))}
        )
        torch.manual_seed(0)
        tensors = published(Reader(SHAPE).state_dict(), SHAPE)
        encoder = Encoder(tensors, kept, SHAPE, outputs=len(HEADS), frozen=0)
        learning.learn(encoder, rows, tokenizer, steps=60)
        with torch.no_grad():
            both = torch.tensor([ids[0], ids[1]])
            said = encoder(both, torch.ones_like(both))[:, place("hate")]
        return float(abs(said[1] - said[0]))

    ids = [each.ids for each in tokenizer.encode_batch([row.text for row in rows])]
    ids = [one[:8] for one in ids]
    assert moved(5.0) < moved(0.0) / 2
