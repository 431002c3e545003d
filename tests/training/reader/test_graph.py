"""The graph of the reader: what it computes, rounded, and learnt from again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.random_bert import Tensors, random_tensors
from training.embedder.graph import Shape, Storage
from training.embedder.storage import DYNAMIC, FULL
from training.reader.graph import pair_reader
from training.reader.restore import shipped_tensors

SHAPE = Shape(layers=2, width=128, heads=4, window=12)
IDS = np.array([[1, 7, 49, 2, 7, 9, 2], [1, 3, 3, 2, 11, 5, 2]], np.int64)
SIDES = np.array([[0, 0, 0, 0, 1, 1, 1]] * 2, np.int64)


def test_a_pair_is_judged_the_same_in_any_company(tensors: Tensors) -> None:
    together, _ = run(tensors, FULL, IDS, SIDES)
    alone = [run(tensors, FULL, IDS[n : n + 1], SIDES[n : n + 1])[0][0] for n in range(2)]
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_the_pair_is_read_from_the_mean_of_the_case_among_others(tensors: Tensors) -> None:
    """With a head that looks at the mean alone, the pair is the mean of what its tokens say."""
    head = tensors["token.weight"][0]
    mean_only = np.concatenate([0 * head, head, 0 * head, 0 * head])[None]
    told = {**tensors, "pair.weight": mean_only, "pair.bias": tensors["token.bias"]}
    pair, words = run(told, FULL, IDS, SIDES)
    np.testing.assert_allclose(pair, (words * SIDES).sum(1) / SIDES.sum(1), atol=2e-5)


def test_the_stance_is_read_from_what_the_pair_is_read_from(tensors: Tensors) -> None:
    own = {"stance.weight": tensors["pair.weight"], "stance.bias": 1 + tensors["pair.bias"]}
    session = opened({**tensors, **own}, FULL)
    pair, stance = session.run(["pair", "stance"], {"ids": IDS, "sides": SIDES})
    np.testing.assert_allclose(stance, pair + 1, atol=1e-5)


def test_the_side_of_a_token_matters(tensors: Tensors) -> None:
    moved = SIDES.copy()
    moved[:, 3] = 1
    assert (
        np.abs(run(tensors, FULL, IDS, SIDES)[0] - run(tensors, FULL, IDS, moved)[0]).max() > 1e-4
    )


def test_rounding_to_8_bits_changes_little(tensors: Tensors) -> None:
    whole, rounded = (run(tensors, storage, IDS, SIDES)[1] for storage in (FULL, DYNAMIC))
    assert np.corrcoef(whole.ravel(), rounded.ravel())[0, 1] > 0.95


def test_what_ships_can_be_learnt_from_again(tensors: Tensors, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(pair_reader(tensors, DYNAMIC, SHAPE))
    again = shipped_tensors(file, SHAPE)
    assert again.keys() == tensors.keys()
    first, second = (run(each, FULL, IDS, SIDES)[1] for each in (tensors, again))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95
    assert (shipped_tensors(file, SHAPE)["pair.weight"] == tensors["pair.weight"]).all()


def test_the_same_weights_give_the_same_bytes(tensors: Tensors) -> None:
    assert pair_reader(tensors, DYNAMIC, SHAPE) == pair_reader(tensors, DYNAMIC, SHAPE)


@pytest.fixture
def tensors() -> Tensors:
    """Random weights of a small BERT with the reader's heads."""
    chance = np.random.default_rng(6)
    heads: dict[str, tuple[int, ...]] = {
        "pair.weight": (1, 4 * SHAPE.width),
        "token.weight": (1, SHAPE.width),
        "stance.weight": (1, 4 * SHAPE.width),
    }
    heads |= {"pair.bias": (1,), "token.bias": (1,), "stance.bias": (1,)}
    drawn = {name: chance.normal(0, 0.2, size) for name, size in heads.items()}
    return random_tensors(SHAPE, words=50) | {k: v.astype(np.float32) for k, v in drawn.items()}


def run(
    tensors: Tensors, storage: Storage, ids: NDArray[np.int64], sides: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pair, words = opened(tensors, storage).run(["pair", "words"], {"ids": ids, "sides": sides})
    return pair, words


def opened(tensors: Tensors, storage: Storage) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime.InferenceSession(pair_reader(tensors, storage, SHAPE))
