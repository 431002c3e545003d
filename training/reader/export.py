"""The folder of the reader: its graph, and what tells whether it is whole.

The tokenizer is the sentence model's and lies with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.reader import Stance
from training.embedder.graph import MINILM, Storage
from training.embedder.source import PACKAGE, WEIGHTS_SHA256
from training.reader.graph import pair_reader

NAME = "reader-minilm-l6-int8"
RULE_TOKENS = 384
CASE_TOKENS = 64
SHAPE = replace(MINILM, window=RULE_TOKENS + CASE_TOKENS + 3)

Tensors = Mapping[str, NDArray[np.float32]]


def write_folder(tensors: Tensors, tokenizer: Path, storage: Storage, out: Path) -> None:
    """Write `model.onnx` and `config.json` into `out`; the same weights give the same bytes.

    What rules say of themselves weighs nothing until `write_stance` says how much.
    """
    graph = pair_reader(tensors, storage, SHAPE)
    config = {
        "name": NAME,
        "rule_tokens": RULE_TOKENS,
        "case_tokens": CASE_TOKENS,
        "files": {"model.onnx": hashlib.sha256(graph).hexdigest()},
        "tokenizer": hashlib.sha256(tokenizer.read_bytes()).hexdigest(),
        "made_from": {"package": PACKAGE, "sha256": WEIGHTS_SHA256},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(graph)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def write_stance(stance: Stance, out: Path) -> None:
    """Add to the `config.json` in `out` how much weighs what a rule says of itself."""
    file = out / "config.json"
    config = json.loads(file.read_text("utf-8")) | {"stance": asdict(stance)}
    file.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
