"""Pairs about the form of a text: links, emoji, a word."""

from __future__ import annotations

from collections.abc import Iterator

from training.reader.deck import Deck, Pair
from training.reader.forms import FORMS, answer, places, telling_words

NEEDED, AS_ANY_RULE, REMARKED = 0.3, 0.7, 0.25
"""Shares: of rules that demand a word which is absent, of rules on a word in the wordings of every
other rule, of those with a sentence behind them that confirms or suspends."""


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
    yield from banned_word(deck, text)
    yield Pair(_permission(deck, word), text, violates=False, kind="word")
    others = [other for other in foreign if not places(other, text)]
    if others:
        other = deck.chance.choice(others)
        need = deck.chance.random() < NEEDED
        rule = deck.chance.choice(_worded(deck, "need", other)) if need else _ban(deck, other)
        yield Pair(rule, text, violates=need, kind="word")


def banned_word(deck: Deck, text: str) -> Iterator[Pair]:
    """A text under a rule against one of its words; nothing where it has none that tells."""
    own = telling_words(text)
    if own:
        word = deck.chance.choice(own)
        yield Pair(_ban(deck, word), text, violates=True, spans=places(word, text), kind="word")


def _ban(deck: Deck, word: str) -> str:
    """Return a rule against a word, in the wordings of any ban, confirmed or not."""
    drawn = deck.chance.random()
    if drawn < AS_ANY_RULE:
        rule = deck.word(deck.chance.choice(["ban", "topic_ban"]), _phrases(word))
    else:
        rule = deck.chance.choice(_worded(deck, "ban", word))
    return f"{rule} {deck.after('in_force')}" if deck.chance.random() < REMARKED else rule


def _permission(deck: Deck, word: str) -> str:
    """Return a rule that a post with a word keeps: allowed, demanded, or a ban taken back."""
    drawn = deck.chance.random()
    if drawn < REMARKED:
        return f"{deck.word('ban', _phrases(word))} {deck.after('suspended')}"
    if drawn < AS_ANY_RULE:
        return deck.word(deck.chance.choice(["allow", "topic_allow"]), _phrases(word))
    return deck.chance.choice(_worded(deck, deck.chance.choice(["need", "free"]), word))


def _phrases(word: str) -> dict[str, str]:
    return {"do": f"write about {word}", "thing": f"posts about {word}", "about": word}


def _worded(deck: Deck, side: str, word: str) -> list[str]:
    return [said.format(word=word) for said in deck.wordings["form"]["word"][side]]


def _any(deck: Deck) -> str:
    drawn = deck.chance.choice(["own", "topic", "public"])
    if drawn == "topic" and deck.posts:
        return deck.chance.choice(deck.posts)
    if drawn == "public" and deck.labelled:
        return deck.chance.choice(deck.labelled).text
    return deck.chance.choice(deck.shown).text
