"""What a run was made of: enough to know whether two runs may be compared or continued."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import Field, ValidationError

from agent.case import Frozen
from agent.reviewer import Reviewer
from errors import RecordsError, shown
from evals.golden import GoldenCase

_CODE = ("agent", "tools", "retrieval", "records", "policies")
"""The packages that make a verdict."""
_CODE_FILES = ("*.py", "*.toml", "*.json")
_ROOT = Path(__file__).resolve().parents[2]


class Manifest(Frozen):
    """What a run was made of. Two runs with the same manifest ask the same questions."""

    format: int = 2
    golden: str
    """A hash of the cases and their answers."""
    cases: int
    rulebook: str
    model: str
    prompts: str
    tools: dict[str, str] = Field(default_factory=dict)
    code: str
    """The version of Amicus, and a hash of the code that makes verdicts."""
    seed: int = 0
    options: dict[str, str] = Field(default_factory=dict)
    """What else was asked for: a limit, accounts, precedents, swaps."""


def manifest_for(
    golden: Sequence[GoldenCase],
    reviewer: Reviewer,
    *,
    seed: int = 0,
    options: Mapping[str, str],
) -> Manifest:
    """Return the manifest of a run of these cases with this reviewer."""
    desk = reviewer.desk
    limits = {f"most_{name}": str(value) for name, value in vars(desk.limits).items()}
    return Manifest(
        golden=golden_id(golden),
        cases=len(golden),
        rulebook=desk.rulebook.id,
        model=reviewer.model_name,
        prompts=desk.prompts,
        tools={tool.name: tool.version for tool in desk.tools},
        code=code_id(),
        seed=seed,
        options=limits | dict(options),
    )


def golden_id(golden: Sequence[GoldenCase]) -> str:
    """Return a hash of the cases and their answers: runs with the same one can be compared."""
    digest = hashlib.sha256()
    for one in golden:
        parts = [one.case.model_dump(mode="json"), one.expected.model_dump(mode="json")]
        line = json.dumps(
            [*parts, dict(one.slices), one.cluster], sort_keys=True, separators=(",", ":")
        )
        digest.update(line.encode("utf-8") + b"\n")
    return "sha256:" + digest.hexdigest()


@lru_cache(maxsize=1)
def code_id() -> str:
    """Return the version of Amicus with a hash of the code that makes verdicts."""
    try:
        named = version("amicus")
    except PackageNotFoundError:
        named = "unknown"
    digest = hashlib.sha256()
    for folder in _CODE:
        for pattern in _CODE_FILES:
            for path in sorted((_ROOT / folder).rglob(pattern)):
                digest.update(path.relative_to(_ROOT).as_posix().encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{named}+{digest.hexdigest()[:12]}"


def file_id(path: Path | None) -> str:
    """Return a hash of a file that a run depends on; nothing where there is none."""
    return "" if path is None else "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_from(text: str, *, where: Path) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        RecordsError: It holds something else.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise RecordsError(
            f"{where}: not the manifest of a run that this version of Amicus can read",
            hint="evaluate into a new folder, or start this one anew with --fresh",
        ) from None


def differences(old: Manifest, new: Manifest) -> list[str]:
    """Return in words what two manifests differ in.

    >>> plain = Manifest(golden="a", cases=1, rulebook="r", model="m", prompts="p", code="1")
    >>> differences(plain, plain.model_copy(update={"seed": 3}))
    ['seed 0, now 3']
    """
    told = []
    for name in Manifest.model_fields:
        before, now = getattr(old, name), getattr(new, name)
        if isinstance(before, dict):
            keys = sorted(before.keys() | now.keys())
            told += [
                _told(f"{name}.{key}", before.get(key, ""), now.get(key, ""))
                for key in keys
                if before.get(key, "") != now.get(key, "")
            ]
        elif before != now:
            told.append(_told(name, before, now))
    return told


def _told(name: str, before: object, now: object) -> str:
    if isinstance(before, str):
        return f"{name} {shown(before, 28)}, now {shown(now, 28)}"
    return f"{name} {before}, now {now}"
