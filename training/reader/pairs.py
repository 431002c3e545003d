"""Pairs of a rule and a case with the answer: one content under wordings that contradict each other.

The method is that of CoPE (arXiv 2512.18027): a model that sees the same content under a rule that
forbids it and under one that allows it cannot answer from the content alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.rulebook import Rulebook, Section
from training.reader.forms import FORMS, answer, places, telling_words
from training.reader.sections import inverted, rule_text, without_exceptions
from training.reader.texts import STANCES, Labelled, Shown, Spans, table

LOWERED = 0.15
"""So many cases are written in small letters, as much of what people post is."""


@dataclass(frozen=True)
class Pair:
    """A rule, a case, and whether the case breaks the rule."""

    rule: str
    case: str
    violates: bool
    spans: Spans | None = None
    """The words that break it, in characters; None where nobody marked them."""
    kind: str = ""


@dataclass(frozen=True)
class Deck:
    """Everything that pairs are drawn from."""

    shown: Sequence[Shown]
    labelled: Sequence[Labelled]
    rulebook: Rulebook
    chance: random.Random

    @cached_property
    def wordings(self) -> Mapping[str, Any]:
        """The templates of `wordings.toml`."""
        return table("wordings.toml")

    @cached_property
    def conducts(self) -> Mapping[str, Mapping[str, Any]]:
        """The conducts of `conducts.toml` by id."""
        return {conduct["id"]: conduct for conduct in table("conducts.toml")["conduct"]}

    @cached_property
    def public(self) -> Mapping[str, Any]:
        """The phrases of `public.toml`."""
        return table("public.toml")

    @cached_property
    def by_label(self) -> Mapping[tuple[str, bool], Sequence[Labelled]]:
        """The texts of public sets by a label and its value."""
        found: dict[tuple[str, bool], list[Labelled]] = {}
        for row in self.labelled:
            for label, value in row.labels.items():
                found.setdefault((label, value), []).append(row)
        return found

    @cached_property
    def by_conduct(self) -> Mapping[tuple[str, str], Sequence[Shown]]:
        """Our own texts by conduct and stance."""
        found: dict[tuple[str, str], list[Shown]] = {}
        for row in self.shown:
            found.setdefault((row.conduct, row.stance), []).append(row)
        return found

    @cached_property
    def keys(self) -> Sequence[tuple[str, str]]:
        """Conducts and stances, those that do it as often as all others together."""
        does = [key for key in self.by_conduct if key[1] == "does"]
        others = [key for key in self.by_conduct if key[1] != "does"]
        return [*does, *does, *others]

    def word(self, kind: str, phrases: Mapping[str, Any], *, opened: bool = True) -> str:
        """Return a rule in one of the wordings of a kind, about what the phrases name."""
        fitting = [
            template
            for template in self.wordings[kind]["is"]
            if all(slot in phrases for slot in _slots(template))
        ]
        told = _filled(self.chance.choice(fitting), phrases, self.chance)
        return (self.chance.choice(self.wordings["opening"]) if opened else "") + told

    def remark(self, stance: str, side: str, conduct: Mapping[str, Any]) -> str:
        """Return a sentence that allows or forbids a stance."""
        return _filled(self.chance.choice(self.wordings[stance][side]), conduct, self.chance)

    def after(self, kind: str) -> str:
        """Return a sentence that suspends or confirms the rule before it."""
        return str(self.chance.choice(self.wordings[kind]["after"]))

    def unrelated(self, conduct: str) -> Mapping[str, Any]:
        """Return a conduct that texts of another surely do not show."""
        barred = {conduct.split(".")[0], conduct, *self.conducts[conduct].get("also", ())}
        while True:
            other = self.chance.choice(list(self.conducts.values()))
            named = {other["id"], other["id"].split(".")[0]}
            sided = {conduct, conduct.split(".")[0]} & set(other.get("also", ()))
            if other["id"].startswith("community.") and conduct.startswith("community."):
                barred -= {"community"}
            if not named & barred and not sided:
                return other


def pairs(deck: Deck) -> Iterator[Pair]:
    """Yield pairs without end, of every kind in fixed shares."""
    sources: tuple[tuple[float, Callable[[Deck], Iterator[Pair]]], ...] = (
        (0.58, _own_pairs),
        (0.27, _public_pairs),
        (0.09, _form_pairs),
        (0.06, _group_pairs),
    )
    weights = [share for share, _ in sources]
    while True:
        _, source = deck.chance.choices(sources, weights)[0]
        for pair in source(deck):
            yield _dressed(pair, deck.chance)


def _dressed(pair: Pair, chance: random.Random) -> Pair:
    if chance.random() < LOWERED and len(pair.case.lower()) == len(pair.case):
        return Pair(pair.rule, pair.case.lower(), pair.violates, pair.spans, pair.kind)
    return pair


def _own_pairs(deck: Deck) -> Iterator[Pair]:
    """One of our own texts under one rule that it breaks, where there is one, and one it does not."""
    key = deck.chance.choice(deck.keys)
    shown = deck.chance.choice(deck.by_conduct[key])
    conduct = deck.conducts[shown.conduct]
    breaking, keeping = _rules_for(shown.stance, conduct, deck)
    for rules, violates in ((breaking, True), (keeping, False)):
        if rules:
            kind, rule = deck.chance.choice(rules)
            yield Pair(rule(), shown.text, violates, kind=f"own:{kind}:{shown.stance}")


Rules = list[tuple[str, Callable[[], str]]]


def _rules_for(stance: str, conduct: Mapping[str, Any], deck: Deck) -> tuple[Rules, Rules]:
    """Return the rules that a text of this stance breaks, and those that it keeps."""
    broken, kept = _any_text(conduct, deck)
    own = _section_rules(conduct, stance, deck)
    if stance == "does":
        broken += [*_does_broken(conduct, deck), *own[0]]
        kept += [*_does_kept(conduct, deck), *own[1]]
    else:
        more = _stance_rules(stance, conduct, deck)
        broken += [*more[0], *own[0]]
        kept += [*more[1], *own[1]]
    return broken, kept


def _any_text(conduct: Mapping[str, Any], deck: Deck) -> tuple[Rules, Rules]:
    """Rules about something else: broken when only that may be posted, kept when it is banned."""
    other = deck.unrelated(conduct["id"])
    stance = deck.chance.choice(["quote", "news", "ask", "joke"])
    broken: Rules = [("only_other", lambda: deck.word("only", other))]
    kept: Rules = [
        ("ban_other", lambda: deck.word("ban", other)),
        ("ban_other_remark", lambda: f"{deck.word('ban', other)} {deck.remark(stance, 'forbidden', other)}"),
        ("list_other", lambda: _list(deck, [deck.word("ban", other, opened=False), *_more(deck, conduct)])),
    ]
    if "about" in other:
        kept.append(("topic_other", lambda: deck.word("topic_ban", other)))
    section = deck.rulebook.section(other.get("section", ""))
    if section is not None:
        kept += [("section_other", lambda: rule_text(section))] * 2
    return broken, kept


def _more(deck: Deck, conduct: Mapping[str, Any]) -> list[str]:
    """One or two further rules that have nothing to do with a conduct."""
    return [
        deck.word(deck.chance.choice(["ban", "allow"]), deck.unrelated(conduct["id"]), opened=False)
        for _ in range(deck.chance.randint(1, 2))
    ]


def _list(deck: Deck, rules: list[str]) -> str:
    deck.chance.shuffle(rules)
    return " ".join(rules)


def _does_broken(conduct: Mapping[str, Any], deck: Deck) -> Rules:
    stance = deck.chance.choice([s for s in STANCES if s != "fine" or "allow" in conduct])
    side = deck.chance.choice(["allowed", "forbidden"])
    rules: Rules = [
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban", lambda: deck.word("ban", conduct)),
        ("ban_in_force", lambda: f"{deck.word('ban', conduct)} {deck.after('in_force')}"),
        ("ban_remark", lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, side, conduct)}"),
        ("ban_list", lambda: _list(deck, [deck.word("ban", conduct, opened=False), *_more(deck, conduct)])),
    ]
    if "about" in conduct:
        rules.append(("topic_ban", lambda: deck.word("topic_ban", conduct)))
    return rules


def _does_kept(conduct: Mapping[str, Any], deck: Deck) -> Rules:
    other = deck.unrelated(conduct["id"])
    rules: Rules = [
        ("allow", lambda: deck.word("allow", conduct)),
        ("allow", lambda: deck.word("allow", conduct)),
        ("allow_ban_other", lambda: _list(deck, [deck.word("allow", conduct, opened=False), deck.word("ban", other, opened=False)])),
        ("ban_suspended", lambda: f"{deck.word('ban', conduct)} {deck.after('suspended')}"),
        ("ban_suspended", lambda: f"{deck.word('ban', conduct)} {deck.after('suspended')}"),
        ("allow_in_force", lambda: f"{deck.word('allow', conduct)} {deck.after('in_force_neutral')}"),
        ("only", lambda: deck.word("only", conduct)),
    ]
    if "about" in conduct:
        rules.append(("topic_only", lambda: deck.word("topic_only", conduct)))
        rules.append(("topic_allow", lambda: deck.word("topic_allow", conduct)))
    return rules


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
        kept.append(("other_stance_banned", lambda: f"{deck.word('ban', conduct)} {deck.remark(unlike, 'forbidden', conduct)}"))
        kept.append(("other_stance_banned", lambda: f"{deck.word('ban', conduct)} {deck.remark(unlike, 'forbidden', conduct)}"))
    if stance in STANCES:
        broken += [
            ("stance_banned", lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, 'forbidden', conduct)}")
        ] * 3
        kept += [
            ("stance_allowed", lambda: f"{deck.word('ban', conduct)} {deck.remark(stance, 'allowed', conduct)}")
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


def _section_rules(
    conduct: Mapping[str, Any], stance: str, deck: Deck
) -> tuple[Rules, Rules]:
    """The shipped section on a conduct: as it is, bare of exceptions, and turned round."""
    section: Section | None = deck.rulebook.section(conduct.get("section", ""))
    if section is None:
        return [], []
    whole: Rules = [("section", lambda: rule_text(section))] * 3
    bare: Rules = [("section_bare", lambda: without_exceptions(section))]
    turned: Rules = [("section_turned", lambda: inverted(section))]
    suspended: Rules = [("section_suspended", lambda: f"{rule_text(section)} {deck.after('suspended')}")]
    in_force: Rules = [("section_in_force", lambda: f"{rule_text(section)} {deck.after('in_force')}")]
    remark: Rules = [
        ("section_remark", lambda: f"{without_exceptions(section)} {deck.remark(stance, 'forbidden', conduct)}")
    ]
    if stance == "does":
        return [*whole, *bare, *in_force], [*turned, *suspended]
    return (remark * 2 if stance in STANCES else []), [*whole, *bare, *suspended]


def _public_pairs(deck: Deck) -> Iterator[Pair]:
    """A text of a public set under a rule on its label, and under one that says the opposite."""
    label = deck.chance.choices(
        ["hate", "offensive", "toxic", "spam", "scam", "crypto", "injection", "pii"],
        [10, 4, 2, 2, 2, 2, 1, 1],
    )[0]
    value = deck.chance.random() < 0.55 or label == "toxic"
    if not deck.by_label.get((label, value)):
        return
    row = deck.chance.choice(deck.by_label[label, value])
    phrases = deck.public["label"][label]
    ban = deck.word("ban", phrases)
    if deck.chance.random() < 0.15:
        ban += f" {deck.after('in_force')}"
    yield Pair(ban, row.text, value, row.spans.get(label) if value else None, f"public:{label}")
    if value:
        yield Pair(_lenient(deck, phrases, ban), row.text, violates=False, kind=f"lenient:{label}")
    if value and label in {"hate", "offensive", "toxic"} and deck.chance.random() < 0.4:
        other = deck.conducts[deck.chance.choice(_HARMLESS_TOPICS)]
        yield Pair(deck.word("only", other), row.text, violates=True, kind="public:only_other")


_HARMLESS_TOPICS = ("community.food", "community.weather", "community.travel", "community.job", "spam.advert", "community.praise")
_UNRELATED_TO_LABELS = ("spam.advert", "illicit.drugs", "fraud.invest", "phishing.page", "community.food", "community.weather", "community.travel", "manipulation.return", "impersonation.staff", "community.tech", "community.job", "spam.beg")
_UNRELATED_TO_OFFERS = ("hate.dehumanise", "hate.slur", "violence.threat", "harassment.insult", "selfharm.danger", "community.pets", "community.religion", "extremism.side", "privacy.recordings")


def _lenient(deck: Deck, phrases: Mapping[str, Any], ban: str) -> str:
    """A rule that what the phrases name does not break."""
    offers = phrases in [deck.public["label"][label] for label in ("spam", "scam", "crypto", "injection", "pii")]
    other = deck.conducts[deck.chance.choice(_UNRELATED_TO_OFFERS if offers else _UNRELATED_TO_LABELS)]
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
    return _list(deck, [deck.word("allow", phrases, opened=False), deck.word("ban", other, opened=False)])


def _group_pairs(deck: Deck) -> Iterator[Pair]:
    """Hateful texts under rules on one group, and personal data under rules on one kind of it."""
    if deck.chance.random() < 0.35:
        yield from _entity_pairs(deck)
        return
    row = deck.chance.choice(deck.by_label["hate", True])
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


def _form_pairs(deck: Deck) -> Iterator[Pair]:
    """Any text under two rules about its form with opposite answers."""
    text = _any(deck)
    if deck.chance.random() < 0.5:
        yield from _word_pairs(deck, text)
        return
    form = deck.chance.choice(FORMS)
    has, spans = answer(form, text)
    wordings = deck.wordings["form"][form]
    opposite = "need" if has else "ban"
    yield Pair(deck.chance.choice(wordings["ban" if has else "need"]), text, violates=True, spans=(spans or None) if has else None, kind=f"form:{form}")
    side = deck.chance.choice([opposite, "free"])
    yield Pair(deck.chance.choice(wordings[side]), text, violates=False, kind=f"form:{form}")


def _word_pairs(deck: Deck, text: str) -> Iterator[Pair]:
    own, foreign = telling_words(text), telling_words(_any(deck))
    if not own:
        return
    word = deck.chance.choice(own)
    wordings = deck.wordings["form"]["word"]
    ban, need, free = (deck.chance.choice(wordings[k]).format(word=word) for k in ("ban", "need", "free"))
    yield Pair(ban, text, violates=True, spans=places(word, text), kind="word")
    yield Pair(deck.chance.choice([need, free]), text, violates=False, kind="word")
    others = [other for other in foreign if not places(other, text)]
    if others:
        other = deck.chance.choice(others)
        side = deck.chance.choice(["ban", "need"])
        rule = deck.chance.choice(wordings[side]).format(word=other)
        yield Pair(rule, text, violates=side == "need", kind="word")


def _any(deck: Deck) -> str:
    if deck.chance.random() < 0.5:
        return deck.chance.choice(deck.shown).text
    return deck.chance.choice(deck.labelled).text


def _slots(template: str) -> list[str]:
    return [name for name in ("do", "thing", "about", "allow") if f"{{{name}}}" in template.lower()]


def _filled(template: str, phrases: Mapping[str, Any], chance: random.Random) -> str:
    values = {}
    for name in ("do", "thing", "about", "allow"):
        if name in phrases:
            given = phrases[name]
            value = given if isinstance(given, str) else chance.choice(given)
            values[name] = value
            values[name.capitalize()] = value[:1].upper() + value[1:]
    return template.format(**values)
