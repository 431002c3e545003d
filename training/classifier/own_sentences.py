"""Our own sentences: written by hand, or templates whose slots are filled.

A template belongs to a family, and a family is either trained on or held out, never both: two
fillings of one template are the same sentence to a model.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from errors import InputError, shown

OWN_FOLDER = Path(__file__).parent / "own"
FILLED_FILE = OWN_FOLDER / "filled.jsonl"
FILLINGS = 7
Split = Literal["train", "held"]

BALANCED_SLOT = "identity"
"""A template with this slot is filled with every one of its fillings, so that all stand alike."""
SHARED_SLOT = "everyone"
"""A template with this slot is filled with one in `TURNS` of its fillings, beginning by chance."""
TURNS = 3

_SLOT = re.compile(r"\{([a-z]+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[AEIOaeio])")


@dataclass(frozen=True)
class OwnSentence:
    """A sentence of ours. A label in neither set is known to be absent."""

    id: str
    family: str
    split: Split
    text: str
    labels: tuple[str, ...]
    unsure: tuple[str, ...]


@dataclass(frozen=True)
class _Family:
    name: str
    labels: tuple[str, ...]
    unsure: tuple[str, ...]
    split: Split


def own_sentences(folder: Path = OWN_FOLDER) -> list[OwnSentence]:
    """Return every sentence in the `*.jsonl` files of `folder`, in file order.

    Raises:
        InputError: A line is not a sentence; names file and line.
    """
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            found.append(_read(line, f"{file}:{number}"))
    return found


def _read(line: str, place: str) -> OwnSentence:
    try:
        data = json.loads(line)
        return OwnSentence(
            id=data["id"],
            family=data["family"],
            split=data["split"],
            text=data["text"],
            labels=tuple(data["labels"]),
            unsure=tuple(data["unsure"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{place}: not one of our sentences ({shown(str(error))})",
            hint="A line holds id, family, split, text, labels and unsure.",
        ) from error


def fill_templates(folder: Path = OWN_FOLDER) -> list[OwnSentence]:
    """Return the filled templates of every `templates_*.txt` in `folder`.

    The choice of fillings depends on the template's own words only, so that a new template
    leaves the others as they are.

    Raises:
        InputError: A header or a slot makes no sense; names file and line.
    """
    slots = read_slots(folder / "slots.txt")
    filled = []
    for file in sorted(folder.glob("templates_*.txt")):
        for place, family, template in _templates(file):
            for number, text in enumerate(_fillings(template, slots, place)):
                name = hashlib.sha256(template.encode()).hexdigest()[:8]
                filled.append(
                    OwnSentence(
                        f"filled-{name}-{number}",
                        family.name,
                        family.split,
                        text,
                        family.labels,
                        family.unsure,
                    )
                )
    return filled


def write_filled(folder: Path = OWN_FOLDER) -> int:
    """Write the filled templates beside their source; returns how many."""
    filled = fill_templates(folder)
    (folder / FILLED_FILE.name).write_text(as_jsonl(filled), encoding="utf-8")
    return len(filled)


def as_jsonl(sentences: list[OwnSentence]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(vars(each), ensure_ascii=False) + "\n" for each in sentences)


def read_slots(file: Path) -> Mapping[str, list[str]]:
    """Return what may stand in each slot."""
    slots = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, fillings = line.partition(":")
            slots[name.strip()] = [each.strip() for each in fillings.split(" | ")]
    return slots


def _templates(file: Path) -> Iterator[tuple[str, _Family, str]]:
    family: _Family | None = None
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{file}:{number}"
        if line.startswith("## "):
            family = _family(line, place)
        elif line.strip() and not line.startswith("# "):
            if family is None:
                raise InputError(f"{place}: a template before the first family header")
            yield place, family, line


def _family(line: str, place: str) -> _Family:
    parts = [part.strip() for part in line.removeprefix("## ").split("|")]
    if len(parts) != 3 or parts[2] not in get_args(Split):  # noqa: PLR2004 - name, labels, split
        raise InputError(
            f"{place}: {shown(line)} is no family header",
            hint="Write: ## name | labels | held or train",
        )
    words = [] if parts[1] == "none" else parts[1].split()
    return _Family(
        parts[0],
        tuple(word for word in words if not word.startswith("?")),
        tuple(word[1:] for word in words if word.startswith("?")),
        "held" if parts[2] == "held" else "train",
    )


def _fillings(template: str, slots: Mapping[str, list[str]], place: str) -> list[str]:
    """Fill the slots of a template: the balanced one in every way, others in `FILLINGS` ways."""
    names = _SLOT.findall(template)
    for name in names:
        if name not in slots:
            raise InputError(f"{place}: no slot is called {shown(name)}")
    chance = random.Random(template)
    if BALANCED_SLOT in names:
        every = slots[BALANCED_SLOT]
        return [_among(template, each, BALANCED_SLOT, slots, chance) for each in every]
    if SHARED_SLOT in names:
        turn = slots[SHARED_SLOT][chance.randrange(TURNS) :: TURNS]
        return [_among(template, each, SHARED_SLOT, slots, chance) for each in turn]
    combinations = list(itertools.islice(itertools.product(*(slots[n] for n in names)), 20_000))
    chosen = chance.sample(combinations, min(FILLINGS, len(combinations)))
    return [_filled(template, fillings) for fillings in chosen]


def _among(
    template: str, filling: str, slot: str, slots: Mapping[str, list[str]], chance: random.Random
) -> str:
    """Fill `slot` with `filling`, and any other by chance."""
    names = _SLOT.findall(template)
    fillings = [filling if n == slot else chance.choice(slots[n]) for n in names]
    return _ARTICLE.sub(r"\1n ", _filled(template, tuple(fillings)))


def _filled(template: str, fillings: tuple[str, ...]) -> str:
    waiting = iter(fillings)
    text = _SLOT.sub(lambda _: next(waiting), template)
    return text[0].upper() + text[1:] if template.startswith("{") else text
