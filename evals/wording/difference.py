"""The difference of two wordings, section by section, and what a careful editor would say of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from policies.lint import similarity
from policies.rulebook import Policy, Rulebook, Section

EditKind = Literal["added", "removed", "reworded"]
Part = Literal["title", "severity", "rule", "violates", "allowed"]
WordKind = Literal["same", "gone", "came"]
NoticeKind = Literal[
    "same_text", "only_form", "renumbered", "other_meaning", "deleted", "not_retired"
]

PARTS: tuple[Part, ...] = get_args(Part)

SAME_SECTION = 0.5
"""From this share of common word runs on, a section under another number is the same one."""
OTHER_MEANING = 0.1
"""Below this share, a number stands for something else than it did."""

_TOKEN = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class SectionEdit:
    """A section whose words, or what follows from them, are not what they were."""

    section: str
    kind: EditKind
    parts: tuple[Part, ...]
    """What of it changed; empty where it was added or removed."""
    old: Section | None
    new: Section | None


@dataclass(frozen=True)
class PolicyEdit:
    """A policy whose front matter or purpose is not what it was."""

    policy: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """Something to know about a draft before any case is judged."""

    kind: NoticeKind
    section: str
    told: str


@dataclass(frozen=True)
class Difference:
    """What was edited."""

    sections: tuple[SectionEdit, ...]
    policies: tuple[PolicyEdit, ...]
    notices: tuple[Notice, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """The ids of the sections that were edited."""
        return tuple(edit.section for edit in self.sections)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was edited that a reviewer could read."""
        return not self.sections and not self.policies


def difference(old: Rulebook, new: Rulebook, *, cited: Sequence[str] = ()) -> Difference:
    """Return what was edited between two wordings.

    Args:
        old: The rules before.
        new: The rules after.
        cited: Sections that golden cases name: to delete one of these is worth a word.
    """
    sections = tuple(_section_edits(old, new))
    policies = tuple(_policy_edits(old, new))
    notices = tuple(_notices(new, sections, set(cited)))
    if not sections and not policies:
        notices = (_no_edit(old, new), *notices)
    return Difference(sections, policies, notices)


def _section_edits(old: Rulebook, new: Rulebook) -> Iterator[SectionEdit]:
    for before in old.sections:
        after = new.section(before.id)
        if after is None:
            yield SectionEdit(before.id, "removed", (), before, None)
        elif after.version != before.version:
            yield SectionEdit(before.id, "reworded", tuple(_parts(before, after)), before, after)
    for after in new.sections:
        if old.section(after.id) is None:
            yield SectionEdit(after.id, "added", (), None, after)


def _parts(old: Section, new: Section) -> Iterator[Part]:
    if old.title != new.title:
        yield "title"
    if old.severities != new.severities:
        yield "severity"
    if old.rule.split() != new.rule.split():
        yield "rule"
    if old.violates != new.violates:
        yield "violates"
    if old.allowed != new.allowed:
        yield "allowed"


def _policy_edits(old: Rulebook, new: Rulebook) -> Iterator[PolicyEdit]:
    ids = dict.fromkeys(policy.id for policy in (*old.policies, *new.policies))
    for policy_id in ids:
        before, after = old.policy(policy_id), new.policy(policy_id)
        if before is not None and after is not None:
            fields = tuple(_fields(before, after))
            if fields:
                yield PolicyEdit(policy_id, fields)


def _fields(old: Policy, new: Policy) -> Iterator[str]:
    if old.title != new.title:
        yield "title"
    if old.purpose.split() != new.purpose.split():
        yield "purpose"
    if set(old.signals) != set(new.signals):
        yield "signals"
    if old.floor != new.floor:
        yield "floor"
    if dict(old.enforcement) != dict(new.enforcement):
        yield "enforcement"
    if old.never_auto != new.never_auto:
        yield "never_auto"


def _no_edit(old: Rulebook, new: Rulebook) -> Notice:
    if old.id == new.id:
        return Notice("same_text", "", "both wordings are the same text, to the letter")
    return Notice("only_form", "", "the files differ in form alone: no word of a rule is another")


def _notices(new: Rulebook, edits: Sequence[SectionEdit], cited: set[str]) -> Iterator[Notice]:
    added = [edit.new for edit in edits if edit.new is not None]
    for edit in edits:
        before = edit.old
        if before is None:
            continue
        twin = _twin(before, [section for section in added if section.id != before.id])
        strange = edit.new is None or similarity(before.text, edit.new.text) < OTHER_MEANING
        if strange and twin is not None:
            told = f"{before.id} stands as {twin.id} now: past verdicts cite it as {before.id}"
            yield Notice("renumbered", before.id, told)
        elif edit.new is None:
            yield from _deleted(before, new, cited)
        elif strange:
            told = f"{before.id} is about something else now: take the next free number instead"
            yield Notice("other_meaning", before.id, told)


def _twin(section: Section, others: Sequence[Section]) -> Section | None:
    """The section of another number that says the same, if there is one."""
    near = [(similarity(section.text, other.text), other) for other in others]
    alike, twin = max(near, key=lambda pair: pair[0], default=(0.0, None))
    return twin if alike >= SAME_SECTION else None


def _deleted(section: Section, new: Rulebook, cited: set[str]) -> Iterator[Notice]:
    if section.id in cited:
        told = f"{section.id} is deleted, and golden cases still name it as the answer"
        yield Notice("deleted", section.id, told)
    policy = new.policy(section.policy)
    if policy is not None and section.id not in policy.retired:
        told = (
            f"{section.id} is gone: list it under 'retired', so that its number is not used again"
        )
        yield Notice("not_retired", section.id, told)


def word_difference(old: str, new: str) -> list[tuple[WordKind, str]]:
    """Return the words of both texts in order: what stayed, what went, what came.

    >>> word_difference("do not shout", "do not sing")
    [('same', 'do not '), ('gone', 'shout'), ('came', 'sing')]
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    found: list[tuple[WordKind, str]] = []
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        gone, came = "".join(before[a:b]), "".join(after[c:d])
        if gone == came:
            found.append(("same", gone))
            continue
        found += [("gone", gone)] if gone else []
        found += [("came", came)] if came else []
    return found


def part_differences(edit: SectionEdit) -> dict[Part, list[tuple[WordKind, str]]]:
    """Return for each part of a section that was edited its words: what stayed, went, came."""
    before, after = _texts(edit.old), _texts(edit.new)
    return {
        part: word_difference(before[part], after[part])
        for part in PARTS
        if before[part] != after[part]
    }


def _texts(section: Section | None) -> dict[Part, str]:
    if section is None:
        return dict.fromkeys(PARTS, "")
    return {
        "title": section.title,
        "severity": ", ".join(section.severities),
        "rule": section.rule,
        "violates": "\n".join(section.violates),
        "allowed": "\n".join(section.allowed),
    }
