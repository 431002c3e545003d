"""The network: the sentence model with logits on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.embedder.graph import Shape
from training.reader.network import load, published

Tensors = Mapping[str, NDArray[np.float32]]
_NOTHING = -1e4
_WORDS = "embeddings.word_embeddings.weight"


class Encoder(nn.Module):
    """Token ids in, logits out, linear in the first token and the mean of all.

    The tables stay as published, and as many of the lowest layers as are said to.
    """

    def __init__(
        self, tensors: Tensors, kept: Sequence[int], shape: Shape, *, outputs: int, frozen: int
    ) -> None:
        """Start from the published weights, less the word pieces that are not kept."""
        super().__init__()
        words = tensors[_WORDS][list(kept)]
        self.trunk = load({**tensors, _WORDS: words}, shape)
        self.pieces = len(words)
        self.shape = shape
        self.frozen = frozen
        self.head = nn.Linear(2 * shape.width, outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.drop = nn.Dropout(0.1)
        for layer in self.trunk.layers[frozen:]:
            layer.requires_grad_(requires_grad=True)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Return logits (texts, outputs) of token ids (texts, tokens); `real` is 0 for padding."""
        trunk = self.trunk
        mask = (1.0 - real[:, None, None, :].float()) * _NOTHING
        with torch.no_grad():
            places = torch.arange(ids.shape[1])
            x = trunk.norm(
                trunk.words(ids) + trunk.places(places) + trunk.sides(torch.zeros_like(ids))
            )
            for layer in trunk.layers[: self.frozen]:
                x = layer(x, mask)
        for layer in trunk.layers[self.frozen :]:
            x = layer(x, mask)
        x = x.float()
        weight = real[:, :, None].float()
        mean = (x * weight).sum(1) / weight.sum(1)
        logits: Tensor = self.head(self.drop(torch.cat([x[:, 0], mean], dim=1)))
        return logits

    def learnt(self) -> list[nn.Parameter]:
        """Return the parameters of the layers that learn, the head left out."""
        return list(self.trunk.layers[self.frozen :].parameters())

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights under their published names, and the head as `head`."""
        found = published(self.trunk.state_dict(), self.shape)
        found[_WORDS] = found[_WORDS][: self.pieces]
        for kind in ("weight", "bias"):
            found[f"head.{kind}"] = self.head.state_dict()[kind].float().numpy()
        return found
