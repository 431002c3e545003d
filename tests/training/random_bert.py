"""Random weights of a small BERT, for tests of the graphs that are written from weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.embedder.graph import Shape

Tensors = dict[str, NDArray[np.float32]]


def random_tensors(shape: Shape, *, words: int) -> Tensors:
    """Return random weights under Hugging Face's names."""
    random = np.random.default_rng(5)

    def draw(*size: int) -> NDArray[np.float32]:
        return random.normal(0, 0.2, size).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": draw(words, shape.width),
        "embeddings.position_embeddings.weight": draw(2 * shape.window, shape.width),
        "embeddings.token_type_embeddings.weight": draw(2, shape.width),
    }
    sizes = dict.fromkeys(("query", "key", "value"), (shape.width, shape.width))
    dense = {f"attention.self.{name}": size for name, size in sizes.items()} | {
        "attention.output.dense": (shape.width, shape.width),
        "intermediate.dense": (2 * shape.width, shape.width),
        "output.dense": (shape.width, 2 * shape.width),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(shape.layers):
        prefix = f"encoder.layer.{layer}."
        for name, size in dense.items():
            made[f"{prefix}{name}.weight"], made[f"{prefix}{name}.bias"] = (
                draw(*size),
                draw(size[0]),
            )
        norms += [f"{prefix}attention.output.LayerNorm", f"{prefix}output.LayerNorm"]
    for name in norms:
        made[f"{name}.weight"], made[f"{name}.bias"] = 1 + draw(shape.width), draw(shape.width)
    return made
