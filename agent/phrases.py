"""The prompt and phrase files, and their hash for the provenance of a verdict."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable


def _prompt_files() -> list[Traversable]:
    folder = files("agent") / "prompts"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith((".toml", ".md", ".txt"))),
        key=lambda file: file.name,
    )


@lru_cache(maxsize=1)
def prompts_id() -> str:
    """Return `sha256:` and the hash of every prompt file: other words are another reviewer."""
    total = hashlib.sha256()
    for file in _prompt_files():
        data = file.read_bytes()
        total.update(f"{file.name} {len(data)}\n".encode() + data)
    return "sha256:" + total.hexdigest()


@lru_cache(maxsize=8)
def phrases(name: str) -> dict[str, dict[str, str]]:
    """Return the phrases of `prompts/<name>.toml`: table, then key, then a format string."""
    return tomllib.loads((files("agent") / "prompts" / f"{name}.toml").read_text("utf-8"))
