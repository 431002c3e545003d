"""Pairs of a rule and a case: one content under wordings that contradict each other.

The method is that of CoPE (arXiv 2512.18027): a model that sees the same content under a rule that
forbids it and under one that allows it cannot answer from the content alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from training.reader.deck import Deck, Pair
from training.reader.form_pairs import form_pairs
from training.reader.own_pairs import own_pairs
from training.reader.public_pairs import group_pairs, public_pairs

LOWERED = 0.15
"""So many cases are written in small letters, as much of what people post is."""

Source = Callable[[Deck], Iterator[Pair]]
SHARES: tuple[tuple[float, Source], ...] = (
    (0.62, own_pairs),
    (0.27, public_pairs),
    (0.06, form_pairs),
    (0.05, group_pairs),
)
WITHOUT_PUBLIC: tuple[tuple[float, Source], ...] = ((1.0, own_pairs),)
"""For those who have none of the public sets: our own texts alone."""


def pairs(deck: Deck, shares: tuple[tuple[float, Source], ...] = SHARES) -> Iterator[Pair]:
    """Yield pairs without end, of every kind in fixed shares."""
    weights = [share for share, _ in shares]
    while True:
        _, source = deck.chance.choices(shares, weights)[0]
        for pair in source(deck):
            yield _dressed(pair, deck.chance)


def _dressed(pair: Pair, chance: random.Random) -> Pair:
    lowered = pair.case.lower()
    if chance.random() < LOWERED and len(lowered) == len(pair.case):
        return replace(pair, case=lowered)
    return pair
