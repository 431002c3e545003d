"""The folder of a model that is taught here: its graph, its tokenizer, and what proves them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    """Write the folder of an encoder; the same weights give the same bytes."""
    heads = [f"{label}@{source}" if source else label for label, source in HEADS]
    graph = encoder_graph(tensors, DYNAMIC, shape)
    write_model(out, graph, tokenizer, name=NAME, window=shape.window, told={"heads": heads})


def write_model(  # noqa: PLR0913 - what a folder holds
    out: Path, graph: bytes, tokenizer: str, *, name: str, window: int, told: Mapping[str, Any]
) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json`, with what is `told` in the last."""
    contents = {"model.onnx": graph, "tokenizer.json": tokenizer.encode()}
    out.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (out / file).write_bytes(content)
    config = {
        "name": name,
        "window": window,
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        **told,
        "made_from": {"package": PACKAGE, "sha256": WEIGHTS_SHA256},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
