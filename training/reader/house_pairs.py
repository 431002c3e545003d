"""Pairs of house rules: the short rules of communities, and comments of many kinds under each.

What others say by a paragraph, a community says by a title ("Civility"). Comments of every kind are
seen under the rules of every other, so that nothing but the rule tells whether they may stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from training.reader.deck import Deck, Pair, in_any_order
from training.reader.texts import House, Remark

ITSELF, NEAR, ORDINARY = 0.12, 0.16, 0.14
"""Shares: of rules that are read as their own case, of remarks that only come near what a rule
forbids, and of ordinary ones; the rest do it."""
PUBLIC = 0.35
"""So many remarks of kinds that public sets know are texts of theirs."""
KEEPS = (0.35, 0.10, 0.55)
"""Of the rules that a remark keeps: lenient ones, strict ones taken back, those of other kinds."""
BESIDE, CONFIRMED = 0.15, 0.08
"""So many rules stand beside one of another kind; so many have a sentence behind that confirms."""
OF_A_PLACE = (
    "This is {place}.",
    "You are in {place}.",
    "({place})",
    "Welcome to {place}!",
    "Everything here is about one thing: {place}.",
)
"""How a rule against what is off topic says what the topic is."""


def house_pairs(deck: Deck) -> Iterator[Pair]:
    """A remark under a house rule that it breaks, if there is one, and one that it keeps."""
    house, drawn = _any(deck), deck.chance.random()
    if drawn < ITSELF:
        yield from _itself(house, deck)
    elif drawn < ITSELF + NEAR:
        remark = deck.chance.choice(house.near)
        yield Pair(_strict(house, remark, deck), remark.text, violates=False, kind="house:near")
    elif drawn < ITSELF + NEAR + ORDINARY:
        if not house.placed:  # of what is on topic anywhere nobody knows
            text = _ordinary(house, deck)
            rule = _strict(house, Remark(text), deck)
            yield Pair(rule, text, violates=False, kind="house:ordinary")
    else:
        remark = _doing(house, deck)
        kind = f"house:{house.kind}"
        yield Pair(_strict(house, remark, deck), remark.text, violates=True, kind=kind)
        yield Pair(_keeping(house, remark, deck), remark.text, violates=False, kind=kind)


def _any(deck: Deck) -> House:
    """Return a house; those with more to show come up more often."""
    return deck.chance.choices(deck.houses, [len(house.does) for house in deck.houses])[0]


def _itself(house: House, deck: Deck) -> Iterator[Pair]:
    for rules, violates in ((house.strict, True), (house.lenient, False)):
        if rules:
            rule = deck.chance.choice(rules)
            yield Pair(rule, rule, violates, kind="house:itself")


def _doing(house: House, deck: Deck) -> Remark:
    label = deck.chance.choice(house.labels) if house.labels else ""
    if deck.by_label.get((label, True)) and deck.chance.random() < PUBLIC:
        return Remark(deck.drawn(label, value=True).text)
    return deck.chance.choice(house.does)


def _ordinary(house: House, deck: Deck) -> str:
    """Return a text that keeps the rules of a house: ordinary, or without the labels it forbids."""
    label = deck.chance.choice(house.labels) if house.labels else ""
    if deck.by_label.get((label, False)) and deck.chance.random() < 1 / 2:
        return deck.drawn(label, value=False).text
    return deck.chance.choice(deck.ordinary)


def _strict(house: House, remark: Remark, deck: Deck) -> str:
    """Return a strict rule of a house, now and then confirmed or beside one of another kind."""
    rule = deck.chance.choice(house.strict)
    if remark.place:
        return in_any_order(deck, [_ended(rule), _at(remark.place, deck)])
    drawn = deck.chance.random()
    if drawn < CONFIRMED:
        return f"{_ended(rule)} {deck.after('in_force')}"
    if drawn < CONFIRMED + BESIDE:
        # What the other forbids the remark surely does not do, or the answer would be another.
        other = _other(house, deck)
        return in_any_order(deck, [_ended(rule), _ended(deck.chance.choice(other.strict))])
    return rule


def _keeping(house: House, remark: Remark, deck: Deck) -> str:
    """Return a rule that a remark keeps, though it does what its own house forbids."""
    way = deck.chance.choices(["lenient", "suspended", "other"], KEEPS)[0]
    if way == "lenient" and house.lenient:
        rule = deck.chance.choice(house.lenient)
        if deck.chance.random() < BESIDE:
            other = _other(house, deck)
            return in_any_order(deck, [_ended(rule), _ended(deck.chance.choice(other.strict))])
        return rule
    if way == "suspended":
        rule = deck.chance.choice(house.strict)
        place = f" {_at(remark.place, deck)}" if remark.place else ""
        return f"{_ended(rule)}{place} {deck.after('suspended')}"
    rule = deck.chance.choice(_other(house, deck).strict)
    return f"{_ended(rule)} {deck.after('in_force')}" if deck.chance.random() < CONFIRMED else rule


def _other(house: House, deck: Deck) -> House:
    """Return a house whose rules what this one forbids surely does not break."""
    while True:
        other = _any(deck)
        if house.apart(other):
            return other


def _at(place: str, deck: Deck) -> str:
    return deck.chance.choice(OF_A_PLACE).format(place=place)


def _ended(rule: str) -> str:
    return rule if rule.endswith((".", "!", "?", ")")) else f"{rule}."
