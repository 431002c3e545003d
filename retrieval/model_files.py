"""Read the files of a shipped model, and refuse what is not what it should be."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.resources.abc import Traversable
from typing import Any

# Before the import: onnxruntime reads this once, and would otherwise report to its makers.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from errors import RecordsError


def config_of(home: Traversable, hint: str) -> dict[str, Any]:
    """Return the `config.json` of a model's folder.

    Raises:
        RecordsError: It is missing or no JSON.
    """
    file = home / "config.json"
    try:
        config: dict[str, Any] = json.loads(_bytes(file, hint))
    except ValueError as error:
        raise RecordsError(f"{file} is damaged: {error}", hint=hint) from error
    return config


def checked(file: Traversable, expected: str, hint: str) -> bytes:
    """Return the content of a file if its sha256 is the expected one.

    Raises:
        RecordsError: It is missing, or another.
    """
    content = _bytes(file, hint)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != expected:
        raise RecordsError(
            f"{file} is damaged: its sha256 begins with {sha256[:12]}, not with {expected[:12]}",
            hint=hint,
        )
    return content


def session(graph: bytes, *, threads: int) -> Any:
    """Return an ONNX graph ready to run on the processor; 0 threads are one for every core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _bytes(file: Traversable, hint: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RecordsError(f"cannot read {file}: {error.strerror}", hint=hint) from error
