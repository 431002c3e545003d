"""Learn an encoder in a given number of steps.

What it says of a text and of the same text about another group is drawn together while it learns
(counterfactual logit pairing; Garg et al. 2019, arXiv 1809.10610).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as f
from tokenizers import Tokenizer
from torch import Tensor

from retrieval.spoken import spoken
from training.classifier.rows import Row
from training.embedder.graph import MINILM
from training.encoder.batches import padded
from training.encoder.descent import descend
from training.encoder.heads import Told, told
from training.encoder.network import Encoder
from training.encoder.swap import Swap

SHAPE = replace(MINILM, window=128)
FROZEN = 2
"""So many of the lowest layers stay as published: a processor learns a third faster without."""
SIZE = 48
POOL = 16
"""Batches that are drawn at once and sorted by length, so that little of a batch is padding."""
LONGEST = 96
"""Tokens of a text that are learnt from at once; of a longer one its beginning or any stretch."""
PEAK = 2e-4
SWAPPED = 2 / 3
"""How often a text that names a group is learnt from as one about another group."""
SWAPS = 4
"""So many other readings of such a text are made beforehand."""
PAIRED = 0.5
"""What a difference of one between the logits of two such readings costs, head by head."""
SURE = 0.98
"""What the right answer is taken for: people who label texts err."""
SHARES: Mapping[str, float] = {
    "hatexplain": 0.16,
    "hatemoji": 0.16,
    "davidson": 0.08,
    "toxic_spans": 0.06,
    "own": 0.13,
    "own, identity": 0.10,
    "own, pairs": 0.08,
    "emoji": 0.09,
    "openai_moderation": 0.06,
    "sms_spam": 0.02,
    "crypto_scam": 0.04,
    "pii": 0.03,
    "prompt_injection": 0.03,
    "injection_variants": 0.005,
    "notinject": 0.005,
}
"""How often each set is drawn from, in proportion; half of the time a text with a label."""
_OF_OWN: Mapping[str, str] = {"identity": ", identity", "more": ", pairs"}


@dataclass(frozen=True)
class _Texts:
    ids: Sequence[list[int]]
    others: Mapping[int, Sequence[list[int]]]
    """The same texts about other groups, of those rows that name one."""
    told: Told
    kinds: Mapping[tuple[str, bool], list[int]]
    """The rows of a set that carry a label, and those that carry none."""
    edges: tuple[int, int]
    """The ids of [CLS] and [SEP]."""


def learn(
    encoder: Encoder, rows: Sequence[Row], tokenizer: Tokenizer, *, steps: int, seed: int = 0
) -> Encoder:
    """Return the encoder after `steps` steps over texts drawn from `rows`."""
    torch.manual_seed(seed)
    texts, chance = _texts(rows, tokenizer), random.Random(seed)

    def loss(batch: Sequence[int]) -> Tensor:
        return _loss(encoder, texts, batch, chance)

    descend(encoder, _batches(texts, chance), loss, steps=steps, peak=PEAK)
    return encoder


def _loss(encoder: Encoder, texts: _Texts, batch: Sequence[int], chance: random.Random) -> Tensor:
    """Return what the answers to a batch cost, and how far the name of a group moves them."""
    starts = [chance.choice((0.0, chance.random())) for _ in batch]
    naming = [place for place, row in enumerate(batch) if row in texts.others]
    read = [
        _shortened(_reading(texts, row, chance), texts.edges, start)
        for row, start in zip(batch, starts, strict=True)
    ]
    again = [
        _shortened(chance.choice(texts.others[batch[place]]), texts.edges, starts[place])
        for place in naming
    ]
    ids, real = padded([*read, *again])
    y = torch.from_numpy(texts.told.y[batch])
    weight = torch.from_numpy(texts.told.weight[batch])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = encoder(ids, real).float()
    said, otherwise = logits.split([len(read), len(again)])
    wanted = SURE * y + (1 - SURE) * (1 - y)
    each = f.binary_cross_entropy_with_logits(said, wanted, reduction="none")
    apart = f.smooth_l1_loss(otherwise, said[naming], reduction="none").sum()
    return (each * weight).sum() / weight.sum() + PAIRED * apart / said.numel()


def _texts(rows: Sequence[Row], tokenizer: Tokenizer) -> _Texts:
    encoded = _encoded([row.text for row in rows], tokenizer)
    kinds: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for place, (row, ids) in enumerate(zip(rows, encoded, strict=True)):
        if ids and (drawn := _drawn_as(row)) in SHARES:
            kinds[drawn, any(row.known.values())].append(place)
    edges = (tokenizer.token_to_id("[CLS]") or 0, tokenizer.token_to_id("[SEP]") or 0)
    return _Texts(encoded, _others(rows, tokenizer), told(rows), kinds, edges)


def _others(rows: Sequence[Row], tokenizer: Tokenizer) -> Mapping[int, Sequence[list[int]]]:
    swap, chance = Swap(), random.Random(0)
    naming = [place for place, row in enumerate(rows) if swap.names(row.text)]
    texts = [swap.swapped(rows[place].text, chance) for place in naming for _ in range(SWAPS)]
    encoded = _encoded(texts, tokenizer)
    return {place: encoded[SWAPS * n : SWAPS * (n + 1)] for n, place in enumerate(naming)}


def _encoded(texts: Sequence[str], tokenizer: Tokenizer) -> list[list[int]]:
    said = [spoken(text.strip()).text for text in texts]
    return [found.ids for found in tokenizer.encode_batch(said, add_special_tokens=False)]


def _drawn_as(row: Row) -> str:
    """Return the name in `SHARES` by which a row is drawn; our own have three."""
    beginning = row.family.partition(".")[0]
    return f"{row.source}{_OF_OWN.get(beginning, '')}" if row.source == "own" else row.source


def _batches(texts: _Texts, chance: random.Random) -> Iterator[list[int]]:
    """Draw every text of a kind once before any comes again."""
    kinds = sorted(texts.kinds)
    weights = [SHARES[source] for source, _ in kinds]
    waiting: dict[tuple[str, bool], list[int]] = defaultdict(list)
    while True:
        drawn = []
        for kind in chance.choices(kinds, weights, k=SIZE * POOL):
            if not waiting[kind]:
                waiting[kind] = chance.sample(texts.kinds[kind], len(texts.kinds[kind]))
            drawn.append(waiting[kind].pop())
        drawn.sort(key=lambda row: len(texts.ids[row]))
        batches = [drawn[start : start + SIZE] for start in range(0, len(drawn), SIZE)]
        chance.shuffle(batches)
        yield from batches


def _reading(texts: _Texts, row: int, chance: random.Random) -> list[int]:
    """Return the tokens of a text as it is, or about other groups."""
    if row in texts.others and chance.random() < SWAPPED:
        return chance.choice(texts.others[row])
    return texts.ids[row]


def _shortened(ids: list[int], edges: tuple[int, int], start: float) -> list[int]:
    """Return what is read of a text: of a long one the stretch behind a share of what is over."""
    over = max(len(ids) - (LONGEST - 2), 0)
    first = round(start * over)
    return [edges[0], *ids[first : first + LONGEST - 2], edges[1]]
