"""What pairs are drawn from: texts, wordings, a rulebook and chance."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.rulebook import Rulebook
from training.reader.texts import Labelled, Shown, Spans, table

_COMMUNITY = "community"


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
        kind = _kind(conduct)
        barred = {kind, conduct, *self.conducts[conduct].get("also", ())}
        if kind == _COMMUNITY:  # these share a name and no topic
            barred -= {kind}
        while True:
            other = self.chance.choice(list(self.conducts.values()))
            sided = {conduct, kind} & set(other.get("also", ()))
            if not {other["id"], _kind(other["id"])} & barred and not sided:
                return other


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
