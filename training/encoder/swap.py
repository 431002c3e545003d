"""The same text about another group: what a text says decides, not whom it names.

Public sets are full of the groups that were attacked when they were collected, so a model learns
the name for the offence. Where another group often stands in the place of the one that is named,
every name keeps every company (counterfactual augmentation; Lu et al. 2018,
arXiv 1807.11714; for toxicity Garg et al. 2019, arXiv 1809.10610).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from training.classifier.own_sentences import OWN_FOLDER, SHARED_SLOT, read_slots

PEOPLE: Sequence[str] = (
    "women",
    "men",
    "Muslims",
    "Jews",
    "Christians",
    "Catholics",
    "Hindus",
    "Buddhists",
    "Sikhs",
    "atheists",
    "gays",
    "lesbians",
    "bisexuals",
    "homosexuals",
    "heterosexuals",
    "blacks",
    "whites",
    "Asians",
    "Africans",
    "Arabs",
    "Latinos",
    "Mexicans",
    "Americans",
    "Europeans",
    "Indians",
    "Pakistanis",
    "Nigerians",
    "Somalis",
    "immigrants",
    "migrants",
    "refugees",
    "foreigners",
    "trans people",
    "queer people",
    "disabled people",
    "deaf people",
    "blind people",
    "autistic people",
    "old people",
    "teenagers",
)
"""Nouns for the members of a group; the adjectives are those of our own sentences."""
OFTEN_ELSE = frozenset(
    {"straight", "old", "young", "adopted", "divorced", "widowed", "teenage", "middle-aged", "male"}
)
"""Adjectives that mostly say something else where they stand: they come in, and are not taken."""


class Swap:
    """Puts other groups in the place of those that a text names."""

    def __init__(self) -> None:
        """Read the adjectives."""
        adjectives = read_slots(OWN_FOLDER / "slots.txt")[SHARED_SLOT]
        self._others: Mapping[str, Sequence[str]] = {
            name.lower(): names for names in (adjectives, PEOPLE) for name in names
        }
        taken = sorted(self._others.keys() - OFTEN_ELSE, key=len, reverse=True)
        self._named = re.compile(rf"\b({'|'.join(map(re.escape, taken))})\b", re.IGNORECASE)

    def names(self, text: str) -> bool:
        """Whether `text` names a group that can be swapped."""
        return self._named.search(text) is not None

    def swapped(self, text: str, chance: random.Random) -> str:
        """Return `text` about other groups, the same one wherever it named the same."""
        instead: dict[str, str] = {}

        def other(found: re.Match[str]) -> str:
            name = found[0].lower()
            return instead.setdefault(name, chance.choice(self._others[name]))

        return self._named.sub(other, text)
