"""Which texts the shipped models have learnt from, as hashes: no claim may rest on those.

`models/seen/texts.npy` holds a 64-bit hash of the words of every text that a shipped model was
fitted to; `python -m training.seen` writes it. Letters count without their case, and everything
between words counts as a blank. Texts of fewer than four words are everybody's, and are not held.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errors import InputError

FILE = "texts.npy"
FEWEST_WORDS = 4
_BYTES = 8
_RESTORE = "restore models/seen: reinstall Amicus, or in a checkout `git checkout models/seen`"


def plain_words(text: str) -> str:
    """Return the words of a text alone, in small letters.

    >>> plain_words("Hello,  THERE!")
    'hello there'
    """
    return " ".join(re.findall(r"\w+", text.casefold()))


def hashes_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return the hashes of texts with words enough, each once, in rising order."""
    plain = {plain_words(text) for text in texts}
    known = [words for words in plain if words.count(" ") + 1 >= FEWEST_WORDS]
    return np.unique(np.array([_hash(words) for words in known], dtype=np.uint64))


def _hash(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "replace")).digest()[:_BYTES])


def is_among(text: str, known: NDArray[np.uint64]) -> bool:
    """Return whether a text has the words of one whose hash is known."""
    return bool(np.isin(hashes_of([text]), known).any())


@lru_cache(maxsize=1)
def shipped_hashes() -> NDArray[np.uint64]:
    """Return the hashes of what the shipped models were fitted to.

    Raises:
        InputError: The file is missing or damaged.
    """
    with as_file(files("models") / "seen" / FILE) as path:
        return read_hashes(path)


def read_hashes(path: Path) -> NDArray[np.uint64]:
    """Return the hashes of a file.

    Raises:
        InputError: It is missing or damaged.
    """
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        told = getattr(error, "strerror", None) or "no array of numpy"
        raise InputError(f"{path}: {told}", hint=_RESTORE) from None
    if not isinstance(found, np.ndarray) or found.dtype != np.uint64 or found.ndim != 1:
        raise InputError(f"{path}: these are no hashes", hint=_RESTORE)
    return found
