"""What pairs are drawn from: texts, wordings, a rulebook and chance."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.rulebook import Rulebook
from training.reader.texts import (
    Couple,
    House,
    Labelled,
    Shown,
    Spans,
    couples,
    houses,
    is_kept,
    ordinary_remarks,
    table,
    topics,
)

_COMMUNITY = "community"
WEIGHTS = {"hatemoji": 4.0, "hatexplain": 2.0, "davidson": 0.6}
"""How often a set is drawn from: the emoji set was written to mislead and teaches the most."""


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
        """The templates of `wordings.toml` and `wordings_more.toml`, list by list."""
        return _joined(table("wordings.toml"), table("wordings_more.toml"))

    @cached_property
    def topics(self) -> Sequence[Mapping[str, Any]]:
        """The topics with rules of their own that are learnt from."""
        return [topic for topic in topics() if not is_kept(topic["id"])]

    @cached_property
    def couples(self) -> Sequence[Couple]:
        """The couples of rules that are learnt from."""
        return [couple for couple in couples() if not is_kept(couple.id)]

    @cached_property
    def houses(self) -> Sequence[House]:
        """The kinds of conduct under the house rules that are learnt from."""
        return [house.part(kept=False) for house in houses()]

    @cached_property
    def ordinary(self) -> Sequence[str]:
        """Remarks that break no house rule."""
        return [text for text in ordinary_remarks() if not is_kept(text)]

    @cached_property
    def posts(self) -> Sequence[str]:
        """Every post of those topics."""
        return [post for topic in self.topics for post in (*topic["does"], *topic["near"])]

    @cached_property
    def topics_by_file(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The same by the file that they stand in."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for topic in self.topics:
            found.setdefault(_kind(topic["id"]), []).append(topic)
        return found

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

    def drawn(self, label: str, *, value: bool) -> Labelled:
        """Return a text with a value of a label; the small sets are drawn from more often."""
        rows = self._by_set[label, value]
        names = list(rows)
        weights = [WEIGHTS.get(name, len(rows[name]) ** 0.5 / 100) for name in names]
        return self.chance.choice(rows[self.chance.choices(names, weights)[0]])

    @cached_property
    def _by_set(self) -> Mapping[tuple[str, bool], Mapping[str, Sequence[Labelled]]]:
        found: dict[tuple[str, bool], dict[str, list[Labelled]]] = {}
        for key, rows in self.by_label.items():
            for row in rows:
                found.setdefault(key, {}).setdefault(row.id.split("-")[0], []).append(row)
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
        kind = _kind(conduct)
        barred = {kind, conduct, *self.conducts[conduct].get("also", ())}
        if kind == _COMMUNITY:  # these share a name and no topic
            barred -= {kind}
        while True:
            other = self.chance.choice(list(self.conducts.values()))
            sided = {conduct, kind} & set(other.get("also", ()))
            if not {other["id"], _kind(other["id"])} & barred and not sided:
                return other


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables of lists, with what the second adds to each list."""
    found = dict(one)
    for key, value in other.items():
        mine = found.get(key)
        if isinstance(mine, dict):
            found[key] = _joined(mine, value)
        else:
            found[key] = [*mine, *value] if mine else value
    return found


def _kind(conduct: str) -> str:
    return conduct.split(".", maxsplit=1)[0]


def in_any_order(deck: Deck, rules: list[str]) -> str:
    """Return several rules as one text."""
    deck.chance.shuffle(rules)
    return " ".join(rules)


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
