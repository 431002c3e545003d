"""Pairs about the form of a text: links, emoji, a word."""

from __future__ import annotations

from collections.abc import Iterator

from training.reader.deck import Deck, Pair
from training.reader.forms import FORMS, answer, places, telling_words


def form_pairs(deck: Deck) -> Iterator[Pair]:
    """Any text under two rules about its form with opposite answers."""
    text = _any(deck)
    if deck.chance.choice([True, False]):
        yield from _word_pairs(deck, text)
        return
    form = deck.chance.choice(FORMS)
    has, spans = answer(form, text)
    wordings = deck.wordings["form"][form]
    opposite = "need" if has else "ban"
    yield Pair(
        deck.chance.choice(wordings["ban" if has else "need"]),
        text,
        violates=True,
        spans=(spans or None) if has else None,
        kind=f"form:{form}",
    )
    side = deck.chance.choice([opposite, "free"])
    yield Pair(deck.chance.choice(wordings[side]), text, violates=False, kind=f"form:{form}")


def _word_pairs(deck: Deck, text: str) -> Iterator[Pair]:
    own, foreign = telling_words(text), telling_words(_any(deck))
    if not own:
        return
    word = deck.chance.choice(own)
    wordings = deck.wordings["form"]["word"]
    ban, need, free = (
        deck.chance.choice(wordings[k]).format(word=word) for k in ("ban", "need", "free")
    )
    yield Pair(ban, text, violates=True, spans=places(word, text), kind="word")
    yield Pair(deck.chance.choice([need, free]), text, violates=False, kind="word")
    others = [other for other in foreign if not places(other, text)]
    if others:
        other = deck.chance.choice(others)
        side = deck.chance.choice(["ban", "need"])
        rule = deck.chance.choice(wordings[side]).format(word=other)
        yield Pair(rule, text, violates=side == "need", kind="word")


def _any(deck: Deck) -> str:
    if deck.chance.choice([True, False]):
        return deck.chance.choice(deck.shown).text
    return deck.chance.choice(deck.labelled).text
