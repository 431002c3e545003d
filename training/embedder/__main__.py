"""Make `models/embedder` again: `python -m training.embedder`."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

from training.embedder import source
from training.embedder.graph import Shape, sentence_encoder
from training.embedder.storage import BLOCKS

OUT = Path(__file__).parents[2] / "models" / "embedder"
NAME = "minilm-l6-int8"


def make(origin: source.Source, out: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `config.json` into `out`; always the same bytes."""
    shape = Shape()
    model = sentence_encoder(origin.tensors, BLOCKS, shape)
    tokenizer = origin.tokenizer.encode()
    files = {"model.onnx": _sha256(model), "tokenizer.json": _sha256(tokenizer)}
    config = {
        "name": NAME,
        "width": shape.width,
        "window": shape.window,
        "files": files,
        "made_from": {"package": source.PACKAGE, "sha256": origin.weights_sha256},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(model)
    (out / "tokenizer.json").write_bytes(tokenizer)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    print(f"{out}: {len(model) / 1e6:.1f} MB, sha256 {files['model.onnx']}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Fetch the published weights, and write ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, help="folder that already holds the package")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.source or Path(scratch)
        if options.source is None:
            source.fetch(folder)
        make(source.read(folder), options.out)


if __name__ == "__main__":
    main()
