"""Learn a detector in a given number of steps."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as f
from tokenizers import Tokenizer
from torch import Tensor

from retrieval.spoken import spoken
from training.classifier.rows import Row
from training.encoder.batches import padded
from training.encoder.descent import descend
from training.injection.network import SHAPE, Detector
from training.injection.rows import WRITTEN

SIZE = 32
POOL = 16
"""Batches that are drawn at once and sorted by length, so that little of a batch is padding."""
PEAK = 1e-4
SURE = 0.99
"""What the right answer is taken for: sources disagree on what an order is."""
MIXED = 0.15
"""Share of texts that stand before or behind an everyday one: an order may hide in a long post."""
MIXED_TOKENS = 60
EVERYDAY = "everyday"
SHARES: Mapping[tuple[str, int], float] = {
    ("prompt_injection", 1): 0.13,
    ("injection_variants", 1): 0.09,
    ("own", 1): 0.09,
    (WRITTEN, 1): 0.19,
    ("prompt_injection", 0): 0.11,
    ("notinject", 0): 0.07,
    ("own", 0): 0.09,
    (WRITTEN, 0): 0.12,
    (EVERYDAY, 0): 0.17,
}
"""How often each source is drawn from, by answer; what is not named here is everyday."""

_Encoded = tuple[list[int], float]


@dataclass(frozen=True)
class _Pool:
    texts: Mapping[tuple[str, int], Sequence[list[int]]]
    edges: tuple[int, int]
    """The ids of [CLS] and [SEP]."""


def learn(
    detector: Detector, rows: Sequence[Row], tokenizer: Tokenizer, *, steps: int, seed: int = 0
) -> Detector:
    """Return the detector after `steps` steps over texts drawn from `rows`."""
    torch.manual_seed(seed)
    stream = _batches(_pool(rows, tokenizer), random.Random(seed))
    descend(detector, stream, lambda batch: _loss(detector, batch), steps=steps, peak=PEAK)
    return detector


def _loss(detector: Detector, batch: Sequence[_Encoded]) -> Tensor:
    ids, real = padded([ids for ids, _ in batch])
    y = torch.tensor([answer for _, answer in batch])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = detector(ids, real)
    return f.binary_cross_entropy_with_logits(logits, SURE * y + (1 - SURE) * (1 - y))


def _pool(rows: Sequence[Row], tokenizer: Tokenizer) -> _Pool:
    texts: dict[tuple[str, int], list[list[int]]] = defaultdict(list)
    for row in rows:
        answer = row.known["injection"]
        key = (row.source, answer) if (row.source, answer) in SHARES else (EVERYDAY, answer)
        ids = tokenizer.encode(spoken(row.text).text, add_special_tokens=False).ids
        if ids and key in SHARES:
            texts[key].append(ids)
    return _Pool(texts, (tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 0))


def _batches(pool: _Pool, chance: random.Random) -> Iterator[list[_Encoded]]:
    keys = [key for key in SHARES if pool.texts.get(key)]
    weights = [SHARES[key] for key in keys]
    while True:
        drawn = [
            (_drawn(pool, key, chance), float(key[1]))
            for key in chance.choices(keys, weights, k=SIZE * POOL)
        ]
        drawn.sort(key=lambda one: len(one[0]))
        batches = [drawn[start : start + SIZE] for start in range(0, len(drawn), SIZE)]
        chance.shuffle(batches)
        yield from batches


def _drawn(pool: _Pool, key: tuple[str, int], chance: random.Random) -> list[int]:
    """Return a text of the pool, cut to the window, now and then beside an everyday one."""
    room = SHAPE.window - 2
    ids = chance.choice(pool.texts[key])
    if len(ids) > room:
        start = chance.choice((0, chance.randrange(len(ids) - room + 1)))
        ids = ids[start : start + room]
    others = pool.texts.get((EVERYDAY, 0), ())
    if others and chance.random() < MIXED:
        other = chance.choice(others)[: min(MIXED_TOKENS, room - len(ids))]
        ids = other + ids if chance.random() < 1 / 2 else ids + other
    return [pool.edges[0], *ids, pool.edges[1]]
