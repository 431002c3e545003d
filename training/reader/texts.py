"""The texts that the reader learns from, with what is known about each."""

from __future__ import annotations

import json
import re
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from policies.rulebook import Rulebook

HERE = Path(__file__).parent
OWN_SENTENCES = HERE.parent / "classifier" / "own" / "filled.jsonl"
STANCES = ("quote", "news", "ask", "joke", "fine")
SHORTEST_STRETCH = 3
HELD_PARTS = 5
"""One part in so many of HateXplain is kept for measuring."""
KEPT_TOPICS = 15
"""One topic in so many is not learnt from."""
_PLACED = re.compile(r"\[place: (?P<place>[^\]]+)\]\s*(?P<text>.+)", re.DOTALL)

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Couple:
    """One subject under a rule that forbids it and under one that allows it."""

    id: str
    form: str
    """In which way the rules are worded; the letters are explained in `topics/README.md`."""
    subject: str
    strict: str
    lenient: str

    @property
    def domain(self) -> str:
        """Return the part of life that the subject belongs to."""
        return self.id.partition("-")[0]


@dataclass(frozen=True)
class Remark:
    """A comment, and where it was made if that matters."""

    text: str
    place: str = ""
    """What the community is about, as "a forum on bread"."""


@dataclass(frozen=True)
class House:
    """One kind of conduct: short rules of communities on it, and remarks."""

    kind: str
    strict: Sequence[str]
    lenient: Sequence[str]
    does: Sequence[Remark]
    """Remarks that break every strict rule and keep every lenient one."""
    near: Sequence[Remark]
    """Remarks on the same ground that break neither."""
    labels: Sequence[str] = ()
    """Labels of public sets whose texts do it as well."""
    overlaps: frozenset[str] = frozenset()
    """Kinds that the remarks may also be, or theirs of this one: nothing is learnt from those."""

    @property
    def placed(self) -> bool:
        """Whether it depends on the place."""
        return any(remark.place for remark in self.does)

    def apart(self, other: House) -> bool:
        """Whether the remarks of each surely keep the rules of the other."""
        near = other.kind in self.overlaps or self.kind in other.overlaps
        return self.kind != other.kind and not near and not other.placed

    def part(self, *, kept: bool) -> House:
        """Return the rules and remarks that are kept from learning, or the others."""

        def chosen(lines: Sequence[str]) -> list[str]:
            return [line for line in lines if is_kept(line) is kept]

        def remarks(some: Sequence[Remark]) -> list[Remark]:
            return [remark for remark in some if is_kept(remark.text) is kept]

        return replace(
            self,
            strict=chosen(self.strict),
            lenient=chosen(self.lenient),
            does=remarks(self.does),
            near=remarks(self.near),
        )


@dataclass(frozen=True)
class Shown:
    """A text of ours: which conduct it comes near, and what it does, or does instead."""

    text: str
    conduct: str
    stance: str
    """`does`, one of `STANCES`, or `near`."""


@dataclass(frozen=True)
class Labelled:
    """A text of a public set."""

    id: str
    text: str
    labels: Mapping[str, bool]
    """Whether it breaks a rule on each label; what is absent is unknown."""
    targets: frozenset[str] = frozenset()
    """The groups that it attacks."""
    spans: Mapping[str, Spans] = field(default_factory=dict)
    """Where in the text a label or an entity shows, in characters."""


def table(name: str) -> dict[str, Any]:
    """Return one of the tables beside this file."""
    return tomllib.loads((HERE / name).read_text("utf-8"))


def topics() -> list[dict[str, Any]]:
    """Return the topics of `topics/`: rules by hand, strict and lenient, and posts for them."""
    return [
        topic
        for file in sorted((HERE / "topics").glob("*.toml"))
        for topic in tomllib.loads(file.read_text("utf-8"))["topic"]
    ]


def couples() -> list[Couple]:
    """Return the couples of `couples.jsonl`: a subject forbidden and allowed, in many forms."""
    return [Couple(**row) for row in _rows(HERE / "couples.jsonl")]


def houses() -> list[House]:
    """Return the kinds of conduct of `house/`, each with the short rules that communities have."""
    return [
        House(
            file.stem,
            table["strict"],
            table["lenient"],
            [_remark(line) for line in table["does"]],
            [_remark(line) for line in table["near"]],
            table.get("labels", ()),
            frozenset(table.get("overlaps", ())),
        )
        for file in sorted((HERE / "house").glob("*.toml"))
        for table in [tomllib.loads(file.read_text("utf-8"))]
    ]


def _remark(line: str) -> Remark:
    """Return a line, or one that begins with its place in brackets."""
    placed = _PLACED.fullmatch(line)
    return Remark(placed["text"], placed["place"]) if placed else Remark(line)


def ordinary_remarks() -> list[str]:
    """Return remarks that break no rule of any house."""
    return (HERE / "house" / "ordinary.txt").read_text("utf-8").splitlines()


def is_kept(topic: str) -> bool:
    """Whether a topic, a couple, or a line of a house is kept to watch learning with."""
    return zlib.crc32(topic.encode()) % KEPT_TOPICS == 0


def shown_texts() -> list[Shown]:
    """Return every text of `conducts.toml` and the classifier's own training sentences."""
    conducts = table("conducts.toml")["conduct"]
    found = [
        Shown(text, conduct["id"], stance)
        for conduct in conducts
        for stance in ("does", *STANCES, "near")
        for text in conduct.get(stance, ())
    ]
    families = table("public.toml")["family"]
    for row in _rows(OWN_SENTENCES):
        if row["split"] == "train" and row["family"] in families:
            conduct, stance = families[row["family"]]
            found.append(Shown(row["text"], conduct, stance))
    return found


def rulebook_texts(rulebook: Rulebook) -> list[Shown]:
    """Return the examples of the sections that a conduct belongs to.

    What a section allows may quote, ask or play; which of these is not said.
    """
    home = {c["section"]: c["id"] for c in table("conducts.toml")["conduct"] if "section" in c}
    return [
        Shown(text, home[section.id], stance)
        for section in rulebook.sections
        if section.id in home
        for stance, texts in (("does", section.violates), ("near", section.allowed))
        for text in texts
    ]


def labelled_texts(data: Path) -> list[Labelled]:
    """Return the texts of the public sets that may be learnt from.

    The contrast twins of the emoji set's test rows are dropped: they would give the answer away.
    Of HateXplain the part that is measured with is left out.
    """
    readers = (_hatexplain, _davidson, _hatemoji, _toxic_spans, _messages, _prompts, _personal)
    return [row for read in readers for row in read(data)]


def is_held(id_: str) -> bool:
    """Whether a row of HateXplain is kept for measuring."""
    return zlib.crc32(id_.encode()) % HELD_PARTS == 0


def _hatexplain(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "hatexplain.jsonl"):
        if not is_held(row["id"]):
            yield hatexplain_row(row)


def hatexplain_row(row: Mapping[str, Any]) -> Labelled:
    """Return a row of HateXplain, with its rationale found in the text."""
    hate, offensive = bool(row["labels"]["hate"]), bool(row["labels"]["offensive"])
    stretches = map(str.strip, row.get("rationale", "").split(";"))
    words = [words for words in stretches if len(words) >= SHORTEST_STRETCH]
    places = [(row["text"].find(word), len(word)) for word in words]
    spans = tuple((start, start + length) for start, length in places if start >= 0)
    return Labelled(
        row["id"],
        row["text"],
        {"hate": hate, "offensive": hate or offensive},
        frozenset(row.get("targets", ())) if hate else frozenset(),
        {"hate": spans, "offensive": spans} if spans else {},
    )


def _davidson(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "davidson.jsonl"):
        votes = row["votes"]
        sure = max(votes.values()) == sum(votes.values())
        if not sure or (row["labels"]["offensive"] and zlib.crc32(row["id"].encode()) % 3):
            continue  # three in four are offensive, and many of those repeat each other
        hate, offensive = bool(row["labels"]["hate"]), bool(row["labels"]["offensive"])
        yield Labelled(row["id"], row["text"], {"hate": hate, "offensive": hate or offensive})


def _hatemoji(data: Path) -> Iterator[Labelled]:
    tested = {row["id"].removeprefix("hatemoji-") for row in _rows(data / "hatemoji_test.jsonl")}
    tested |= {str(row["matched_id"]) for row in _rows(data / "hatemoji_test.jsonl")}
    for name in ("hatemoji_train.jsonl", "hatemoji_validation.jsonl"):
        for row in _rows(data / name):
            number = row["id"].removeprefix("hatemoji-")
            if number in tested or str(row["matched_id"]) in tested:
                continue
            hate = bool(row["labels"]["hate"])
            target = row["target"].strip("[]").replace("'", "")
            targets = frozenset(target.replace(",", " ").split()) if hate else frozenset()
            yield Labelled(row["id"], row["text"], {"hate": hate}, targets)


def _toxic_spans(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "toxic_spans_train.jsonl"):
        spans = tuple((start, end) for start, end in row.get("spans", ()))
        if spans and len(row["text"]) < 300:  # noqa: PLR2004 - longer ones are cut before the span
            yield Labelled(row["id"], row["text"], {"toxic": True}, spans={"toxic": spans})


def _messages(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "sms_spam.jsonl"):
        yield Labelled(row["id"], row["text"], {"spam": bool(row["labels"]["spam"])})
    for row in _rows(data / "crypto_scam_train.jsonl"):
        crypto = "topic_crypto" in row["all_labels"]
        labels = {"scam": bool(row["labels"]["scam"]), "crypto": crypto}
        yield Labelled(row["id"], row["text"], labels)


def _prompts(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "prompt_injection_train.jsonl"):
        yield Labelled(row["id"], row["text"], {"injection": bool(row["labels"]["injection"])})


def _personal(data: Path) -> Iterator[Labelled]:
    for row in _rows(data / "pii.jsonl"):
        spans: dict[str, Spans] = {}
        for start, end, kind in row.get("spans", ()):
            spans[kind] = (*spans.get(kind, ()), (start, end))
        every = tuple(span for found in spans.values() for span in found)
        labels = {"pii": bool(row["labels"]["pii"])}
        yield Labelled(row["id"], row["text"], labels, spans={**spans, "pii": every})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
