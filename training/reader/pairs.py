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
from training.reader.house_pairs import house_pairs
from training.reader.own_pairs import easy_own_pairs, own_pairs
from training.reader.public_pairs import easy_public_pairs, group_pairs, public_pairs
from training.reader.rule_pairs import rule_pairs
from training.reader.topic_pairs import topic_pairs

LOWERED = 0.15
"""So many cases are written in small letters, as much of what people post is."""

Source = Callable[[Deck], Iterator[Pair]]
SHARES: tuple[tuple[float, Source], ...] = (
    (0.32, topic_pairs),
    (0.15, rule_pairs),
    (0.12, house_pairs),
    (0.06, own_pairs),
    (0.02, easy_own_pairs),
    (0.19, public_pairs),
    (0.05, easy_public_pairs),
    (0.06, form_pairs),
    (0.03, group_pairs),
)
EASY: tuple[tuple[float, Source], ...] = (
    (0.6, easy_own_pairs),
    (0.28, easy_public_pairs),
    (0.11, form_pairs),
)
"""For the beginning: as long as rule and text are not matched, finer wordings teach nothing."""
ON: tuple[tuple[float, Source], ...] = ((0.15, rule_pairs), (0.3, house_pairs))
ON += tuple((0.55 * share, source) for share, source in SHARES)
"""For weights that have learnt without couples and house rules: more than half are these."""
WITHOUT_PUBLIC: tuple[tuple[float, Source], ...] = (
    (0.5, topic_pairs),
    (0.3, own_pairs),
    (0.2, house_pairs),
)
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
