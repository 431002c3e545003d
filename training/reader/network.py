"""The network: a small BERT that reads a rule and a case together, with a head for each question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as f
from numpy.typing import NDArray
from torch import Tensor, nn

from training.embedder.graph import MINILM, Shape

Tensors = Mapping[str, NDArray[np.float32]]


class Layer(nn.Module):
    """One transformer layer (Devlin et al. 2019, BERT, section 3)."""

    def __init__(self, shape: Shape) -> None:
        """Make the matrices; their values come with `load`."""
        super().__init__()
        self.heads = shape.heads
        self.mixed = nn.Linear(shape.width, 3 * shape.width)
        self.attended = nn.Linear(shape.width, shape.width)
        self.attended_norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.wide = nn.Linear(shape.width, 4 * shape.width)
        self.narrow = nn.Linear(4 * shape.width, shape.width)
        self.narrow_norm = nn.LayerNorm(shape.width, eps=shape.epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the next states of (texts, tokens, width)."""
        texts, tokens, width = x.shape
        mixed = self.mixed(x).view(texts, tokens, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = f.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(texts, tokens, width)
        x = self.attended_norm(x + self.attended(seen))
        return self.narrow_norm(x + self.narrow(f.gelu(self.wide(x))))


class Reader(nn.Module):
    """Token ids of rule and case in; a logit for the pair and one for each token out.

    The pair is judged from the first token and the mean of the tokens of the case; the same linear
    layer of the tokens says which words carry it. The table of words stays as published: it is
    most of the weights, and few of its rows are seen in training.
    """

    def __init__(self, shape: Shape = MINILM) -> None:
        """Make the network; `load` fills it."""
        super().__init__()
        self.words = nn.Embedding(30522, shape.width)
        self.places = nn.Embedding(512, shape.width)
        self.sides = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pair = nn.Linear(2 * shape.width, 1)
        self.token = nn.Linear(shape.width, 1)
        self.drop = nn.Dropout(0.1)
        self.words.weight.requires_grad = False

    def forward(self, ids: Tensor, sides: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the pairs (texts,) and of the tokens (texts, tokens).

        Args:
            ids: Token ids (texts, tokens): [CLS] rule [SEP] case [SEP].
            sides: 0 for the tokens up to the first [SEP], 1 behind it.
            real: 1 for tokens, 0 for padding.
        """
        places = torch.arange(ids.shape[1])
        x = self.norm(self.words(ids) + self.places(places) + self.sides(sides))
        mask = real[:, None, None, :].bool()
        for layer in self.layers:
            x = layer(self.drop(x), mask)
        x = x.float()
        of_case = (sides * real)[:, :, None].float()
        mean = (x * of_case).sum(1) / of_case.sum(1).clamp(min=1)
        pair = self.pair(self.drop(torch.cat([x[:, 0], mean], dim=1)))
        return pair[:, 0], self.token(x)[:, :, 0]


def load(tensors: Tensors, shape: Shape = MINILM) -> Reader:
    """Return the network with the published weights, and heads that say nothing yet."""
    reader = Reader(shape)
    state = reader.state_dict()
    for name, value in _renamed(tensors, shape).items():
        state[name] = torch.from_numpy(np.ascontiguousarray(value))
    for head in ("pair", "token"):
        state[f"{head}.weight"] = torch.zeros_like(state[f"{head}.weight"])
        state[f"{head}.bias"] = torch.zeros_like(state[f"{head}.bias"])
    reader.load_state_dict(state)
    return reader


def _renamed(tensors: Tensors, shape: Shape) -> dict[str, NDArray[np.float32]]:
    found: dict[str, Any] = {
        "words.weight": tensors["embeddings.word_embeddings.weight"],
        "places.weight": tensors["embeddings.position_embeddings.weight"],
        "sides.weight": tensors["embeddings.token_type_embeddings.weight"],
    }
    for kind in ("weight", "bias"):
        found[f"norm.{kind}"] = tensors[f"embeddings.LayerNorm.{kind}"]
        for number in range(shape.layers):
            old, new = f"encoder.layer.{number}.", f"layers.{number}."
            mixed = [tensors[f"{old}attention.self.{part}.{kind}"] for part in _MIXED]
            found[f"{new}mixed.{kind}"] = np.concatenate(mixed)
            for ours, theirs in _NAMES.items():
                found[f"{new}{ours}.{kind}"] = tensors[f"{old}{theirs}.{kind}"]
    return found


_MIXED = ("query", "key", "value")
_NAMES = {
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "narrow_norm": "output.LayerNorm",
}
