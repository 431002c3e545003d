"""The weights that ship, as numbers that can be learnt from again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from training.embedder.graph import MINILM, Shape
from training.reader.graph import HEADS

Tensors = dict[str, NDArray[np.float32]]
Stored = Mapping[str, NDArray[np.generic]]

_DENSE = ("attention.output.dense", "intermediate.dense", "output.dense")
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def shipped_tensors(file: Path, shape: Shape = MINILM) -> Tensors:
    """Return the tensors of a reader's graph under the names that `pair_reader` was given.

    They are rounded to 8 bits, which a few steps of learning make good.
    """
    graph = onnx.load(str(file)).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    found = _tables(stored)
    for number in range(shape.layers):
        prefix = f"encoder.layer.{number}."
        for name in _DENSE:
            found[f"{prefix}{name}.weight"] = _matrix(stored, f"{prefix}{name}")
            found[f"{prefix}{name}.bias"] = _floats(stored, f"{prefix}{name}.bias")
        for name in _NORMS:
            for kind in ("weight", "bias"):
                found[f"{prefix}{name}.{kind}"] = _floats(stored, f"{prefix}{name}.{kind}")
        found |= _attention(stored, f"{prefix}attention.", shape)
    return found


def _tables(stored: Stored) -> Tensors:
    found = {
        "embeddings.word_embeddings.weight": _floats(stored, "words.table.int8")
        * _floats(stored, "words.table.scale"),
        "embeddings.position_embeddings.weight": _floats(stored, "places.table"),
        "embeddings.token_type_embeddings.weight": _floats(stored, "sides.table"),
    }
    for kind in ("weight", "bias"):
        found[f"embeddings.LayerNorm.{kind}"] = _floats(stored, f"embeddings.LayerNorm.{kind}")
    for head in HEADS:
        found[f"{head}.weight"] = _floats(stored, f"{head}.matrix").T
        found[f"{head}.bias"] = _floats(stored, f"{head}.bias")
    return found


def _attention(stored: Stored, prefix: str, shape: Shape) -> Tensors:
    """Queries, keys and values apart again, the scale of the scores taken out of the queries."""
    weight, bias = _matrix(stored, f"{prefix}qkv"), _floats(stored, f"{prefix}qkv.bias")
    scale = np.float32((shape.width // shape.heads) ** -0.5)
    found: Tensors = {}
    for name, part, offset in zip(
        ("query", "key", "value"), np.split(weight, 3), np.split(bias, 3), strict=True
    ):
        divisor = scale if name == "query" else np.float32(1)
        found[f"{prefix}self.{name}.weight"] = part / divisor
        found[f"{prefix}self.{name}.bias"] = offset / divisor
    return found


def _matrix(stored: Stored, name: str) -> NDArray[np.float32]:
    scale = _floats(stored, f"{name}.scale")
    return np.ascontiguousarray((_floats(stored, f"{name}.int8") * scale).T)


def _floats(stored: Stored, name: str) -> NDArray[np.float32]:
    return stored[name].astype(np.float32)
