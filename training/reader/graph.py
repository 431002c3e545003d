"""The reader as an ONNX graph, written straight from its tensors.

One pair goes in at a time, as token ids and the side that each stands on; the logit of the pair
and one for each token come out. Pairs of one length may share a run; nothing is ever padded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from training.embedder.graph import (
    MINILM,
    Encoder,
    Shape,
    Storage,
    encoder_layer,
    normalised,
    serialised,
)

Tensors = Mapping[str, NDArray[np.float32]]
HEADS = ("pair", "token", "stance")


def pair_reader(tensors: Tensors, storage: Storage, shape: Shape = MINILM) -> bytes:
    """Return the serialised graph.

    `ids` and `sides`, int64 of (pairs, tokens), become `pair`, float32 of (pairs,), and `words`,
    float32 of (pairs, tokens): log-odds that the case breaks the rule, and that a token carries it;
    and `stance`, float32 of (pairs,): where the case is the rule itself, that it forbids.

    Args:
        tensors: The trunk under Hugging Face's names in `BertModel`, and the heads `pair`,
            `token` and `stance`, each with `weight` and `bias`.
        storage: How to keep the large matrices.
        shape: The sizes; its window is the longest pair.
    """
    encoder = Encoder(tensors, storage, shape)
    x = _embedded(encoder)
    for layer in range(shape.layers):
        x = encoder_layer(encoder, f"encoder.layer.{layer}.", x)
    _heads(encoder, x)
    pairs = ["pairs", "tokens"]
    return serialised(
        encoder,
        "pair-reader",
        {"ids": pairs, "sides": pairs},
        {"pair": ["pairs"], "words": pairs, "stance": ["pairs"]},
    )


def _embedded(encoder: Encoder) -> str:
    """Words, places and sides, added and normalised."""
    writer, tensors = encoder.writer, encoder.tensors
    words = encoder.storage.lookup(
        writer, "ids", "words.table", tensors["embeddings.word_embeddings.weight"]
    )
    table = tensors["embeddings.position_embeddings.weight"][: encoder.shape.window]
    tokens = writer.node("Shape", ["ids"], "tokens", start=1, end=2)
    zero = writer.integers(0)
    places = writer.node(
        "Slice", [writer.constant("places.table", table), zero, tokens, zero], "places"
    )
    kinds = writer.constant("sides.table", tensors["embeddings.token_type_embeddings.weight"])
    sides = writer.node("Gather", [kinds, "sides"], "sides.found")
    placed = writer.node("Add", [words, places], "placed")
    return normalised(
        encoder, "embeddings.LayerNorm", writer.node("Add", [placed, sides], "embedded")
    )


def _heads(encoder: Encoder, x: str) -> None:
    """The pair from the first token and the means of rule and case; the words from their tokens."""
    writer, tensors = encoder.writer, encoder.tensors
    one, last_axis = writer.integers(1), writer.integers(-1)
    kept = writer.node("Gather", [x, writer.integers(0)], "cls.kept", axis=1)
    first = writer.node("Squeeze", [kept, one], "cls")
    on = writer.node("Cast", ["sides"], "case.on", to=TensorProto.FLOAT)
    whole = writer.constant("whole", np.ones(1, np.float32))
    off = writer.node("Sub", [whole, on], "rule.on")
    case, rule = _mean(encoder, x, on, "case"), _mean(encoder, x, off, "rule")
    agreed = writer.node("Mul", [rule, case], "agreed")
    apart = writer.node("Abs", [writer.node("Sub", [rule, case], "difference")], "apart")
    seen = writer.node("Concat", [first, case, agreed, apart], "seen", axis=1)
    for name, value, output in zip(
        HEADS, (seen, x, seen), ("pair", "words", "stance"), strict=True
    ):
        weight = writer.constant(f"{name}.matrix", tensors[f"{name}.weight"].T)
        bias = writer.constant(f"{name}.bias", tensors[f"{name}.bias"])
        product = writer.node("MatMul", [value, weight], f"{name}.product")
        added = writer.node("Add", [product, bias], f"{name}.added")
        writer.node("Squeeze", [added, last_axis], output)


def _mean(encoder: Encoder, x: str, on: str, name: str) -> str:
    """The mean of the tokens that are on."""
    writer, one = encoder.writer, encoder.writer.integers(1)
    wide = writer.node("Unsqueeze", [on, writer.integers(-1)], f"{name}.wide")
    masked = writer.node("Mul", [x, wide], f"{name}.masked")
    total = writer.node("ReduceSum", [masked, one], f"{name}.total", keepdims=0)
    count = writer.node("ReduceSum", [on, one], f"{name}.count", keepdims=1)
    return writer.node("Div", [total, count], f"{name}.mean")
