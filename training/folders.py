"""Where the labelled data lies."""

from __future__ import annotations

from pathlib import Path


def train_folder(data: Path) -> Path:
    """Return the folder of what may be learnt from: `data` itself, or `train/` in it.

    Every program of `training` takes the folder that holds `train/` and `eval_only/`; those that
    need no more than the first may be handed that one alone.
    """
    inner = data / "train"
    return inner if inner.is_dir() else data
