"""Plant an edit in a rulebook: the ways in which policy writers change a section."""

from __future__ import annotations

import re
import textwrap
import tomllib
from dataclasses import replace
from importlib.resources import files
from itertools import islice

from pydantic import BaseModel, ConfigDict

from errors import InputError, shown
from evals.wording.harmless import rewordings
from evals.wording.writing import policy_markdown, with_section
from policies.reading import rulebook_from_files
from policies.rulebook import Policy, Rulebook, Section, Severity

_SPLIT_HEAD = re.compile(r"(?P<id>\S+) (?P<title>.*) \([^()]*\)")
_SENTENCE = re.compile(r"[^.]+\.\s*")


class PlantedEdit(BaseModel):
    """One edit of which it is known whether it changes the meaning of the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    section: str
    changes: bool = True
    where: tuple[str, ...] = ()
    swap: tuple[tuple[str, str], ...] = ()
    invert: bool = False
    severity: Severity | None = None
    split: str = ""
    """The head of the section that takes half of the rule and of the examples."""
    merge: str = ""
    """The section that is taken in, and is gone afterwards."""
    delete: bool = False
    reflow: int = 0
    harmless: int = 0
    """The number of a harmless rewording, from 1 on."""

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections on which a change has to be reported."""
        return self.where or (self.section,)


class _Edits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    edits: tuple[PlantedEdit, ...]


def shipped_edits() -> tuple[PlantedEdit, ...]:
    """Return the edits to measure with, those that change the meaning first."""
    return _edits("planted.toml")


def tuning_edits() -> tuple[PlantedEdit, ...]:
    """Return other edits, to choose by how far cases have to lean otherwise."""
    return _edits("tuning.toml")


def _edits(file: str) -> tuple[PlantedEdit, ...]:
    text = (files("evals.wording") / file).read_text("utf-8")
    return _Edits.model_validate(tomllib.loads(text)).edits


def with_edit(rulebook: Rulebook, edit: PlantedEdit) -> Rulebook:
    """Return the rulebook with `edit` in it.

    Raises:
        InputError: The words that it exchanges do not stand there.
        RulebookError: What comes out is no rulebook.
    """
    section = rulebook.section(edit.section)
    if section is None:
        raise InputError(f"the rulebook has no section {shown(edit.section)}")
    if edit.swap or edit.reflow:
        return _with_text(rulebook, section, edit)
    if edit.delete or edit.merge or edit.split:
        return _with_sections(rulebook, section, edit)
    if edit.harmless:
        found = next(islice(rewordings(section), edit.harmless - 1, None), section)
        return with_section(rulebook, found)
    return with_section(rulebook, _turned(section, edit))


def _with_text(rulebook: Rulebook, section: Section, edit: PlantedEdit) -> Rulebook:
    text = rulebook.files[section.file]
    for old, new in edit.swap:
        text = _swapped(text, old, new, edit)
    if edit.reflow:
        pattern = _loosely(section.rule)
        text = _replaced(text, pattern, textwrap.fill(section.rule, edit.reflow), edit)
    return rulebook_from_files({**rulebook.files, section.file: text})


def _swapped(text: str, old: str, new: str, edit: PlantedEdit) -> str:
    return _replaced(text, _loosely(old), new, edit)


def _replaced(text: str, pattern: str, new: str, edit: PlantedEdit) -> str:
    found, count = re.subn(pattern, lambda _: new, text, count=1)
    if not count:
        raise InputError(
            f"{edit.kind} of {edit.section}: its words do not stand in the rulebook",
            hint="the rulebook was edited since: adjust evals/wording/planted.toml",
        )
    return found


def _loosely(words: str) -> str:
    """A pattern that takes line ends for blanks."""
    return r"\s+".join(map(re.escape, words.split()))


def _turned(section: Section, edit: PlantedEdit) -> Section:
    if edit.severity is not None:
        return replace(section, severities=(edit.severity,))
    rule = section.rule
    for old, new in (
        ("Do not", "It is fine to"),
        ("do not", "it is fine to"),
        ("are allowed", "are forbidden"),
        ("is allowed", "is forbidden"),
    ):
        rule = rule.replace(old, new)
    return replace(section, rule=rule, violates=section.allowed, allowed=section.violates)


def _with_sections(rulebook: Rulebook, section: Section, edit: PlantedEdit) -> Rulebook:
    policy = rulebook.policy(section.policy)
    assert policy is not None  # noqa: S101 - a section of this rulebook
    if edit.split:
        edited = _split(policy, section, edit.split)
    elif edit.merge:
        edited = _merged(policy, section, edit.merge)
    else:
        kept = tuple(one for one in policy.sections if one.id != section.id)
        edited = replace(policy, sections=kept, retired=(*policy.retired, section.id))
    return rulebook_from_files({**rulebook.files, policy.file: policy_markdown(edited)})


def _split(policy: Policy, section: Section, head: str) -> Policy:
    """Half of the rule and of the examples go to a new section."""
    shape = _SPLIT_HEAD.fullmatch(head)
    assert shape is not None  # noqa: S101 - our own data file
    first, *_, last = section.violates
    sentences = [found.group().strip() for found in _SENTENCE.finditer(section.rule)]
    clause = sentences[0].rpartition(",")
    allowed = sentences[-1]
    stays = replace(
        section, rule=f"{clause[0]}. {allowed}", violates=(first,), allowed=section.allowed[:1]
    )
    goes = replace(
        section,
        id=shape["id"],
        title=shape["title"],
        rule=f"Do not {clause[2].removeprefix(' or ').removeprefix(' and ').strip()} {allowed}",
        violates=(last,),
        allowed=section.allowed[1:],
    )
    kept = tuple(stays if one.id == section.id else one for one in policy.sections)
    return replace(policy, sections=(*kept, goes))


def _merged(policy: Policy, section: Section, other_id: str) -> Policy:
    other = next(one for one in policy.sections if one.id == other_id)
    joined = replace(
        section,
        rule=f"{section.rule} {other.rule}",
        violates=(*section.violates, *other.violates),
        allowed=(*section.allowed, *other.allowed),
    )
    kept = tuple(
        joined if one.id == section.id else one for one in policy.sections if one.id != other_id
    )
    return replace(policy, sections=kept, retired=(*policy.retired, other_id))
