"""Learn for a given time, on however few cores there are, and carry on where it was broken off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as f
from torch import Tensor

from training.reader.batches import Batch
from training.reader.network import Reader

PEAK = 2e-4
PACE_OF_HEADS = 10.0
WARM = 0.02
"""Share of the time in which the steps grow; behind it they shrink to nothing in a line."""
WORDS_WEIGHT = 0.3
MEMORY, MEAN_EVERY = 0.98, 5
"""What ships is a running mean of the weights; so much of it stays, each so many steps."""
SAVE_EVERY = 60.0


@dataclass(frozen=True)
class Plan:
    """How long, and where to keep what was learnt so far."""

    seconds: float
    checkpoint: Path
    beside: Sequence[Path] = ()
    """The checkpoints of other processes that learn from other pairs at the same time. Whenever
    this one saves, it takes the mean of all weights (local SGD, Stich 2019): on a busy machine
    single threads learn more side by side than threads that wait for each other."""
    peak: float = PEAK


def learn(reader: Reader, stream: Iterator[Batch], plan: Plan) -> Reader:
    """Return the running mean of the weights after `plan.seconds` of work.

    The length of a step follows the clock and not a count, so that a slow machine learns less and
    still ends well.
    """
    mean = {name: value.clone() for name, value in reader.state_dict().items()}
    optimizer = torch.optim.AdamW(_groups(reader), lr=plan.peak, weight_decay=0.01, fused=True)
    spent, steps = _resumed(reader, mean, optimizer, plan.checkpoint)
    last = started = time.monotonic()
    saved, sums = started, [0.0, 0.0, 0.0]
    reader.train()
    for batch in stream:
        rate = plan.peak * _slope(min(spent / plan.seconds, 1.0))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["pace"]
        loss, right = _step(reader, batch, optimizer)
        steps += 1
        if steps % MEAN_EVERY == 0:
            _remember(reader, mean)
        now = time.monotonic()
        spent, last = spent + now - last, now
        sums = [sums[0] + loss, sums[1] + right, sums[2] + len(batch.ids)]
        done = spent >= plan.seconds
        if now - saved > SAVE_EVERY or done:
            state = {
                "reader": reader.state_dict(),
                "mean": mean,
                "optimizer": optimizer.state_dict(),
            }
            torch.save(
                {**state, "spent": spent, "steps": steps}, plan.checkpoint.with_suffix(".new")
            )
            plan.checkpoint.with_suffix(".new").replace(plan.checkpoint)
            told = {
                "seconds": round(spent),
                "steps": steps,
                "pairs": sums[2],
                "rate": round(rate, 6),
                "loss": round(sums[0] / sums[2], 4),
                "right": round(sums[1] / sums[2], 4),
            }
            print(json.dumps(told), flush=True)
            _meet(reader, [file for file in plan.beside if file.exists()])
            saved, sums = now, [0.0, 0.0, 0.0]
        if done:
            break
    reader.load_state_dict(mean)
    return reader


def _groups(reader: Reader) -> list[dict[str, Any]]:
    """The heads begin with nothing and learn in longer steps than what is published."""
    heads = [*reader.pair.parameters(), *reader.token.parameters()]
    own = {id(value) for value in heads}
    trunk = [v for v in reader.parameters() if v.requires_grad and id(v) not in own]
    return [{"params": trunk, "pace": 1.0}, {"params": heads, "pace": PACE_OF_HEADS}]


def _remember(reader: Reader, mean: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in reader.named_parameters():
            if value.requires_grad:
                mean[name].lerp_(value, 1 - MEMORY)


def _resumed(
    reader: Reader, mean: dict[str, Tensor], optimizer: torch.optim.Optimizer, file: Path
) -> tuple[float, int]:
    if not file.exists():
        return 0.0, 0
    state = torch.load(file, weights_only=True)
    reader.load_state_dict(state["reader"])
    mean.update(state["mean"])
    if "optimizer" in state:
        optimizer.load_state_dict(state["optimizer"])
    return float(state["spent"]), int(state["steps"])


def _meet(reader: Reader, others: Sequence[Path]) -> None:
    """Move the weights to the mean of all processes."""
    for number, file in enumerate(others, start=1):
        state = torch.load(file, weights_only=True, mmap=True)["reader"]
        with torch.no_grad():
            for name, value in reader.named_parameters():
                if value.requires_grad:
                    value.lerp_(state[name], 1 / (number + 1))


def _slope(share: float) -> float:
    return share / WARM if share < WARM else max((1 - share) / (1 - WARM), 0.02)


def _step(reader: Reader, batch: Batch, optimizer: torch.optim.Optimizer) -> tuple[float, float]:
    """Learn from one batch; return the summed loss of its pairs, and how many it had right."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pair, token = reader(batch.ids, batch.sides, batch.real)
    each = f.binary_cross_entropy_with_logits(pair, batch.violates, reduction="sum")
    loss = each / len(pair)
    known = batch.marked >= 0
    if known.any():
        words = f.binary_cross_entropy_with_logits(token[known], batch.marked[known].float())
        loss = loss + WORDS_WEIGHT * words
    loss.backward()
    torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(each.detach()), float(((pair > 0) == (batch.violates > 0.5)).sum())  # noqa: PLR2004 - the middle
