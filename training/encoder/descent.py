"""The steps by which an encoder learns, whatever its batches and its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

from training.encoder.batches import slope
from training.encoder.network import Encoder

PACE_OF_HEAD = 10.0
"""The head begins from nothing, and takes steps so many times as long as the rest."""
_TOLD = 100

Batch = TypeVar("Batch")


def descend(
    encoder: Encoder,
    batches: Iterable[Batch],
    loss_of: Callable[[Batch], Tensor],
    *,
    steps: int,
    peak: float,
) -> None:
    """Take `steps` steps of AdamW down the loss of one batch each; `peak` is the longest."""
    groups = [
        {"params": encoder.learnt(), "pace": 1.0},
        {"params": list(encoder.head.parameters()), "pace": PACE_OF_HEAD},
    ]
    optimizer = torch.optim.AdamW(groups, lr=peak, weight_decay=0.01, fused=True)
    encoder.train()
    lost = 0.0
    for step, batch in zip(range(1, steps + 1), batches, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = peak * group["pace"] * slope(step / steps)
        loss = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        lost += float(loss.item())
        if step % _TOLD == 0:
            print(f"step {step}, loss {lost / _TOLD:.4f}", flush=True)
            lost = 0.0
    encoder.eval()
