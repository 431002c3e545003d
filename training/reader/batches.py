"""Pairs as arrays: tokens, sides, and the words that carry an answer."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from retrieval.spoken import spoken
from training.reader.deck import Pair

RULE_TOKENS = 128
CASE_TOKENS = 80
POOL = 24
"""Batches that are drawn at once and sorted by length, so that little of a batch is padding."""


@dataclass(frozen=True)
class Batch:
    """Some pairs, padded to the longest."""

    ids: Tensor
    sides: Tensor
    real: Tensor
    violates: Tensor
    marked: Tensor
    """1 and 0 for tokens of a case whose words are marked; -1 where nothing is known."""


@dataclass(frozen=True)
class _Row:
    ids: list[int]
    sides: list[int]
    marked: list[int]
    violates: bool


def batches(
    stream: Iterator[Pair], tokenizer: Tokenizer, *, size: int, seed: int
) -> Iterator[Batch]:
    """Yield batches without end; pairs of like length stand together."""
    chance = random.Random(seed)
    while rows := [_row(pair, tokenizer) for pair in islice(stream, size * POOL)]:
        rows.sort(key=lambda row: len(row.ids))
        found = [rows[start : start + size] for start in range(0, len(rows), size)]
        chance.shuffle(found)
        yield from map(batch, found)


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer) -> Batch:
    """Return some pairs as one batch."""
    return batch([_row(pair, tokenizer) for pair in pairs])


def batch(rows: Sequence[_Row]) -> Batch:
    """Return rows padded to the longest."""
    longest = max(len(row.ids) for row in rows)

    def padded(parts: Sequence[list[int]], filler: int) -> Tensor:
        return torch.tensor([part + [filler] * (longest - len(part)) for part in parts])

    return Batch(
        ids=padded([row.ids for row in rows], 0),
        sides=padded([row.sides for row in rows], 0),
        real=padded([[1] * len(row.ids) for row in rows], 0),
        violates=torch.tensor([float(row.violates) for row in rows]),
        marked=padded([row.marked for row in rows], -1),
    )


def _row(pair: Pair, tokenizer: Tokenizer) -> _Row:
    words = spoken(pair.case)
    rule = tokenizer.encode(pair.rule, add_special_tokens=False)
    case = tokenizer.encode(words.text, add_special_tokens=False)
    rule_ids, case_ids = rule.ids[:RULE_TOKENS], case.ids[:CASE_TOKENS]
    first, last = (int(tokenizer.token_to_id(name) or 0) for name in ("[CLS]", "[SEP]"))
    head = len(rule_ids) + 2
    return _Row(
        [first, *rule_ids, last, *case_ids, last],
        [0] * head + [1] * (len(case_ids) + 1),
        [-1] * head + _marks(pair, case, words.origins)[: len(case_ids)] + [-1],
        pair.violates,
    )


def _marks(pair: Pair, case: Encoding, origins: Sequence[int]) -> list[int]:
    if pair.spans is None or not pair.violates:
        return [-1] * len(case.ids)
    return [
        int(any(low <= origins[start] < high for low, high in pair.spans))
        for start, _ in case.offsets
    ]
