"""The network: the sentence model with one logit on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.embedder.graph import MINILM, Shape
from training.reader.network import FROZEN, load, published

Tensors = Mapping[str, NDArray[np.float32]]
SHAPE = replace(MINILM, window=128)
_NOTHING = -1e4


class Detector(nn.Module):
    """Token ids in, log-odds out that the text gives orders to whoever reads it by machine.

    The tables and the lowest two layers stay as published. The logit is linear in the first token
    and the mean of all.
    """

    def __init__(self, tensors: Tensors, kept: Sequence[int], shape: Shape = SHAPE) -> None:
        """Start from the published weights, less the word pieces that are not kept."""
        super().__init__()
        words = tensors["embeddings.word_embeddings.weight"][list(kept)]
        self.trunk = load({**tensors, "embeddings.word_embeddings.weight": words}, shape)
        self.pieces = len(words)
        self.shape = shape
        self.head = nn.Linear(2 * shape.width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.drop = nn.Dropout(0.1)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Return the logits (texts,) of token ids (texts, tokens); `real` is 0 for padding."""
        trunk = self.trunk
        mask = (1.0 - real[:, None, None, :].float()) * _NOTHING
        with torch.no_grad():
            places = torch.arange(ids.shape[1])
            x = trunk.norm(
                trunk.words(ids) + trunk.places(places) + trunk.sides(torch.zeros_like(ids))
            )
            for layer in trunk.layers[:FROZEN]:
                x = layer(x, mask)
        for layer in trunk.layers[FROZEN:]:
            x = layer(x, mask)
        x = x.float()
        weight = real[:, :, None].float()
        mean = (x * weight).sum(1) / weight.sum(1)
        logit: Tensor = self.head(self.drop(torch.cat([x[:, 0], mean], dim=1)))
        return logit[:, 0]

    def learnt(self) -> list[nn.Parameter]:
        """Return the parameters of the layers that learn, the head left out."""
        return list(self.trunk.layers[FROZEN:].parameters())

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights under their published names, and the head as `head`."""
        found = published(self.trunk.state_dict(), self.shape)
        name = "embeddings.word_embeddings.weight"
        found[name] = found[name][: self.pieces]
        for kind in ("weight", "bias"):
            found[f"head.{kind}"] = self.head.state_dict()[kind].float().numpy()
        return found
