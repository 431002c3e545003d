"""The graph of the sentence model, against a reading of the same tensors by plain NumPy."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from errors import InputError
from retrieval.embedder import open_embedder
from tests.training.random_bert import Tensors, random_tensors
from training.embedder import source
from training.embedder.folder import write_folder
from training.embedder.graph import Shape, Storage, sentence_encoder
from training.embedder.storage import BLOCKS, DYNAMIC, FULL, HALF, ROWS, rounded

SHAPE = Shape(layers=2, width=128, heads=4, window=12)
IDS = np.array([[1, 7, 49, 7, 2], [3, 3, 0, 11, 5]], np.int64)


def test_the_graph_computes_what_bert_is(tensors: Tensors) -> None:
    np.testing.assert_allclose(vectors(tensors, FULL), reference(tensors, IDS), atol=2e-6)


@pytest.mark.parametrize(
    ("storage", "worst"), [(HALF, 0.99999), (BLOCKS, 0.9995), (ROWS, 0.9995), (DYNAMIC, 0.995)]
)
def test_a_smaller_graph_means_nearly_the_same(
    tensors: Tensors, storage: Storage, worst: float
) -> None:
    cosines = (vectors(tensors, storage) * reference(tensors, IDS)).sum(axis=1)

    assert cosines.min() > worst


def test_large_columns_cost_one_block_its_resolution_and_not_the_row(tensors: Tensors) -> None:
    tensors["encoder.layer.0.output.dense.weight"][:, 3] *= 60
    true = reference(tensors, IDS)

    blocks, rows = (
        (vectors(tensors, storage) * true).sum(axis=1).min() for storage in (BLOCKS, ROWS)
    )

    assert blocks > rows


def test_int8_takes_a_quarter_of_the_space(tensors: Tensors) -> None:
    small, full = (len(sentence_encoder(tensors, storage, SHAPE)) for storage in (BLOCKS, FULL))

    assert small < full / 3


def test_the_same_tensors_make_the_same_bytes(tensors: Tensors) -> None:
    assert sentence_encoder(tensors, BLOCKS, SHAPE) == sentence_encoder(tensors, BLOCKS, SHAPE)


def test_a_folder_of_ours_can_be_opened(tmp_path: Path) -> None:
    tokenizer = (resources.files("models") / "embedder" / "tokenizer.json").read_text("utf-8")
    shape = replace(SHAPE, window=96)
    origin = source.Source(random_tensors(shape, words=30_522), tokenizer, "none")

    write_folder(origin, BLOCKS, tmp_path, name="mine", shape=shape)

    embedder = open_embedder(threads=1, folder=tmp_path)
    assert embedder.name.startswith("mine@")
    assert embedder.embed(["a text", "a longer one " * 60]).shape == (2, SHAPE.width)


def test_rounding_keeps_zero_and_the_largest_value() -> None:
    values, scales = rounded(np.array([[0, -2, 1], [0, 0, 0]], np.float32), axis=1)

    assert values.tolist() == [[0, -127, 64], [0, 0, 0]]
    np.testing.assert_allclose(values[0] * scales[0], [0, -2, 1], atol=0.01)


def test_other_weights_than_the_published_ones_are_refused(tmp_path: Path) -> None:
    model = tmp_path / source.PACKAGE / "model"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"something else")
    (model / "tokenizer.json").write_text("{}")

    with pytest.raises(InputError, match=source.WEIGHTS_SHA256):
        source.read(tmp_path)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.safetensors"):
        source.read(tmp_path)


def test_the_shipped_tokenizer_neither_pads_nor_truncates() -> None:
    settings = json.loads(source.unpadded('{"padding": {"a": 1}, "truncation": 3, "model": "é"}'))

    assert settings == {"padding": None, "truncation": None, "model": "é"}


def test_the_package_is_pinned_by_hash() -> None:
    assert "--hash=sha256:" in source.REQUIREMENTS.read_text("utf-8")


@pytest.fixture
def tensors() -> Tensors:
    return random_tensors(SHAPE, words=50)


def vectors(tensors: Tensors, storage: Storage) -> NDArray[np.float32]:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    session = onnxruntime.InferenceSession(sentence_encoder(tensors, storage, SHAPE))
    made: NDArray[np.float32] = session.run(["vectors"], {"ids": IDS})[0]
    return made


def reference(tensors: Tensors, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """The encoder once more, slowly and in double precision."""
    t = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    x = (
        t["embeddings.word_embeddings.weight"][ids]
        + t["embeddings.position_embeddings.weight"][: ids.shape[1]]
        + t["embeddings.token_type_embeddings.weight"][0]
    )
    x = normalised(t, "embeddings.LayerNorm", x)
    for layer in range(SHAPE.layers):
        prefix = f"encoder.layer.{layer}."
        attended = dense(t, f"{prefix}attention.output.dense", attention(t, prefix, x))
        x = normalised(t, f"{prefix}attention.output.LayerNorm", attended + x)
        hidden = dense(t, f"{prefix}intermediate.dense", x)
        hidden *= (1 + np.vectorize(math.erf)(hidden / math.sqrt(2))) / 2
        x = normalised(
            t, f"{prefix}output.LayerNorm", dense(t, f"{prefix}output.dense", hidden) + x
        )
    mean = x.mean(axis=1)
    unit: NDArray[np.float64] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit


def attention(
    t: dict[str, NDArray[np.float64]], prefix: str, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    query, key, value = (
        dense(t, f"{prefix}attention.self.{name}", x).reshape(*x.shape[:2], SHAPE.heads, -1)
        for name in ("query", "key", "value")
    )
    scores = np.einsum("bihd,bjhd->bhij", query, key) / math.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed: NDArray[np.float64] = np.einsum("bhij,bjhd->bihd", weights, value).reshape(x.shape)
    return mixed


def dense(
    t: dict[str, NDArray[np.float64]], name: str, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    product: NDArray[np.float64] = x @ t[f"{name}.weight"].T + t[f"{name}.bias"]
    return product


def normalised(
    t: dict[str, NDArray[np.float64]], name: str, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + SHAPE.epsilon)
    centered: NDArray[np.float64] = (x - x.mean(axis=-1, keepdims=True)) / spread
    return centered * t[f"{name}.weight"] + t[f"{name}.bias"]
