"""The folder of the encoder: its graph, its tokenizer, and what proves them."""

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
from training.encoder.graph import encoder_graph
from training.encoder.heads import HEADS

NAME = "labels-minilm-int8"

Tensors = Mapping[str, NDArray[np.float32]]


def write_folder(tensors: Tensors, tokenizer: str, shape: Shape, out: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json`; the same weights, the same bytes."""
    contents = {
        "model.onnx": encoder_graph(tensors, DYNAMIC, shape),
        "tokenizer.json": tokenizer.encode(),
    }
    out.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (out / file).write_bytes(content)
    config = {
        "name": NAME,
        "window": shape.window,
        "heads": [f"{label}@{source}" if source else label for label, source in HEADS],
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "made_from": {"package": PACKAGE, "sha256": WEIGHTS_SHA256},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
