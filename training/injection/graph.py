"""The detector as an ONNX graph, written straight from its tensors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.embedder.graph import Encoder, Shape, Storage, serialised
from training.encoder.graph import pooled_logits

Tensors = Mapping[str, NDArray[np.float32]]


def detector_graph(tensors: Tensors, storage: Storage, shape: Shape) -> bytes:
    """Return the serialised graph: `ids` int64 (texts, tokens) to `logit` float32 (texts,).

    Args:
        tensors: The trunk under Hugging Face's names in `BertModel`, and `head` with `weight` and
            `bias` over the first token and the mean of all.
        storage: How to keep the large matrices.
        shape: The sizes of the encoder.
    """
    encoder = Encoder(tensors, storage, shape)
    added = pooled_logits(encoder, "added")
    writer = encoder.writer
    writer.node("Squeeze", [added, writer.integers(-1)], "logit")
    return serialised(
        encoder, "injection-detector", {"ids": ["texts", "tokens"]}, {"logit": ["texts"]}
    )
