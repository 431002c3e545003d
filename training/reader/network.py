"""The network: a small BERT that reads a rule and a case together, with a head a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as f
from numpy.typing import NDArray
from torch import Tensor, nn

from training.embedder.graph import MINILM, Shape
from training.reader.graph import HEADS

Tensors = Mapping[str, NDArray[np.float32]]
_NOTHING = -1e4
FROZEN = 2
"""So many of the lowest layers stay as published."""


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
        # Written out: on short texts the fused attention takes four times as long on a processor.
        scores = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5
        seen = torch.softmax(scores + mask, dim=-1).to(value.dtype) @ value
        seen = seen.transpose(1, 2).reshape(texts, tokens, width)
        x = self.attended_norm(x + self.attended(seen))
        return self.narrow_norm(x + self.narrow(f.gelu(self.wide(x))))


class Reader(nn.Module):
    """Token ids of rule and case in; a logit for the pair and one for each token out.

    The pair is judged from the first token, the mean of the case, and how that mean agrees with the
    mean of the rule: product and distance, in which the published weights already say what is
    about the same (Conneau et al. 2017, InferSent). One more linear layer says of each token
    whether it carries the answer, and another what a rule wants of its subject, read from the rule
    as its own case (`training/reader/stance_head.py`). The tables and the lowest layers stay as
    published: they know words already, and a processor learns a third faster without them.
    """

    def __init__(self, shape: Shape = MINILM) -> None:
        """Make the network; `load` fills it."""
        super().__init__()
        self.words = nn.Embedding(30522, shape.width)
        self.places = nn.Embedding(512, shape.width)
        self.sides = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pair = nn.Linear(4 * shape.width, 1)
        self.token = nn.Linear(shape.width, 1)
        self.stance = nn.Linear(4 * shape.width, 1)
        self.stance.requires_grad_(requires_grad=False)
        self.drop = nn.Dropout(0.1)
        for part in (self.words, self.places, self.sides, self.norm, *self.layers[:FROZEN]):
            part.requires_grad_(requires_grad=False)

    def forward(self, ids: Tensor, sides: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the pairs (texts,) and of the tokens (texts, tokens).

        Args:
            ids: Token ids (texts, tokens): [CLS] rule [SEP] case [SEP].
            sides: 0 for the tokens up to the first [SEP], 1 behind it.
            real: 1 for tokens, 0 for padding.
        """
        seen, x = self.seen(ids, sides, real)
        pair = self.pair(self.drop(seen))
        return pair[:, 0], self.token(x)[:, :, 0]

    def seen(self, ids: Tensor, sides: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a pair is judged from (texts, 4 * width), and the states of its tokens."""
        places = torch.arange(ids.shape[1])
        mask = (1.0 - real[:, None, None, :].float()) * _NOTHING
        with torch.no_grad():
            x = self.norm(self.words(ids) + self.places(places) + self.sides(sides))
            for layer in self.layers[:FROZEN]:
                x = layer(x, mask)
        for layer in self.layers[FROZEN:]:
            x = layer(x, mask)
        x = x.float()
        case, rule = _mean(x, sides * real), _mean(x, (1 - sides) * real)
        return torch.cat([x[:, 0], case, rule * case, (rule - case).abs()], dim=1), x


def _mean(x: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen tokens of each text."""
    weight = chosen[:, :, None].float()
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


def load(tensors: Tensors, shape: Shape = MINILM) -> Reader:
    """Return the network with the given weights; heads that are not among them say nothing yet."""
    reader = Reader(shape)
    state = reader.state_dict()
    for name in (f"{head}.{kind}" for head in HEADS for kind in ("weight", "bias")):
        state[name] = torch.zeros_like(state[name])
        if name in tensors:
            state[name] = torch.from_numpy(np.ascontiguousarray(tensors[name]))
    for name, value in _renamed(tensors, shape).items():
        # Of the table of places a shipped graph keeps only as many as a pair may have tokens.
        state[name][: len(value)] = torch.from_numpy(np.ascontiguousarray(value))
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


def published(state: Mapping[str, Tensor], shape: Shape = MINILM) -> dict[str, NDArray[np.float32]]:
    """Return what `load` renamed under the published names, and the heads under their own."""
    ours = {name: value.float().numpy() for name, value in state.items()}
    found = {
        "embeddings.word_embeddings.weight": ours["words.weight"],
        "embeddings.position_embeddings.weight": ours["places.weight"],
        "embeddings.token_type_embeddings.weight": ours["sides.weight"],
    }
    for kind in ("weight", "bias"):
        found |= {f"{head}.{kind}": ours[f"{head}.{kind}"] for head in HEADS}
        found[f"embeddings.LayerNorm.{kind}"] = ours[f"norm.{kind}"]
        for number in range(shape.layers):
            old, new = f"encoder.layer.{number}.", f"layers.{number}."
            parts = np.split(ours[f"{new}mixed.{kind}"], len(_MIXED))
            for part, value in zip(_MIXED, parts, strict=True):
                found[f"{old}attention.self.{part}.{kind}"] = value
            for name, theirs in _NAMES.items():
                found[f"{old}{theirs}.{kind}"] = ours[f"{new}{name}.{kind}"]
    return found
