"""Pairs of the topics: rules written by hand for each, strict and lenient, and posts for them.

A topic has about fourteen rules of its own in as many styles, so that no template gives the answer
away; whole topics are kept to watch learning with, since only those show whether it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.embedded.reading import rule_text
from policies.rulebook import Section
from training.reader.deck import Deck, Pair, in_any_order
from training.reader.form_pairs import banned_word
from training.reader.sections import inverted, without_exceptions

EXCEPTION, NEAR = 0.27, 0.22
"""Shares of posts that fall in an exception, and that only come near; the rest break the rule."""
WORD_BANNED = 0.4
SAME_FILE = 0.6
WAYS = (0.41, 0.17, 0.42)
"""Of the rules that a post keeps: lenient ones, strict ones taken back, and strict ones on
something else; with fewer of the last it learnt what a rule wants before what it is about."""
REMARKED, LISTED, TEMPLATE = 0.12, 0.1, 0.1
SECTIONED, SECTION_NEAR = 0.3, 0.4
"""So many posts of a topic that belongs to a shipped section stand under its own text."""
HARM = ("hate.", "harassment.1", "violence.1", "violence.3", "selfharm.1", "selfharm.4")
TRADE = ("spam.", "fraud.", "phishing.", "illicit.", "impersonation.", "manipulation.")
"""Sections whose cases surely keep the sections of the other kind."""
STRANGERS: Mapping[str, Sequence[str]] = {
    "everyday": ("platforms", "regulated", "harm", "requests", "sections_harm", "sections_fraud"),
    "platforms": ("everyday", "harm", "creative", "sections_harm"),
    "regulated": ("everyday", "harm", "creative", "civic"),
    "harm": ("everyday", "platforms", "regulated", "sections_fraud", "creative"),
    "requests": ("everyday", "platforms", "creative"),
    "forum": ("everyday", "platforms"),
    "civic": ("everyday", "platforms", "regulated", "sections_fraud", "creative"),
    "support": ("platforms", "creative", "civic"),
    "creative": ("regulated", "harm", "sections_harm", "sections_fraud", "civic"),
    "sections_harm": ("everyday", "platforms", "creative", "sections_fraud"),
    "sections_fraud": ("everyday", "harm", "creative", "sections_harm"),
    "reading": ("harm", "regulated", "sections_harm", "sections_fraud"),
    "seeking": ("everyday", "creative", "places"),
    "contempt": ("trades", "places", "sections_fraud", "regulated"),
    "threads": ("places",),
    "places": ("sections_harm", "sections_fraud", "contempt", "seeking"),
    "trades": ("harm", "contempt", "sections_harm"),
    "narrow": ("seeking", "sections_fraud"),
    "family": ("seeking", "civic"),
}
"""Files whose rules the posts of a file surely keep. What forums forbid anybody may do anywhere."""
OVERLAPPING = frozenset({"forum", "support", "threads", "contempt"})

Topic = Mapping[str, Any]


def topic_pairs(deck: Deck) -> Iterator[Pair]:
    """A post of a topic under a rule that it breaks, if there is one, and one that it keeps."""
    topic = deck.chance.choice(deck.topics)
    section = deck.rulebook.section(topic.get("section", ""))
    drawn = deck.chance.random()
    if drawn < NEAR:
        yield from _near(topic, deck)
    elif drawn < NEAR + EXCEPTION and topic.get("exception"):
        yield from _exceptional(topic, deck)
    elif section is not None and deck.chance.random() < SECTIONED:
        yield from _under_section(topic, section, deck)
    else:
        post = deck.chance.choice(topic["does"])
        yield Pair(_breaking(topic, deck), post, violates=True, kind="topic:does")
        yield Pair(_keeping(topic, deck), post, violates=False, kind="topic:does")


def _under_section(topic: Topic, section: Section, deck: Deck) -> Iterator[Pair]:
    """A post under the shipped section that it breaks, and that section turned or another one.

    Most posts are also seen under the section as it is, and as if it allowed what it forbids, so
    that the model cannot learn which posts a section is wont to hit.
    """
    if deck.chance.random() < SECTION_NEAR:
        near = deck.chance.choice(topic["near"])
        yield Pair(rule_text(section), near, violates=False, kind="topic:section_near")
    post = deck.chance.choice(topic["does"])
    whole = rule_text(section)
    bare = without_exceptions(section)
    broken = deck.chance.choice([whole, whole, bare, f"{whole} {deck.after('in_force')}"])
    yield Pair(broken, post, violates=True, kind="topic:section")
    ways = [inverted(section), f"{whole} {deck.after('suspended')}"]
    far = _far_section(section, deck)
    if far is not None:
        ways += [rule_text(far)] * 2
    yield Pair(deck.chance.choice(ways), post, violates=False, kind="topic:section")


def _far_section(section: Section, deck: Deck) -> Section | None:
    """Return a section that the cases of another surely keep, if there is one."""
    for mine, others in ((HARM, TRADE), (TRADE, HARM)):
        if section.id.startswith(mine):
            far = [other for other in deck.rulebook.sections if other.id.startswith(others)]
            return deck.chance.choice(far) if far else None
    return None


def _near(topic: Topic, deck: Deck) -> Iterator[Pair]:
    """A harmless post under a rule of its topic, and now and then under one on a word of its own.

    Else such posts would only be seen under rules that they keep, and tell the answer themselves.
    """
    post = deck.chance.choice(topic["near"])
    yield Pair(deck.chance.choice(topic["strict"]), post, violates=False, kind="topic:near")
    if deck.chance.random() < WORD_BANNED:
        yield from banned_word(deck, post)


def _exceptional(topic: Topic, deck: Deck) -> Iterator[Pair]:
    case = deck.chance.choice(topic["exception"])
    post = deck.chance.choice(case["texts"])
    for side, violates in (("strict", True), ("lenient", False)):
        rule = _listed(deck.chance.choice(case[side]), topic, deck)
        yield Pair(rule, post, violates, kind="topic:exception")


def _breaking(topic: Topic, deck: Deck) -> str:
    """Return a rule that the posts of a topic break."""
    if topic.get("exception") and deck.chance.random() < EXCEPTION:
        case = deck.chance.choice(topic["exception"])
        return str(deck.chance.choice(case[deck.chance.choice(["strict", "lenient"])]))
    if topic.get("about") and deck.chance.random() < TEMPLATE:
        rule = deck.word("topic_ban", topic)
    else:
        rule = str(deck.chance.choice(topic["strict"]))
    if deck.chance.random() < 2 * REMARKED:
        return f"{_ended(rule)} {deck.after('in_force')}"
    return _listed(rule, topic, deck)


def _keeping(topic: Topic, deck: Deck) -> str:
    """Return a rule that the posts of a topic keep: permitted, taken back, or on something else."""
    way = deck.chance.choices(["lenient", "suspended", "stranger"], WAYS)[0]
    if way == "suspended":
        return f"{_ended(deck.chance.choice(topic['strict']))} {deck.after('suspended')}"
    if way == "stranger":
        rule = str(deck.chance.choice(_stranger(topic, deck)["strict"]))
        if deck.chance.random() < REMARKED:
            return f"{_ended(rule)} {deck.after('in_force')}"
        return rule
    if topic.get("about") and deck.chance.random() < TEMPLATE:
        rule = deck.word("topic_allow", topic)
    else:
        rule = str(deck.chance.choice(topic["lenient"]))
    if deck.chance.random() < REMARKED:
        return f"{_ended(rule)} {deck.after('in_force_neutral')}"
    return _listed(rule, topic, deck)


def _listed(rule: str, topic: Topic, deck: Deck) -> str:
    """Return a rule, now and then among rules on something else."""
    if deck.chance.random() > LISTED:
        return rule
    stranger = _stranger(topic, deck)
    other = str(deck.chance.choice(stranger[deck.chance.choice(["strict", "lenient"])]))
    return in_any_order(deck, [_ended(rule), _ended(other)])


def _ended(rule: str) -> str:
    return rule if rule.endswith((".", "!", "?", ")")) else f"{rule}."


def _stranger(topic: Topic, deck: Deck) -> Topic:
    """Return a topic whose rules the posts of this one surely keep."""
    file = _file(topic)
    if file not in OVERLAPPING and deck.chance.random() < SAME_FILE:
        barred = {topic["id"], *topic.get("also", ())}
        for other in deck.chance.sample(deck.topics_by_file[file], 8):
            if other["id"] not in barred and topic["id"] not in other.get("also", ()):
                return other
    return deck.chance.choice(
        [t for name in STRANGERS[file] for t in deck.topics_by_file.get(name, ())]
    )


def _file(topic: Topic) -> str:
    return str(topic["id"]).split(".", maxsplit=1)[0]
