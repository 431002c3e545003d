"""The network: the sentence model with one logit on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from training.embedder.graph import MINILM, Shape
from training.encoder.network import Encoder
from training.reader.network import FROZEN

Tensors = Mapping[str, NDArray[np.float32]]
SHAPE = replace(MINILM, window=128)


class Detector(Encoder):
    """Token ids in, log-odds out that the text gives orders to whoever reads it by machine."""

    def __init__(self, tensors: Tensors, kept: Sequence[int], shape: Shape = SHAPE) -> None:
        """Start from the published weights, less the word pieces that are not kept."""
        super().__init__(tensors, kept, shape, outputs=1, frozen=FROZEN)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Return the logits (texts,) of token ids (texts, tokens); `real` is 0 for padding."""
        return super().forward(ids, real)[:, 0]
