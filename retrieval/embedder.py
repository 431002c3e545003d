"""The sentence model: texts in, unit vectors out, on this machine's processor and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from policies.rulebook import digest
from retrieval.model_files import checked, config_of, session

Vectors = NDArray[np.float32]

_HINT = "restore models/embedder: reinstall Amicus, or in a checkout `git checkout models/embedder`"
_REMEMBERED = 256
_OVERLAP = 64  # tokens that neighbouring windows share, so that no sentence is only seen cut


@dataclass(frozen=True)
class Embedder:
    """Turns texts into vectors whose dot product says how much they mean the same.

    Safe to share between threads. A text has the same vector, to the bit, in whatever company and
    on however many threads it is embedded: every text is run by itself, which on a processor
    costs next to nothing (models/embedder/CARD.md has the figures).
    """

    name: str
    """The model and the first 12 letters of the hash of its files; what is built on it names it."""
    width: int
    """Length of a vector."""
    window: int
    """Most tokens of a text that a vector can hold, [CLS] and [SEP] included."""
    _tokenizer: Tokenizer
    _run: Callable[[str], Vectors]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text: float32 of shape (texts, width).

        Of a longer text only the first `window` tokens count; `windows` cuts it up instead.
        """
        vectors = {text: self._run(text) for text in dict.fromkeys(texts)}
        if not vectors:
            return np.empty((0, self.width), np.float32)
        return np.stack([vectors[text] for text in texts])

    def windows(self, text: str) -> list[str]:
        """Return `text` in pieces that fit the window, each sharing some tokens with the last.

        A text that fits comes back as it is; nothing of a longer one is left out.
        """
        text = well_formed(text)
        first = self._tokenizer.encode(text)
        if not first.overflowing:
            return [text]
        return [_excerpt(text, part) for part in (first, *first.overflowing)]

    def embed_long(self, text: str) -> Vectors:
        """Return the vectors of all windows of `text`: float32 of shape (windows, width)."""
        return self.embed(self.windows(text))


def open_embedder(*, threads: int = 0, folder: Traversable | None = None) -> Embedder:
    """Load the sentence model.

    Args:
        threads: How many threads one text may use; 0 means every core.
        folder: Where the model lies, if not with Amicus itself.

    Raises:
        RecordsError: A file of the model is missing or not the one it should be.
    """
    home = folder or resources.files("models") / "embedder"
    config = config_of(home, _HINT)
    model, tokenizer = (
        checked(home / name, config["files"][name], _HINT)
        for name in ("model.onnx", "tokenizer.json")
    )
    encoder = Tokenizer.from_buffer(tokenizer)
    encoder.enable_truncation(config["window"], stride=_OVERLAP)
    return Embedder(
        name=f"{config['name']}@{digest(config['files']).removeprefix('sha256:')[:12]}",
        width=config["width"],
        window=config["window"],
        _tokenizer=encoder,
        _run=_remembering(encoder, session(model, threads=threads)),
    )


def _remembering(tokenizer: Tokenizer, session: Any) -> Callable[[str], Vectors]:
    """Bind the model, and remember its last vectors: one review asks for the same text often."""

    @lru_cache(maxsize=_REMEMBERED)
    def vector(text: str) -> Vectors:
        ids = np.array([tokenizer.encode(well_formed(text)).ids], np.int64)
        found: Vectors = session.run(["vectors"], {"ids": ids})[0][0]
        found.setflags(write=False)
        return found

    return vector


def well_formed(text: str) -> str:
    """Return `text` with half surrogate pairs, which JSON can smuggle in, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _excerpt(text: str, part: Encoding) -> str:
    words = part.offsets[1:-1]  # without [CLS] and [SEP]
    return text[words[0][0] : words[-1][1]]
