"""The detector as an ONNX graph, written straight from its tensors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from training.embedder.graph import (
    IR_VERSION,
    OPSET,
    Encoder,
    Shape,
    Storage,
    embeddings,
    encoder_layer,
)

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
    writer = encoder.writer
    x = embeddings(encoder)
    for layer in range(shape.layers):
        x = encoder_layer(encoder, f"encoder.layer.{layer}.", x)
    one = writer.integers(1)
    kept = writer.node("Gather", [x, writer.integers(0)], "cls.kept", axis=1)
    first = writer.node("Squeeze", [kept, one], "cls")
    mean = writer.node("ReduceMean", [x, one], "mean", keepdims=0)
    seen = writer.node("Concat", [first, mean], "seen", axis=1)
    weight = writer.constant("head.matrix", tensors["head.weight"].T)
    bias = writer.constant("head.bias", tensors["head.bias"])
    added = writer.node("Add", [writer.node("MatMul", [seen, weight], "product"), bias], "added")
    writer.node("Squeeze", [added, writer.integers(-1)], "logit")
    graph = helper.make_graph(
        writer.nodes,
        "injection-detector",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["texts"])],
        list(writer.constants.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))
