"""A BERT sentence encoder as an ONNX graph, written straight from its tensors.

Texts go in as token ids, unit vectors come out: embeddings, transformer layers, mean over the
tokens and L2 normalisation all stand in the graph. Every text of a batch has the same number of
tokens, so there is no padding, no mask, and no vector that depends on its neighbours.

Source of the architecture: Devlin et al. 2019, BERT, section 3; of the pooling: Reimers and
Gurevych 2019, Sentence-BERT, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.embedder.source import Tensors

OPSET = 20  # the first with Gelu as an operator
IR_VERSION = 10


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT encoder; the defaults are those of all-MiniLM-L6-v2."""

    layers: int = 6
    width: int = 384
    heads: int = 12
    window: int = 256
    """Most tokens of a text; the model was trained with 256, whatever its position table holds."""
    epsilon: float = 1e-12


MINILM = Shape()


@dataclass
class Writer:
    """Collects the nodes and constants of a graph; every method returns the name to refer to."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Store `value` under `name`."""
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        """Store a small vector of integers once, however often it is used."""
        name = "i" + "_".join(str(value) for value in values)
        return self.constant(name, np.array(values, np.int64))

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add one operation."""
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output


Product = Callable[[Writer, str, str, NDArray[np.float32]], str]
"""Writes `x @ weight.T` for (writer, x, name, weight of shape (out, in)); returns the result."""
Lookup = Callable[[Writer, str, str, NDArray[np.float32]], str]
"""Writes `table[ids]` for (writer, ids, name, table); returns the result."""


@dataclass(frozen=True)
class Storage:
    """How the large matrices are kept, which decides size, speed and faithfulness."""

    product: Product
    lookup: Lookup


@dataclass(frozen=True)
class Encoder:
    """What is being written: which weights, kept how, of which sizes, into which graph."""

    tensors: Tensors
    storage: Storage
    shape: Shape
    writer: Writer = field(default_factory=Writer)


def sentence_encoder(tensors: Tensors, storage: Storage, shape: Shape = MINILM) -> bytes:
    """Return the serialised graph: `ids` int64 (texts, tokens) to `vectors` float32 (texts, width).

    Args:
        tensors: The weights under their names in Hugging Face's `BertModel`.
        storage: How to keep the large matrices.
        shape: The sizes of the encoder.
    """
    encoder = Encoder(tensors, storage, shape)
    writer = encoder.writer
    x = embeddings(encoder)
    for layer in range(shape.layers):
        x = encoder_layer(encoder, f"encoder.layer.{layer}.", x)
    mean = writer.node("ReduceMean", [x, writer.integers(1)], "mean", keepdims=0)
    writer.node("LpNormalization", [mean], "vectors", axis=-1, p=2)
    return serialised(
        encoder,
        "sentence-encoder",
        {"ids": ["texts", "tokens"]},
        {"vectors": ["texts", shape.width]},
    )


def serialised(
    encoder: Encoder,
    name: str,
    inputs: Mapping[str, Sequence[str | int]],
    outputs: Mapping[str, Sequence[str | int]],
) -> bytes:
    """Return the bytes of what was written; ids go in, floats come out, each with its shape."""

    def told(kind: int, shapes: Mapping[str, Sequence[str | int]]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(each, kind, shapes[each]) for each in shapes]

    graph = helper.make_graph(
        encoder.writer.nodes,
        name,
        told(TensorProto.INT64, inputs),
        told(TensorProto.FLOAT, outputs),
        list(encoder.writer.constants.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def embeddings(encoder: Encoder) -> str:
    """Words plus positions; only segment 0 occurs, so its vector is part of the position table."""
    writer, tensors = encoder.writer, encoder.tensors
    words = encoder.storage.lookup(
        writer, "ids", "words", tensors["embeddings.word_embeddings.weight"]
    )
    segment = tensors["embeddings.token_type_embeddings.weight"][0]
    table = tensors["embeddings.position_embeddings.weight"][: encoder.shape.window] + segment
    tokens = writer.node("Shape", ["ids"], "tokens", start=1, end=2)
    zero = writer.integers(0)
    positions = writer.node(
        "Slice", [writer.constant("positions", table), zero, tokens, zero], "position"
    )
    total = writer.node("Add", [words, positions], "embedded")
    return normalised(encoder, "embeddings.LayerNorm", total)


def encoder_layer(encoder: Encoder, prefix: str, x: str) -> str:
    """One transformer layer: attention and a feed-forward block, each added and normalised."""
    writer = encoder.writer

    def dense(name: str, value: str) -> str:
        weight, bias = (encoder.tensors[f"{prefix}{name}.{kind}"] for kind in ("weight", "bias"))
        return _dense(encoder, prefix + name, value, weight=weight, bias=bias)

    def add_and_normalise(name: str, value: str, residual: str) -> str:
        total = writer.node("Add", [value, residual], f"{prefix}{name}.added")
        return normalised(encoder, prefix + name, total)

    attended = dense("attention.output.dense", _attention(encoder, prefix + "attention.", x))
    x = add_and_normalise("attention.output.LayerNorm", attended, x)
    hidden = writer.node("Gelu", [dense("intermediate.dense", x)], f"{prefix}gelu")
    return add_and_normalise("output.LayerNorm", dense("output.dense", hidden), x)


def _attention(encoder: Encoder, prefix: str, x: str) -> str:
    """Multi-head self-attention over all tokens; one product makes queries, keys and values."""
    writer, shape = encoder.writer, encoder.shape
    head = shape.width // shape.heads
    # The scale of the scores is folded into the queries.
    parts = {"query": np.float32(head**-0.5), "key": np.float32(1), "value": np.float32(1)}
    weight, bias = (
        np.concatenate([encoder.tensors[f"{prefix}self.{n}.{kind}"] * f for n, f in parts.items()])
        for kind in ("weight", "bias")
    )
    joined = _dense(encoder, f"{prefix}qkv", x, weight=weight, bias=bias)

    def heads(number: int, name: str, axes: list[int]) -> str:
        bounds = [writer.integers(bound * shape.width) for bound in (number, number + 1)]
        part = writer.node("Slice", [joined, *bounds, writer.integers(-1)], prefix + name)
        sizes = writer.integers(0, 0, shape.heads, head)
        split = writer.node("Reshape", [part, sizes], f"{prefix}{name}.split")
        return writer.node("Transpose", [split], f"{prefix}{name}.heads", perm=axes)

    query, value = heads(0, "query", [0, 2, 1, 3]), heads(2, "value", [0, 2, 1, 3])
    scores = writer.node("MatMul", [query, heads(1, "key", [0, 2, 3, 1])], prefix + "scores")
    weights = writer.node("Softmax", [scores], prefix + "weights", axis=-1)
    mixed = writer.node("MatMul", [weights, value], prefix + "mixed")
    tokens = writer.node("Transpose", [mixed], prefix + "tokens", perm=[0, 2, 1, 3])
    return writer.node("Reshape", [tokens, writer.integers(0, 0, shape.width)], prefix + "attended")


def _dense(
    encoder: Encoder, name: str, x: str, *, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    product = encoder.storage.product(encoder.writer, x, name, weight)
    stored = encoder.writer.constant(f"{name}.bias", bias)
    return encoder.writer.node("Add", [product, stored], f"{name}.out")


def normalised(encoder: Encoder, name: str, x: str) -> str:
    """Layer normalisation with the gain and bias of `name`."""
    gain, bias = (
        encoder.writer.constant(f"{name}.{kind}", encoder.tensors[f"{name}.{kind}"])
        for kind in ("weight", "bias")
    )
    epsilon = encoder.shape.epsilon
    return encoder.writer.node(
        "LayerNormalization", [x, gain, bias], f"{name}.out", axis=-1, epsilon=epsilon
    )
