"""Five ways to keep the large matrices; `BLOCKS` is what ships, the others are what it beat.

The shipped one rounds each run of 64 inputs of a row to int8 with a scale of its own and computes
in fp32. One scale a row is not enough: the second matrix of the feed-forward block has a few large
columns, and they take the resolution of their whole row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from training.embedder.graph import Storage, Writer

BLOCK = 64
_LARGEST = 127


def rounded(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values and scales (`axis` kept as 1); their product is `values`, nearly.

    The largest value along `axis` becomes 127, so that zero stays zero and nothing is clipped.
    """
    largest = np.abs(values).max(axis=axis, keepdims=True)
    scales = np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)
    return np.rint(values / scales).astype(np.int8), scales


def block_product(writer: Writer, x: str, name: str, weight: NDArray[np.float32]) -> str:
    """Int8 with one scale for each block of 64 inputs; the product in fp32.

    Cast, Mul and Reshape rather than DequantizeLinear: a runtime folds them into fp32 weights when
    it loads the graph, while it would fuse DequantizeLinear and MatMul into a product that rounds
    the activations as well, unless told not to.
    """
    outputs, inputs = weight.shape
    size = BLOCK if inputs % BLOCK == 0 else inputs
    blocks = weight.T.reshape(inputs // size, size, outputs)
    values, scales = rounded(blocks, axis=1)
    cast = writer.node(
        "Cast", [writer.constant(f"{name}.int8", values)], f"{name}.cast", to=TensorProto.FLOAT
    )
    scaled = writer.node("Mul", [cast, writer.constant(f"{name}.scale", scales)], f"{name}.scaled")
    restored = writer.node(
        "Reshape", [scaled, writer.integers(inputs, outputs)], f"{name}.restored"
    )
    return writer.node("MatMul", [x, restored], f"{name}.product")


def row_product(writer: Writer, x: str, name: str, weight: NDArray[np.float32]) -> str:
    """Int8 with one scale for each output; the product in fp32."""
    values, scales = rounded(weight.T, axis=0)
    cast = writer.node(
        "Cast", [writer.constant(f"{name}.int8", values)], f"{name}.cast", to=TensorProto.FLOAT
    )
    restored = writer.node(
        "Mul", [cast, writer.constant(f"{name}.scale", scales)], f"{name}.restored"
    )
    return writer.node("MatMul", [x, restored], f"{name}.product")


def dynamic_product(writer: Writer, x: str, name: str, weight: NDArray[np.float32]) -> str:
    """Int8 with one scale for each output, and activations rounded to 8 bits on the way in."""
    values, scales = rounded(weight.T, axis=0)
    parts = [f"{name}.{part}" for part in ("x", "x_scale", "x_zero")]
    # The one operation here with three outputs, so it does not go through `Writer.node`.
    writer.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], parts))
    whole = writer.node(
        "MatMulInteger",
        [parts[0], writer.constant(f"{name}.int8", values), parts[2]],
        f"{name}.integers",
    )
    cast = writer.node("Cast", [whole], f"{name}.cast", to=TensorProto.FLOAT)
    scale = writer.node(
        "Mul", [parts[1], writer.constant(f"{name}.scale", scales[0])], f"{name}.both"
    )
    return writer.node("Mul", [cast, scale], f"{name}.product")


def half_product(writer: Writer, x: str, name: str, weight: NDArray[np.float32]) -> str:
    """Kept as fp16; the product in fp32."""
    stored = writer.constant(f"{name}.fp16", weight.T.astype(np.float16))
    restored = writer.node("Cast", [stored], f"{name}.restored", to=TensorProto.FLOAT)
    return writer.node("MatMul", [x, restored], f"{name}.product")


def full_product(writer: Writer, x: str, name: str, weight: NDArray[np.float32]) -> str:
    """As published."""
    return writer.node("MatMul", [x, writer.constant(f"{name}.fp32", weight.T)], f"{name}.product")


def rounded_lookup(writer: Writer, ids: str, name: str, table: NDArray[np.float32]) -> str:
    """Int8 with one scale for each row; only the rows of this text become fp32."""
    values, scales = rounded(table, axis=1)
    rows = writer.node("Gather", [writer.constant(f"{name}.int8", values), ids], f"{name}.rows")
    cast = writer.node("Cast", [rows], f"{name}.cast", to=TensorProto.FLOAT)
    scale = writer.node("Gather", [writer.constant(f"{name}.scale", scales), ids], f"{name}.scales")
    return writer.node("Mul", [cast, scale], f"{name}.found")


def half_lookup(writer: Writer, ids: str, name: str, table: NDArray[np.float32]) -> str:
    """Kept as fp16."""
    stored = writer.constant(f"{name}.fp16", table.astype(np.float16))
    rows = writer.node("Gather", [stored, ids], f"{name}.rows")
    return writer.node("Cast", [rows], f"{name}.found", to=TensorProto.FLOAT)


def full_lookup(writer: Writer, ids: str, name: str, table: NDArray[np.float32]) -> str:
    """As published."""
    return writer.node("Gather", [writer.constant(f"{name}.fp32", table), ids], f"{name}.found")


FULL = Storage(full_product, full_lookup)
HALF = Storage(half_product, half_lookup)
ROWS = Storage(row_product, rounded_lookup)
BLOCKS = Storage(block_product, rounded_lookup)
DYNAMIC = Storage(dynamic_product, rounded_lookup)
