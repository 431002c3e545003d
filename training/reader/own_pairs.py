"""Pairs of our own texts: what they do, and what they do instead, under rules that disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent.embedded.reading import rule_text
from policies.rulebook import Section
from training.reader.deck import Deck, Pair, in_any_order
from training.reader.sections import inverted, without_exceptions
from training.reader.texts import STANCES

KEPT_ONLY = 0.4
"""So often a text that only comes near a conduct is not seen under a rule that it breaks: few rules
are meant for it, and their wording alone would give the answer away."""


def own_pairs(deck: Deck) -> Iterator[Pair]:
    """One of our own texts under a rule that it breaks, if there is any, and one that it keeps."""
    key = deck.chance.choice(deck.keys)
    shown = deck.chance.choice(deck.by_conduct[key])
    conduct = deck.conducts[shown.conduct]
    breaking, keeping = _rules_for(shown.stance, conduct, deck)
    seldom = shown.stance != "does" and deck.chance.random() < KEPT_ONLY
    for rules, violates in ((breaking, True), (keeping, False)):
        if rules and not (violates and seldom):
            kind, rule = deck.chance.choice(rules)
            yield Pair(rule(), shown.text, violates, kind=f"own:{kind}:{shown.stance}")


def easy_own_pairs(deck: Deck) -> Iterator[Pair]:
    """One of our own texts under plain rules, which only the match of rule and text can answer."""
    key = deck.chance.choice(deck.keys)
    shown = deck.chance.choice(deck.by_conduct[key])
    conduct = deck.conducts[shown.conduct]
    does = shown.stance == "does"
    if does or deck.chance.random() < NEAR_MISSES:
        yield Pair(deck.word("ban", conduct), shown.text, does, kind=f"easy:ban:{shown.stance}")
    if does:
        other = deck.unrelated(conduct["id"])
        yield Pair(deck.word("ban", other), shown.text, violates=False, kind="easy:ban_other")
        if deck.chance.random() < NEAR_MISSES:
            allowed = deck.word("allow", conduct)
            yield Pair(allowed, shown.text, violates=False, kind="easy:allow")


NEAR_MISSES = 0.25
Rules = list[tuple[str, Callable[[], str]]]


def _rules_for(stance: str, conduct: Mapping[str, Any], deck: Deck) -> tuple[Rules, Rules]:
    """Return the rules that a text of this stance breaks, and those that it keeps."""
    broken, kept = _any_text(stance, conduct, deck)
    own = _section_rules(conduct, stance, deck)
    if stance == "does":
        broken += [*_does_broken(conduct, deck), *own[0]]
        kept += [*_does_kept(conduct, deck), *own[1]]
    else:
        more = _stance_rules(stance, conduct, deck)
        broken += [*more[0], *own[0]]
        kept += [*more[1], *own[1]]
    return broken, kept


def _any_text(stance: str, conduct: Mapping[str, Any], deck: Deck) -> tuple[Rules, Rules]:
    """Rules about something else: broken when only that may be posted, kept when it is banned.

    What is banned stands in the same wordings as what the text does, so that only the match of
    rule and text gives the answer.
    """
    other = deck.unrelated(conduct["id"])
    remarked = stance if stance in _REMARKED else deck.chance.choice(_REMARKED)
    broken: Rules = [("only_other", lambda: deck.word("only", other))]
    kept: Rules = [("ban_other", lambda: deck.word("ban", other))] * 3
    kept += [
        (
            "ban_other_remark",
            lambda: f"{deck.word('ban', other)} {deck.remark(remarked, 'forbidden', other)}",
        )
    ] * 2
    kept += [
        ("ban_other_in_force", lambda: f"{deck.word('ban', other)} {deck.after('in_force')}"),
        ("list_other", lambda: _listed(deck, conduct, deck.word("ban", other, opened=False))),
    ]
    if "about" in other:
        kept.append(("topic_other", lambda: deck.word("topic_ban", other)))
    section = deck.rulebook.section(other.get("section", ""))
    if section is not None:
        kept.append(("section_other", lambda: rule_text(section)))
    return broken, kept


def _listed(deck: Deck, conduct: Mapping[str, Any], rule: str) -> str:
    """Return a rule among others that have nothing to do with a conduct."""
    return in_any_order(deck, [rule, *_more(deck, conduct)])


def _more(deck: Deck, conduct: Mapping[str, Any]) -> list[str]:
    """One or two further rules that have nothing to do with a conduct."""
    return [
        deck.word(deck.chance.choice(["ban", "allow"]), deck.unrelated(conduct["id"]), opened=False)
        for _ in range(deck.chance.randint(1, 2))
    ]


def _does_broken(conduct: Mapping[str, Any], deck: Deck) -> Rules:
    stance = deck.chance.choice([s for s in STANCES if s != "fine" or "allow" in conduct])
    side = deck.chance.choice(["allowed", "forbidden"])
    rules: Rules = [
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban_in_force", lambda: f"{deck.word('ban', conduct)} {deck.after('in_force')}"),
        ("ban_remark", lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, side, conduct)}"),
        (
            "ban_list",
            lambda: in_any_order(
                deck, [deck.word("ban", conduct, opened=False), *_more(deck, conduct)]
            ),
        ),
    ]
    if "about" in conduct:
        rules.append(("topic_ban", lambda: deck.word("topic_ban", conduct)))
    return rules


def _does_kept(conduct: Mapping[str, Any], deck: Deck) -> Rules:
    other = deck.unrelated(conduct["id"])
    rules: Rules = [
        ("allow", lambda: deck.word("allow", conduct)),
        (
            "allow_ban_other",
            lambda: in_any_order(
                deck,
                [deck.word("allow", conduct, opened=False), deck.word("ban", other, opened=False)],
            ),
        ),
        ("ban_suspended", lambda: f"{deck.word('ban', conduct)} {deck.after('suspended')}"),
        ("ban_suspended", lambda: f"{deck.word('ban', conduct)} {deck.after('suspended')}"),
        (
            "allow_in_force",
            lambda: f"{deck.word('allow', conduct)} {deck.after('in_force_neutral')}",
        ),
        ("only", lambda: deck.word("only", conduct)),
    ]
    if "about" in conduct:
        rules.append(("topic_only", lambda: deck.word("topic_only", conduct)))
        rules.append(("topic_allow", lambda: deck.word("topic_allow", conduct)))
    return rules


_REMARKED = ("quote", "news", "ask", "joke")
_UNLIKE = {
    "quote": ("joke",),
    "news": ("joke",),
    "ask": ("joke",),
    "joke": ("quote", "news", "ask"),
    "fine": ("joke", "quote"),
    "near": ("joke", "quote", "news", "ask"),
}
"""Stances that a text of a stance surely does not take as well."""


def _stance_rules(stance: str, conduct: Mapping[str, Any], deck: Deck) -> tuple[Rules, Rules]:
    """What a text that comes near a conduct breaks and keeps."""
    kept: Rules = [
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban", lambda: deck.word("ban", conduct)),
        ("allow", lambda: deck.word("allow", conduct)),
    ]
    broken: Rules = []
    foreign = _UNLIKE.get(stance)
    if foreign:
        unlike = deck.chance.choice(foreign)
        kept.append(
            (
                "other_stance_banned",
                lambda: f"{deck.word('ban', conduct)} {deck.remark(unlike, 'forbidden', conduct)}",
            )
        )
        kept.append(
            (
                "other_stance_banned",
                lambda: f"{deck.word('ban', conduct)} {deck.remark(unlike, 'forbidden', conduct)}",
            )
        )
    if stance in STANCES:
        broken += [
            (
                "stance_banned",
                lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, 'forbidden', conduct)}",
            )
        ] * 3
        kept += [
            (
                "stance_allowed",
                lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, 'allowed', conduct)}",
            )
        ] * 2
    if "about" in conduct and stance in {"quote", "news", "ask", "fine"}:
        broken.append(("topic_ban", lambda: deck.word("topic_ban", conduct)))
        kept.append(("topic_only", lambda: deck.word("topic_only", conduct)))
    if stance == "near":
        broken.append(("only", lambda: deck.word("only", conduct)))
        if "about" in conduct:
            broken.append(("topic_only", lambda: deck.word("topic_only", conduct)))
            kept.append(("topic_ban", lambda: deck.word("topic_ban", conduct)))
    return broken, kept


def _section_rules(conduct: Mapping[str, Any], stance: str, deck: Deck) -> tuple[Rules, Rules]:
    """The shipped section on a conduct: as it is, bare of exceptions, and turned round."""
    section: Section | None = deck.rulebook.section(conduct.get("section", ""))
    if section is None:
        return [], []
    whole: Rules = [("section", lambda: rule_text(section))] * 2
    bare: Rules = [("section_bare", lambda: without_exceptions(section))]
    turned: Rules = [("section_turned", lambda: inverted(section))]
    suspended: Rules = [
        ("section_suspended", lambda: f"{rule_text(section)} {deck.after('suspended')}")
    ]
    in_force: Rules = [
        ("section_in_force", lambda: f"{rule_text(section)} {deck.after('in_force')}")
    ]
    remark: Rules = [
        (
            "section_remark",
            lambda: f"{without_exceptions(section)} {deck.remark(stance, 'forbidden', conduct)}",
        )
    ]
    if stance == "does":
        return [*whole, *bare, *in_force], [*turned, *suspended]
    return (remark if stance in STANCES else []), [*whole, *bare, *suspended]
