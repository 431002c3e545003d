"""The encoders that have not learnt from a fold each, asked about the texts of that fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.classifier import Encodes

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Encoders:
    """One encoder for each fold, and the name of the one that ships, which knows all folds."""

    name: str
    without: Sequence[Encodes]
    """The encoder at place k has learnt from nothing in fold k."""

    def unseen(self, texts: Sequence[str], fold: Ints) -> Rows:
        """Return what the heads say of each text, by the encoder that has not seen its fold."""
        found: dict[int, npt.NDArray[np.float32]] = {}
        for each, encoder in enumerate(self.without):
            here = np.flatnonzero(fold == each).tolist()
            rows = encoder.logits([texts[place] for place in here]) if here else ()
            found.update(zip(here, rows, strict=True))
        return np.stack([found[place] for place in range(len(texts))])


class Remembering:
    """An encoder that keeps its answers in a file between runs."""

    def __init__(self, encoder: Encodes, file: Path) -> None:
        """Read what `file` holds, if it was made by this very encoder."""
        self.name = encoder.name
        self._encoder = encoder
        self._file = file
        self._known: dict[str, Rows] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                if str(kept["name"]) == self.name:
                    texts = json.loads(kept["texts"].tobytes())
                    self._known = dict(zip(texts, kept["rows"], strict=True))

    def logits(self, texts: Sequence[str]) -> Rows:
        """Return a row for each text."""
        new = sorted(set(texts) - self._known.keys())
        if new:
            self._known.update(zip(new, self._encoder.logits(new), strict=True))
            self._save()
        return np.stack([self._known[text] for text in texts])

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            self._file,
            allow_pickle=False,
            name=np.asarray(self.name),
            texts=np.frombuffer(json.dumps(list(self._known)).encode(), dtype=np.uint8),
            rows=np.stack(list(self._known.values())),
        )


def open_encoders(folds: Path, count: int, cache: Path | None = None) -> Encoders:
    """Open what `python -m training.encoder` kept, and the name of the encoder that ships.

    Raises:
        RecordsError: A folder is missing or holds another file than its config says.
    """
    from retrieval.encoder import open_label_encoder

    opened: list[Encodes] = []
    for each in range(count):
        encoder = open_label_encoder(threads=1, folder=folds / f"fold-{each}")
        file = cache / f"fold-{each}.npz" if cache else None
        opened.append(Remembering(encoder, file) if file else encoder)
    return Encoders(open_label_encoder(threads=1).name, opened)
