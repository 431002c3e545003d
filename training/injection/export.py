"""The folder of the detector: its graph, its tokenizer, its calibration, and what proves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.embedder.graph import Shape
from training.embedder.storage import DYNAMIC
from training.encoder.export import write_model
from training.injection.graph import detector_graph

NAME = "injection-minilm-int8"
UNCALIBRATED: Mapping[str, float] = {
    "slope": 1.0,
    "offset": 0.0,
    "strict_line": 0.5,
    "line": 0.5,
    "watch_line": 0.5,
}

Tensors = Mapping[str, NDArray[np.float32]]


def write_folder(
    tensors: Tensors,
    tokenizer: str,
    shape: Shape,
    out: Path,
    reading: Mapping[str, float] = UNCALIBRATED,
) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json`; the same weights, the same bytes."""
    graph = detector_graph(tensors, DYNAMIC, shape)
    told = {"reading": dict(reading)}
    write_model(out, graph, tokenizer, name=NAME, window=shape.window, told=told)
