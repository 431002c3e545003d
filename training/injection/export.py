"""The folder of the detector: its graph, its tokenizer, its calibration, and what proves them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.embedder.graph import Shape
from training.embedder.source import PACKAGE, WEIGHTS_SHA256
from training.embedder.storage import DYNAMIC
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
    contents = {
        "model.onnx": detector_graph(tensors, DYNAMIC, shape),
        "tokenizer.json": tokenizer.encode(),
    }
    out.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (out / file).write_bytes(content)
    config = {
        "name": NAME,
        "window": shape.window,
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "reading": dict(reading),
        "made_from": {"package": PACKAGE, "sha256": WEIGHTS_SHA256},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
