"""The posts of the reader's topics as rows to train on.

What they carry stands in `topic_labels.toml`. Topics that the reader is watched with
(`training.reader.texts.is_kept`) are left out, so that neither model has seen them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from errors import InputError
from policies.rulebook import Signal
from training.classifier.rows import LABELS, Row, in_share
from training.reader.texts import is_kept, topics

SOURCE = "topics"
TABLE = Path(__file__).with_name("topic_labels.toml")
Sort = Literal["does", "near", "aside"]
HARMLESS_SHARE = 1 / 3
"""The share of the posts of harmless parts that is learnt from: they are many and much alike."""

_NEVER_SAID: frozenset[Signal] = frozenset({"offensive", "pii"})
_SAID: frozenset[Signal] = frozenset(LABELS) - _NEVER_SAID - {"spam"}
"""What is said of a post unless it is unsure."""


@dataclass(frozen=True)
class Kind:
    """What the posts of some topics carry."""

    topics: tuple[str, ...]
    does: tuple[Signal, ...] = ()
    unsure: tuple[Signal, ...] = ()
    near_unsure: tuple[Signal, ...] = ()
    aside_unsure: tuple[Signal, ...] = ()

    def known(self, sort: Sort) -> dict[Signal, int]:
        """Return what is known of one sort of post."""
        unsure = {"does": self.unsure, "near": self.near_unsure, "aside": self.aside_unsure}[sort]
        about = _SAID | ({"spam"} & {*self.does, *self.unsure})
        carried = self.does if sort == "does" else ()
        return {
            label: int(label in carried)
            for label in LABELS
            if label in about and label not in unsure
        }


@dataclass(frozen=True)
class Harmless:
    """A part of the topics that never carries some labels."""

    part: str
    absent: tuple[Signal, ...]
    excepted: frozenset[str]


@dataclass(frozen=True)
class TopicLabels:
    """The table that says what topics carry."""

    kinds: tuple[Kind, ...]
    harmless: tuple[Harmless, ...]

    def speaks_of(self, topic: str) -> bool:
        """Whether the table names the topic itself, not only its part."""
        return any(topic in kind.topics for kind in self.kinds)

    def known(self, topic: str, sort: Sort) -> dict[Signal, int]:
        """Return what is known of a sort of post of a topic; nothing where the table is silent."""
        for kind in self.kinds:
            if topic in kind.topics:
                return kind.known(sort)
        for each in self.harmless:
            if topic.startswith(f"{each.part}.") and topic not in each.excepted:
                return dict.fromkeys(each.absent, 0)
        return {}


@cache
def topic_labels(file: Path = TABLE) -> TopicLabels:
    """Return the table in `file`.

    Raises:
        InputError: A label is none of ours, or a topic stands in two kinds.
    """
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    kinds = tuple(
        Kind(
            tuple(entry["topics"]),
            *(
                _labels(entry, key, file)
                for key in ("does", "unsure", "near_unsure", "aside_unsure")
            ),
        )
        for entry in data.get("kind", ())
    )
    named = [topic for kind in kinds for topic in kind.topics]
    for topic in named:
        if named.count(topic) > 1:
            raise InputError(f"{file}: {topic} stands in two kinds", hint="Name a topic once.")
    harmless = tuple(
        Harmless(entry["part"], _labels(entry, "absent", file), frozenset(entry["except"]))
        for entry in data.get("harmless", ())
    )
    return TopicLabels(kinds, harmless)


def topic_rows(
    found: Sequence[Mapping[str, Any]] | None = None, labels: TopicLabels | None = None
) -> Iterator[Row]:
    """Yield the posts that something is known of; a topic stays on one side of every fold."""
    table = labels or topic_labels()
    for topic in topics() if found is None else found:
        name = topic["id"]
        if is_kept(name):
            continue
        for sort, number, text in _posts(topic):
            if known := table.known(name, sort):
                keys = (f"topic:{name}", f"post:{text.casefold()}")
                row = Row(f"{name}-{sort}-{number}", text, SOURCE, known, group_keys=keys)
                if table.speaks_of(name) or in_share(row, HARMLESS_SHARE):
                    yield row


def _posts(topic: Mapping[str, Any]) -> Iterator[tuple[Sort, int, str]]:
    asides = [text for each in topic.get("exception", ()) for text in each["texts"]]
    sorts: tuple[tuple[Sort, Collection[str]], ...] = (
        ("does", topic["does"]),
        ("near", topic["near"]),
        ("aside", asides),
    )
    for sort, texts in sorts:
        for number, text in enumerate(texts):
            yield sort, number, text


def _labels(entry: Mapping[str, Any], key: str, file: Path) -> tuple[Signal, ...]:
    named = entry.get(key, [])
    for label in named:
        if label not in LABELS:
            raise InputError(
                f"{file}: {label!r} is no label", hint=f"Labels are: {', '.join(LABELS)}."
            )
    return tuple(cast("Signal", label) for label in named)
