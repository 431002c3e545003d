"""The folder of a sentence model: graph, tokenizer, and what tells whether they are whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from training.embedder.graph import MINILM, Shape, Storage, sentence_encoder
from training.embedder.source import PACKAGE, Source

NAME = "minilm-l6-int8"


def write_folder(
    origin: Source, storage: Storage, out: Path, *, name: str = NAME, shape: Shape = MINILM
) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json` into `out`; always the same bytes."""
    contents = {
        "model.onnx": sentence_encoder(origin.tensors, storage, shape),
        "tokenizer.json": origin.tokenizer.encode(),
    }
    config = {
        "name": name,
        "width": shape.width,
        "window": shape.window,
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "made_from": {"package": PACKAGE, "sha256": origin.weights_sha256},
    }
    out.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (out / file).write_bytes(content)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
