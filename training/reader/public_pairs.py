"""Pairs of texts of public sets: a rule on their label, and one that says the opposite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.embedded.reading import rule_text
from training.reader.deck import Deck, Pair, in_any_order

BREAKING, CONFIRMED, OFF_TOPIC, PERSONAL = 0.5, 0.1, 0.15, 0.35
"""Shares: of texts that break a rule, of rules with a sentence that confirms them, of hateful texts
that also stand under a rule on another topic, of personal data among rules on one kind of it."""


def public_pairs(deck: Deck) -> Iterator[Pair]:
    """A text of a public set under a rule on its label, and under one that says the opposite."""
    label = deck.chance.choices(
        ["hate", "offensive", "toxic", "spam", "scam", "crypto", "injection", "pii"],
        [14, 4, 2, 2, 2, 2, 1, 1],
    )[0]
    value = deck.chance.random() < BREAKING or label == "toxic"
    if not deck.by_label.get((label, value)):
        return
    row = deck.drawn(label, value=value)
    phrases = deck.public["label"][label]
    ban = deck.word("ban", phrases)
    if deck.chance.random() < CONFIRMED:
        ban += f" {deck.after('in_force')}"
    yield Pair(ban, row.text, value, row.spans.get(label) if value else None, f"public:{label}")
    if value:
        yield Pair(_lenient(deck, phrases, ban), row.text, violates=False, kind=f"lenient:{label}")
    if value and label in {"hate", "offensive", "toxic"} and deck.chance.random() < OFF_TOPIC:
        other = deck.conducts[deck.chance.choice(_HARMLESS_TOPICS)]
        yield Pair(deck.word("only", other), row.text, violates=True, kind="public:only_other")


def easy_public_pairs(deck: Deck) -> Iterator[Pair]:
    """Two texts of a public set, one on each side of a label, under one rule on that label."""
    drawn = ["hate", "hate", "offensive", "spam", "scam", "crypto", "injection"]
    label = deck.chance.choice(drawn)
    if any(not deck.by_label.get((label, value)) for value in (True, False)):
        return  # a set of one's own need not know every label
    rule = deck.word("ban", deck.public["label"][label])
    for value in (True, False):
        row = deck.drawn(label, value=value)
        spans = row.spans.get(label) if value else None
        yield Pair(rule, row.text, value, spans, f"easy:{label}")


_HARMLESS_TOPICS = (
    "community.food",
    "community.weather",
    "community.travel",
    "community.job",
    "spam.advert",
    "community.praise",
)
_UNRELATED_TO_LABELS = (
    "spam.advert",
    "illicit.drugs",
    "fraud.invest",
    "phishing.page",
    "community.food",
    "community.weather",
    "community.travel",
    "manipulation.return",
    "impersonation.staff",
    "community.tech",
    "community.job",
    "spam.beg",
)
_UNRELATED_TO_OFFERS = (
    "hate.dehumanise",
    "hate.slur",
    "violence.threat",
    "harassment.insult",
    "selfharm.danger",
    "community.pets",
    "community.religion",
    "extremism.side",
    "privacy.recordings",
)


def _lenient(deck: Deck, phrases: Mapping[str, Any], ban: str) -> str:
    """A rule that what the phrases name does not break."""
    offers = phrases in [
        deck.public["label"][label] for label in ("spam", "scam", "crypto", "injection", "pii")
    ]
    other = deck.conducts[
        deck.chance.choice(_UNRELATED_TO_OFFERS if offers else _UNRELATED_TO_LABELS)
    ]
    kind = deck.chance.choice(["allow", "allow", "suspended", "other", "other", "both", "section"])
    if kind == "allow":
        return deck.word("allow", phrases)
    if kind == "suspended":
        return f"{ban} {deck.after('suspended')}"
    if kind == "other":
        return deck.word("ban", other)
    section = deck.rulebook.section(other.get("section", ""))
    if kind == "section" and section is not None:
        return rule_text(section)
    return in_any_order(
        deck, [deck.word("allow", phrases, opened=False), deck.word("ban", other, opened=False)]
    )


def group_pairs(deck: Deck) -> Iterator[Pair]:
    """Hateful texts under rules on one group, and personal data under rules on one kind of it."""
    if deck.chance.random() < PERSONAL:
        yield from _entity_pairs(deck)
        return
    row = deck.drawn("hate", value=True)
    names = {
        group: any(target.startswith(tuple(entry["targets"])) for target in row.targets)
        for group, entry in deck.public["group"].items()
    }
    coarse = row.id.startswith("hatexplain")
    known = [g for g in names if not coarse or g in {"women", "race", "religion"}]
    if not row.targets:
        return
    for value in (True, False):
        fitting = [group for group in known if names[group] is value]
        if fitting:
            name = deck.chance.choice(deck.public["group"][deck.chance.choice(fitting)]["name"])
            attack = {"do": [f"attack or insult {name}"], "thing": [f"attacks on {name}"]}
            yield Pair(deck.word("ban", attack), row.text, value, kind="group")


def _entity_pairs(deck: Deck) -> Iterator[Pair]:
    row = deck.chance.choice([*deck.by_label["pii", True], *deck.by_label["pii", False]])
    for value in (True, False):
        fitting = [kind for kind in deck.public["entity"] if (kind in row.spans) is value]
        if fitting:
            kind = deck.chance.choice(fitting)
            phrases = {"thing": [deck.chance.choice(deck.public["entity"][kind])]}
            yield Pair(
                deck.word("ban", phrases), row.text, value, row.spans.get(kind), kind="entity"
            )
