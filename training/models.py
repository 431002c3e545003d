"""Make every shipped model from scratch, and say whether each file equals what ships.

    python -m training.models --data DIR [--only NAME …] [--keep DIR]

Nothing in `models/` is touched: the files are made in a scratch folder. Two files are the same if
their bytes are; where only numbers differ (the order of sums differs between processors, and a
model that learns for a given time learns more on a faster one), the largest difference is told.
Cards are written anew with the models, and hold speeds, so they are not compared. What each model
needs, and how long it takes, stands in its card; the reader needs three and a half hours.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "models"
_CARD = "CARD.md"


@dataclass(frozen=True)
class Maker:
    """How one model is made: a module of `training`, its options, and the packages it needs.

    In an option `{out}` stands for the folder that is written.
    """

    name: str
    options: Sequence[str] = ()
    needs: Sequence[str] = ()

    def command(self, data: Path, out: Path) -> list[str]:
        """Return the command that writes the model into `out`."""
        named = ["--data", str(data)] if self.name != "embedder" else []
        module = f"training.{self.name}"
        options = [option.format(out=out) for option in self.options]
        return [sys.executable, "-m", module, *named, "--out", str(out), *options]

    @property
    def missing(self) -> list[str]:
        """The packages that it needs and that are not installed."""
        wanted = (f"training.{self.name}", *self.needs)
        return [name for name in wanted if importlib.util.find_spec(name) is None]


READER_LEARNS = ("--minutes", "210", "--size", "48", "--peak", "3e-4", "--threads", "2")
"""As the reader that ships has learnt, which began with fewer topics and met them one by one."""

MAKERS = (
    Maker("embedder", needs=("onnx", "safetensors")),
    Maker("encoder", options=("--folds", "{out}.folds"), needs=("torch", "onnx", "safetensors")),
    Maker("classifier", options=("--folds", "{out}/../encoder.folds")),
    Maker("injection", options=("--scores", "{out}.npz"), needs=("torch", "onnx", "safetensors")),
    Maker("links", options=("--pages", sysconfig.get_path("purelib"))),
    Maker("reader", options=READER_LEARNS, needs=("torch", "onnx")),
    Maker("embedded"),
    Maker("seen"),
)
"""Every model that ships, in the order in which one needs the other."""


@dataclass(frozen=True)
class Finding:
    """What became of one file."""

    file: str
    said: str
    same: bool


def compare(shipped: Path, made: Path) -> Iterator[Finding]:
    """Yield a finding for each file of a model, the card left out; files are paired by name."""
    names = {file.name for folder in (shipped, made) for file in _files(folder)}
    for name in sorted(names - {_CARD}):
        file = f"{shipped.name}/{name}"
        if not (made / name).exists():
            yield Finding(file, "was not made", same=False)
        elif not (shipped / name).exists():
            yield Finding(file, "is new", same=False)
        else:
            yield _pair(file, shipped / name, made / name)


def _files(folder: Path) -> Iterable[Path]:
    return [file for file in folder.glob("*") if file.is_file()] if folder.is_dir() else []


def _pair(file: str, shipped: Path, made: Path) -> Finding:
    ours, theirs = shipped.read_bytes(), made.read_bytes()
    if ours == theirs:
        return Finding(file, f"the same bytes, sha256 {_sha256(ours)[:12]}", same=True)
    differs = _DIFFERENCES.get(shipped.suffix, _no_numbers)(shipped, made)
    return Finding(
        file, f"{_sha256(ours)[:12]} ships, {_sha256(theirs)[:12]} made: {differs}", same=False
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _of_arrays(shipped: Path, made: Path) -> str:
    """Say by how much two archives of arrays differ at most, array by array."""
    with np.load(shipped, allow_pickle=False) as ours, np.load(made, allow_pickle=False) as theirs:
        if sorted(ours) != sorted(theirs):
            return f"arrays {', '.join(sorted(set(ours) ^ set(theirs)))} stand in one alone"
        return "; ".join(_of_array(name, ours[name], theirs[name]) for name in sorted(ours))


def _of_array(name: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    if ours.shape != theirs.shape:
        return f"{name} has the shape {theirs.shape}, not {ours.shape}"
    if not np.issubdtype(ours.dtype, np.number):
        return f"{name} is {'equal' if np.array_equal(ours, theirs) else 'other'}"
    gap = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    return f"{name} by at most {gap.max(initial=0.0):.3g}"


def _of_settings(shipped: Path, made: Path) -> str:
    """Say by how much the numbers of two JSON files differ at most, and what else differs."""
    ours, theirs = (dict(_leaves(json.loads(file.read_text("utf-8")))) for file in (shipped, made))
    if ours.keys() != theirs.keys():
        return f"{len(ours.keys() ^ theirs.keys())} fields stand in one alone"
    gaps = {key: _gap(ours[key], theirs[key]) for key in ours}
    other = [key for key, gap in gaps.items() if gap is None]
    most = max((gap for gap in gaps.values() if gap is not None), default=0.0)
    return f"numbers by at most {most:.3g}" + (f"; other: {', '.join(other)}" if other else "")


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    items: Iterable[tuple[Any, Any]] | None = None
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    if items is None:
        yield place, value
        return
    for key, inner in items:
        yield from _leaves(inner, f"{place}.{key}" if place else str(key))


def _gap(ours: Any, theirs: Any) -> float | None:
    """Return how far two values are apart, None if they are other things than numbers."""
    if ours == theirs:
        return 0.0
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (ours, theirs))
    return abs(ours - theirs) if numbers else None


def _no_numbers(shipped: Path, made: Path) -> str:
    return f"{shipped.stat().st_size:,} and {made.stat().st_size:,} bytes"


_DIFFERENCES: Mapping[str, Callable[[Path, Path], str]] = {
    ".npz": _of_arrays,
    ".json": _of_settings,
}


def remake(makers: Sequence[Maker], data: Path, scratch: Path, shipped: Path = SHIPPED) -> bool:
    """Make the models in `scratch`, print what became of each file; true if all are the same."""
    same = True
    for maker in makers:
        if maker.missing:
            print(f"{maker.name}: left out, for want of {', '.join(maker.missing)}", flush=True)
            same = False
            continue
        started = time.monotonic()
        print(f"{maker.name} …", flush=True)
        made = scratch / maker.name
        with (scratch / f"{maker.name}.log").open("w", encoding="utf-8") as log:
            code = subprocess.run(  # noqa: S603 - our own modules
                maker.command(data, made), cwd=ROOT, stdout=log, stderr=log, check=False
            ).returncode
        minutes = (time.monotonic() - started) / 60
        if code:
            print(f"{maker.name}: failed with {code}; see {log.name}", flush=True)
            same = False
            continue
        for finding in compare(shipped / maker.name, made):
            print(f"{finding.file}: {finding.said}", flush=True)
            same = same and finding.same
        print(f"{maker.name}: {minutes:.1f} minutes", flush=True)
    return same


def main(arguments: Sequence[str] | None = None) -> int:
    """Make and compare; the exit code is 3 unless every file is the same."""
    parser = argparse.ArgumentParser(prog="python -m training.models", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("AMICUS_DATA"), help="labelled public sets"
    )
    parser.add_argument("--only", action="append", choices=[maker.name for maker in MAKERS])
    parser.add_argument("--keep", type=Path, help="keep what was made in this folder")
    given = parser.parse_args(arguments)
    if given.data is None:
        parser.error("name the data with --data DIR or AMICUS_DATA")
    makers = [maker for maker in MAKERS if not given.only or maker.name in given.only]
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        return 0 if remake(makers, given.data, given.keep.resolve()) else 3
    with tempfile.TemporaryDirectory() as scratch:
        return 0 if remake(makers, given.data, Path(scratch)) else 3


if __name__ == "__main__":
    sys.exit(main())
