"""What every transformer that is taught here needs: padding, and the pace of learning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

WARM = 0.06


def padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return token ids filled up with zeros to (texts, tokens), and where they are real."""
    longest = max(map(len, texts))
    ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])
    real = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    return ids, real


def slope(share: float) -> float:
    """Return the pace after a share of all steps: up for a moment, then evenly down."""
    return share / WARM if share < WARM else max((1 - share) / (1 - WARM), 0.02)
