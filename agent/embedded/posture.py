"""The posture of a text: does it do something, or does it report, ask, quote, warn, play?

What a post is about tells a rule's violation from small talk; it does not tell the insult from the
report of one. Small words do: who speaks, to whom, in whose name. A linear model over words, pairs
of words and the sentence vector learns that from examples of both sides.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from itertools import pairwise
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from errors import RecordsError

POSTURE_FILE = "posture.npz"
BUCKETS = 2**15
_TOKEN = re.compile(r"\w+|[^\w\s]")

Floats = NDArray[np.float32]


def word_features(text: str) -> tuple[NDArray[np.int64], Floats]:
    """Return buckets and values of the words, signs and pairs of `text`, as a unit vector.

    Counts are damped by their logarithm. The buckets are CRC-32, the same on every machine.
    """
    tokens = ["^", *_TOKEN.findall(text.lower())]
    grams = Counter([*tokens[1:], *(f"{left} {right}" for left, right in pairwise(tokens))])
    summed: Counter[int] = Counter()
    for gram, count in grams.items():
        summed[zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS] += count
    buckets = np.array(sorted(summed), np.int64)
    values = np.array([1 + np.log(summed[bucket]) for bucket in buckets], np.float32)
    norm = float(np.linalg.norm(values))
    return buckets, values / norm if norm else values


@dataclass(frozen=True)
class Posture:
    """The weights of the words (one for each bucket), of the sentence vector, and the intercept."""

    version: str
    words: Floats
    meaning: Floats
    intercept: float

    def log_odds(self, text: str, vector: Floats) -> float:
        """Return the log-odds that a text does what some rule forbids.

        Args:
            text: The undressed words.
            vector: Their sentence vector, of unit length.
        """
        buckets, values = word_features(text)
        return float(self.words[buckets] @ values + self.meaning @ vector + self.intercept)


@lru_cache(maxsize=4)
def shipped_posture(folder: Traversable | None = None) -> Posture:
    """Return the weights that ship.

    Raises:
        RecordsError: The file is missing or damaged.
    """
    file = (folder or files("models") / "embedded") / POSTURE_FILE
    try:
        data = file.read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            read = {name: arrays[name].astype(np.float32) for name in ("words", "meaning", "bias")}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise RecordsError(
            f"{file} is missing or damaged ({type(error).__name__})",
            hint="restore models/embedded: reinstall, or python -m training.embedded",
        ) from None
    version = hashlib.sha256(data).hexdigest()[:12]
    return Posture(version, read["words"], read["meaning"], float(read["bias"][0]))
