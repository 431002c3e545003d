"""The encoder of labels: how much a text sounds like each thing that the classifier knows.

A small transformer that was taught the labels; the classifier weighs what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from policies.rulebook import digest
from retrieval.embedder import well_formed
from retrieval.model_files import checked, config_of, session
from retrieval.spoken import spoken

Logits = NDArray[np.float32]

_REMEMBERED = 256
_HINT = "restore models/encoder: reinstall Amicus, or in a checkout `git checkout models/encoder`"


@dataclass(frozen=True)
class LabelEncoder:
    """Turns texts into log-odds, one for each head; safe to share between threads.

    Every text is run by itself, so that an answer does not depend on what else was asked.
    """

    name: str
    """The model and the first 12 letters of the hash of its files."""
    heads: Sequence[str]
    """The labels; behind an @ the set whose answers a head has learnt, if not of all."""
    _run: Callable[[str], Logits]

    def logits(self, texts: Sequence[str]) -> Logits:
        """Return log-odds (texts, heads); of a text only the first 128 tokens count."""
        if not texts:
            return np.empty((0, len(self.heads)), np.float32)
        return np.stack([self._run(text) for text in texts])


def open_label_encoder(*, threads: int = 0, folder: Traversable | None = None) -> LabelEncoder:
    """Load the encoder.

    Args:
        threads: How many threads one text may use; 0 means every core.
        folder: Where the model lies, if not with Amicus itself.

    Raises:
        RecordsError: A file of the model is missing or not the one it should be.
    """
    home = folder or resources.files("models") / "encoder"
    config = config_of(home, _HINT)
    model, tokenizer = (
        checked(home / name, config["files"][name], _HINT)
        for name in ("model.onnx", "tokenizer.json")
    )
    encoder = Tokenizer.from_buffer(tokenizer)
    runs = _remembering(encoder, session(model, threads=threads), config["window"])
    return LabelEncoder(
        name=f"{config['name']}@{digest(config['files']).removeprefix('sha256:')[:12]}",
        heads=tuple(config["heads"]),
        _run=runs,
    )


def _remembering(tokenizer: Tokenizer, run: Any, window: int) -> Callable[[str], Logits]:
    first, last = (tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))

    @lru_cache(maxsize=_REMEMBERED)
    def logits(text: str) -> Logits:
        said = spoken(well_formed(text)).text
        ids = tokenizer.encode(said, add_special_tokens=False).ids[: window - 2]
        fed = {"ids": np.array([[first, *ids, last]], np.int64)}
        found: Logits = run.run(["logits"], fed)[0][0]
        found.setflags(write=False)
        return found

    return logits
