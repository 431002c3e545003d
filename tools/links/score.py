"""A small trained opinion on the letters of a link: logistic regression, run with numpy alone.

`training/links` makes the weights and says how well they do in `models/links/CARD.md`.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from errors import RecordsError
from tools.links.anatomy import Anatomy
from tools.links.features import (
    HOST_BUCKETS,
    MEASUREMENTS,
    PATH_BUCKETS,
    host_buckets,
    measure,
    path_buckets,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHAPES = {
    "measurements": (len(MEASUREMENTS),),
    "host": (HOST_BUCKETS,),
    "path": (PATH_BUCKETS,),
    "intercept": (),
    "slope": (),
    "offset": (),
}


@dataclass(frozen=True, eq=False)
class Scorer:
    """The trained weights, and where its scores begin to mean something."""

    weights: Mapping[str, NDArray[np.float32]]
    medium: float
    """No more than about 1 honest link in 100 reaches it (held out from training)."""
    high: float
    """No more than about 1 honest link in 1,000 reaches it."""
    version: str
    """First 12 hex digits of the SHA-256 of the weights and their thresholds."""

    def score(self, anatomy: Anatomy) -> float:
        """How much the link looks like phishing by its letters, from 0 to 1.

        Calibrated for a mixture of as many phishing as honest links: where most links are honest,
        which is nearly everywhere, the share of phishing behind a score is far smaller.
        """
        weights = self.weights
        raw = float(weights["intercept"])
        raw += float(weights["measurements"] @ measure(anatomy))
        for name, buckets in (("host", host_buckets(anatomy)), ("path", path_buckets(anatomy))):
            if buckets:
                raw += float(weights[name][list(buckets)].sum()) / math.sqrt(len(buckets))
        return _sigmoid(float(weights["slope"]) * raw + float(weights["offset"]))


@cache
def shipped_scorer() -> Scorer:
    """The scorer of `models/links`, read once.

    Raises:
        RecordsError: The files are missing or damaged.
    """
    return read_scorer(files("models") / "links")


def read_scorer(folder: Traversable) -> Scorer:
    """Read `weights.npz` and `config.json` from `folder`.

    Raises:
        RecordsError: A file is missing, damaged, or made for other features.
    """
    try:
        packed = (folder / "weights.npz").read_bytes()
        settings = (folder / "config.json").read_bytes()
        config = json.loads(settings)
        thresholds = config["thresholds"]
        medium, high = float(thresholds["medium"]), float(thresholds["high"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from None
    digest = hashlib.sha256(packed + b"\0" + settings).hexdigest()[:12]
    return Scorer(_unpacked(folder, packed), medium, high, digest)


def _unpacked(folder: Traversable, packed: bytes) -> Mapping[str, NDArray[np.float32]]:
    import numpy as np

    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            weights: dict[str, Any] = {name: archive[name] for name in _SHAPES}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise _damaged(folder, error) from None
    for name, shape in _SHAPES.items():
        if weights[name].shape != shape or not np.isfinite(weights[name]).all():
            raise _damaged(folder, f"array {name!r} does not fit")
    return {name: array.astype(np.float32) for name, array in weights.items()}


def _damaged(folder: Traversable, why: object) -> RecordsError:
    return RecordsError(
        f"{folder}: the link weights cannot be read: {why}".replace("\n", " "),
        hint="install the program again, or make them anew with `python -m training.links`",
    )


def _sigmoid(value: float) -> float:
    """The logistic function, without overflow."""
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))
