"""The injection detector: how likely a text gives orders to a language model that reads it.

A small transformer of its own, because words alone do not tell an order from talk about orders.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from policies.rulebook import digest
from retrieval.embedder import well_formed
from retrieval.model_files import checked, config_of, session
from retrieval.spoken import spoken

NOTHING = -20.0
"""The log-odds of a text without a word."""

_REMEMBERED = 256
_OVERLAP = 32  # tokens that neighbouring windows of a long text share
_RESTORE = (
    "restore models/injection: reinstall Amicus, or in a checkout `git checkout models/injection`"
)


@dataclass(frozen=True)
class InjectionDetector:
    """Says how likely a text is an order to a machine; safe to share between threads.

    Every window of a text is run by itself, so that an answer does not depend on what else was
    asked. A long text is as suspicious as its most suspicious window.
    """

    name: str
    """The model and the first 12 letters of the hash of its files and calibration."""
    strict_line: float
    """Crossed by 0.5 % of harmless texts."""
    line: float
    """Crossed by 1 % of harmless texts."""
    watch_line: float
    """Crossed by 5 % of harmless texts."""
    log_odds: Callable[[str], float]
    """What the network says of a text, before it is calibrated."""
    slope: float
    offset: float

    def score(self, text: str) -> float:
        """Return the calibrated probability that `text` gives orders to a language model."""
        return 1.0 / (1.0 + math.exp(-(self.log_odds(text) * self.slope + self.offset)))


def open_injection_detector(
    *, threads: int = 0, folder: Traversable | None = None
) -> InjectionDetector:
    """Load the detector.

    Args:
        threads: How many threads one text may use; 0 means every core.
        folder: Where the model lies, if not with Amicus itself.

    Raises:
        RecordsError: A file of the model is missing or not the one it should be.
    """
    home = folder or resources.files("models") / "injection"
    config = config_of(home, _RESTORE)
    model, tokenizer = (
        checked(home / name, config["files"][name], _RESTORE)
        for name in ("model.onnx", "tokenizer.json")
    )
    texts = _Texts(
        Tokenizer.from_buffer(tokenizer), session(model, threads=threads), config["window"]
    )
    reading = config["reading"]
    return InjectionDetector(
        name=f"{config['name']}@{digest(config).removeprefix('sha256:')[:12]}",
        strict_line=reading["strict_line"],
        line=reading["line"],
        watch_line=reading["watch_line"],
        log_odds=lru_cache(maxsize=_REMEMBERED)(texts.log_odds),
        slope=reading["slope"],
        offset=reading["offset"],
    )


@dataclass(frozen=True)
class _Texts:
    """The model, and how a text is put before it: [CLS] text [SEP]."""

    tokenizer: Tokenizer
    session: Any
    window: int

    def log_odds(self, text: str) -> float:
        said = spoken(well_formed(text)).text
        ids = self.tokenizer.encode(said, add_special_tokens=False).ids
        room = self.window - 2
        starts = range(0, max(len(ids) - _OVERLAP, 1), room - _OVERLAP)
        return max(self._window(ids[at : at + room]) for at in starts) if ids else NOTHING

    def _window(self, ids: list[int]) -> float:
        first, last = (self.tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        fed = {"ids": np.array([[first, *ids, last]], np.int64)}
        return float(self.session.run(["logit"], fed)[0][0])
