"""The encoder as an ONNX graph, written straight from its tensors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.embedder.graph import (
    Encoder,
    Shape,
    Storage,
    embeddings,
    encoder_layer,
    serialised,
)

Tensors = Mapping[str, NDArray[np.float32]]


def encoder_graph(tensors: Tensors, storage: Storage, shape: Shape) -> bytes:
    """Return the serialised graph: `ids` int64 (texts, tokens) to `logits` float32 (texts, heads).

    Args:
        tensors: The trunk under Hugging Face's names in `BertModel`, and `head` with `weight` and
            `bias` over the first token and the mean of all.
        storage: How to keep the large matrices.
        shape: The sizes of the encoder.
    """
    encoder = Encoder(tensors, storage, shape)
    heads = len(tensors["head.bias"])
    pooled_logits(encoder, "logits")
    return serialised(
        encoder, "label-encoder", {"ids": ["texts", "tokens"]}, {"logits": ["texts", heads]}
    )


def pooled_logits(encoder: Encoder, called: str) -> str:
    """Add trunk and head, and return the name of the logits."""
    writer, tensors = encoder.writer, encoder.tensors
    x = embeddings(encoder)
    for layer in range(encoder.shape.layers):
        x = encoder_layer(encoder, f"encoder.layer.{layer}.", x)
    one = writer.integers(1)
    kept = writer.node("Gather", [x, writer.integers(0)], "cls.kept", axis=1)
    first = writer.node("Squeeze", [kept, one], "cls")
    mean = writer.node("ReduceMean", [x, one], "mean", keepdims=0)
    seen = writer.node("Concat", [first, mean], "seen", axis=1)
    weight = writer.constant("head.matrix", tensors["head.weight"].T)
    bias = writer.constant("head.bias", tensors["head.bias"])
    return writer.node("Add", [writer.node("MatMul", [seen, weight], "product"), bias], called)
