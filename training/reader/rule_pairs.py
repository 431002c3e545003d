"""Pairs of couples: one subject under a rule that forbids it and one that allows it, in many forms.

A couple has no posts. Its rules are read as their own case, for nothing is more about their
subject, and with the bare name of the subject: what is left to learn is what a rule wants.
"""

from __future__ import annotations

from collections.abc import Iterator

from training.reader.deck import Deck, Pair
from training.reader.texts import Couple

ITSELF, NAMED = 0.6, 0.25
"""How often a rule is its own case, and how often the name of its subject; else that of another."""
ON_TOPICS = 0.3
"""So many rules that are their own case come from the topics."""


def rule_pairs(deck: Deck) -> Iterator[Pair]:
    """A rule that forbids its subject and one that allows it, with what is surely about it."""
    drawn, couple = deck.chance.random(), deck.chance.choice(deck.couples)
    if drawn < ITSELF:
        yield from _itself(deck, couple)
    elif drawn < ITSELF + NAMED:
        yield Pair(couple.strict, couple.subject, violates=True, kind="couple:subject")
        yield Pair(couple.lenient, couple.subject, violates=False, kind="couple:subject")
    else:
        yield Pair(couple.strict, couple.subject, violates=True, kind="couple:subject")
        other = _stranger(couple, deck)
        yield Pair(couple.strict, other.subject, violates=False, kind="couple:stranger")


def _itself(deck: Deck, couple: Couple) -> Iterator[Pair]:
    strict, lenient = couple.strict, couple.lenient
    if deck.chance.random() < ON_TOPICS:
        topic = deck.chance.choice(deck.topics)
        strict, lenient = (deck.chance.choice(topic[side]) for side in ("strict", "lenient"))
    yield Pair(strict, strict, violates=True, kind="couple:itself")
    yield Pair(lenient, lenient, violates=False, kind="couple:itself")


def _stranger(couple: Couple, deck: Deck) -> Couple:
    """Return a couple of another domain."""
    while True:
        other = deck.chance.choice(deck.couples)
        if other.domain != couple.domain:
            return other
