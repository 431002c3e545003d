"""Write what was learned as plain arrays and one JSON file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier.features import Shape
from tools.classifier.weights import (
    CONFIG_FILE,
    NETWORK_ARRAYS,
    WEIGHTS_FILE,
    Config,
    Network,
    Reading,
)
from training.classifier.learn import Linear


@dataclass(frozen=True)
class Learned:
    """Everything that the classifier needs, in the order of `labels`."""

    labels: tuple[Signal, ...]
    shape: Shape
    base_rate: float
    idf: npt.NDArray[np.float32]
    ngrams: Sequence[Linear]
    plain: Mapping[Signal, Reading]
    embedding: Sequence[Linear] = ()
    network: Network | None = None
    embedded: Mapping[Signal, Reading] | None = None
    embedder: str | None = None
    training_data: tuple[str, ...] = ()


def export(learned: Learned, out: Path, *, precision: type[np.floating] = np.float16) -> None:
    """Write the weights and their config to the folder `out`.

    Half precision moves a logit by about 0.001 and halves the file; the same input gives the same
    bytes.
    """
    arrays = {
        "idf": learned.idf.astype(precision),
        "ngrams": np.stack([model.weights for model in learned.ngrams]).astype(precision),
        "ngram_bias": np.asarray([model.bias for model in learned.ngrams]),
        "embedding": np.asarray([model.weights for model in learned.embedding], np.float32),
        "embedding_bias": np.asarray([model.bias for model in learned.embedding]),
        **_network_arrays(learned.network, precision),
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    content = packed.getvalue()
    config = Config(
        format=2,
        labels=learned.labels,
        char_bits=learned.shape.char_bits,
        word_bits=learned.shape.word_bits,
        char_lengths=learned.shape.char_lengths,
        base_rate=learned.base_rate,
        plain=learned.plain,
        embedded=learned.embedded,
        embedder=learned.embedder,
        training_data=learned.training_data,
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / WEIGHTS_FILE).write_bytes(content)
    text = json.dumps(config.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (out / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")


def _network_arrays(
    network: Network | None, precision: type[np.floating]
) -> dict[str, npt.NDArray[np.floating]]:
    """Return the network's arrays by name; empty ones where there is no embedder."""
    if network is None:
        return {name: np.zeros(0, precision) for name in NETWORK_ARRAYS}
    return {name: np.asarray(getattr(network, name), precision) for name in NETWORK_ARRAYS}
