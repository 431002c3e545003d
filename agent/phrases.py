"""The prompt and phrase files, and their hash for the provenance of a verdict."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable


def _prompt_files() -> list[tuple[str, Traversable]]:
    """Every prompt file and its place below `prompts/`, in the order of the places."""
    return sorted(_files_below(files("agent") / "prompts", ""), key=lambda found: found[0])


def _files_below(folder: Traversable, place: str) -> Iterator[tuple[str, Traversable]]:
    for found in folder.iterdir():
        if found.is_dir():
            yield from _files_below(found, f"{place}{found.name}/")
        elif found.name.endswith((".toml", ".md", ".txt")):
            yield f"{place}{found.name}", found


@lru_cache(maxsize=1)
def prompts_id() -> str:
    """Return `sha256:` and the hash of every prompt file: other words are another reviewer."""
    total = hashlib.sha256()
    for place, file in _prompt_files():
        data = file.read_bytes()
        total.update(f"{place} {len(data)}\n".encode() + data)
    return "sha256:" + total.hexdigest()


@lru_cache(maxsize=8)
def phrases(name: str) -> dict[str, dict[str, str]]:
    """Return the phrases of `prompts/<name>.toml`: table, then key, then a format string."""
    return tomllib.loads((files("agent") / "prompts" / f"{name}.toml").read_text("utf-8"))


@lru_cache(maxsize=16)
def prompt(name: str) -> str:
    """Return the prompt `prompts/<name>.md`: a format string, without the last line end."""
    return (files("agent") / "prompts" / f"{name}.md").read_text("utf-8").rstrip("\n")
