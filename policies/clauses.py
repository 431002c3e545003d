"""The body of a policy file: its purpose, then numbered sections, each with examples on both sides.

What counts as a line of what is decided here, strictly: a heading with a typing mistake must be an
error, because a clause that silently became part of another one would be applied to real people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from errors import shown
from policies.front_matter import SECTION_ID
from policies.problem import Problems
from policies.rulebook import SEVERITIES, Section, Severity

Part = Literal["rule", "violates", "allowed"]

_PARTS: dict[str, Part] = {"Violates": "violates", "Allowed": "allowed"}
_HEADING = re.compile(r" {0,3}(?P<marks>#+)(?P<words>(?:\s.*)?)")
_GLUED_HEADING = re.compile(r" {0,3}(?P<marks>#{2,})[^#\s]")
_SECTION_HEADING = re.compile(r"(?P<title>.*?)\s*\((?P<severity>[^()]*)\)")
_ITEM = re.compile(r"[-*](?:\s+(?P<words>.*))?")
_LIST_MARK = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_NUMBERED_LIKE = "write for example: ## hate.1 Dehumanising people for who they are (high)"
_SECTION_LEVEL = 2
_PART_LEVEL = 3


@dataclass
class _Clause:
    """A section as far as it has been read."""

    id: str
    title: str
    severities: tuple[Severity, ...]
    line: int
    rule: list[str] = field(default_factory=list)
    violates: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    parts: set[Part] = field(default_factory=set)


@dataclass(frozen=True)
class _Place:
    """Where in the body the reader stands; `clause` is None before the first section."""

    clause: _Clause | None = None
    part: Part | None = "rule"
    """None below a heading that is not understood: its text is not blamed a second time."""
    broken: bool = False
    """Whether the last section heading could not be read."""


_LOST = _Place(broken=True)


def read_body(
    lines: list[str], start: int, policy: str | None, name: str, problems: Problems
) -> tuple[str, tuple[Section, ...]]:
    """Return the purpose and the sections of a policy, and note what cannot be read.

    Args:
        lines: The whole file, comments taken out.
        start: The index in `lines` at which the body starts.
        policy: The id that every section has to carry; None if the front matter gave none.
        name: The file that the sections say they come from.
        problems: Where problems are noted.
    """
    purpose: list[str] = []
    clauses: list[_Clause] = []
    place = _Place()
    for number, line in enumerate(lines[start:], start=start + 1):
        heading = _HEADING.fullmatch(line)
        if glued := _GLUED_HEADING.match(line):
            problems.add(number, f"no space after the # of {shown(line)}", _NUMBERED_LIKE)
            place = replace(place, part=None) if len(glued["marks"]) > _SECTION_LEVEL else _LOST
        elif heading and len(heading["marks"]) == _SECTION_LEVEL:
            clause = _open_section(heading["words"].strip(), number, policy, problems)
            place = _Place(clause=clause) if clause else _LOST
            clauses += [clause] if clause else []
        elif heading:
            place = replace(place, part=_open_part(heading, number, place, problems))
        elif place.clause is None:
            purpose += [] if place.broken else [line]
        elif line.strip():
            _take_line(line, number, place.clause, place.part, problems)
        elif place.part == "rule":
            place.clause.rule.append("")
    _check_body(purpose, clauses, start + 1, broken=place.broken, problems=problems)
    return unwrap(purpose), tuple(_section(clause, policy or "", name) for clause in clauses)


def without_comments(lines: list[str], start: int, problems: Problems) -> list[str]:
    """Return `lines` with the HTML comments of the body taken out; line numbers stay the same."""
    head, body = lines[:start], "\n".join(lines[start:])
    kept: list[str] = []
    position = 0
    while (opening := body.find("<!--", position)) >= 0:
        kept.append(body[position:opening])
        closing = body.find("-->", opening)
        if closing < 0:
            line = start + 1 + body.count("\n", 0, opening)
            problems.add(line, "a comment is not closed", "end it with -->")
            position = len(body)
            break
        position = closing + len("-->")
        kept.append("\n" * body.count("\n", opening, position))
    kept.append(body[position:])
    return head + "".join(kept).split("\n")


def unwrap(lines: list[str]) -> str:
    r"""Return the words of `lines` with soft line breaks undone; blank lines and lists stay.

    >>> unwrap(["One sentence,", "wrapped.", "", "- a", "- b"])
    'One sentence, wrapped.\n\n- a\n- b'
    """
    return "\n".join(_blocks(lines)).strip("\n")


def _blocks(lines: list[str]) -> Iterator[str]:
    """The blocks of a text: paragraphs and list items on one line each, "" between paragraphs."""
    block: list[str] = []
    for line in [*lines, ""]:
        if block and (not line.strip() or _LIST_MARK.match(line)):
            yield " ".join(" ".join(block).split())
            block = []
            if not line.strip():
                yield ""
        if line.strip():
            block.append(line)


def _open_section(words: str, line: int, policy: str | None, problems: Problems) -> _Clause | None:
    section_id, rest = [*words.split(maxsplit=1), "", ""][:2]
    number = SECTION_ID.fullmatch(section_id)
    if number is None:
        problems.add(line, f"a section without a number: {shown(words)}", _NUMBERED_LIKE)
        return None
    if policy is not None and number["policy"] != policy:
        hint = f"number it {policy}.{number['number']}, or move it to the file of its policy"
        problems.add(line, f"{shown(section_id)} is not a section of {policy!r}", hint)
        return None
    shape = _SECTION_HEADING.fullmatch(rest.strip())
    if shape is None:
        problems.add(line, f"{section_id} says no severity in brackets", _NUMBERED_LIKE)
        return None
    if not shape["title"]:
        problems.add(line, f"{section_id} has no title", _NUMBERED_LIKE)
        return None
    severities = _severities(shape["severity"])
    if not severities:
        hint = f"one of {', '.join(SEVERITIES)}, or a range, mildest first: (low to high)"
        problems.add(line, f"{section_id}: unknown severity {shown(shape['severity'])}", hint)
        return None
    return _Clause(section_id, shape["title"], severities, line)


def _severities(words: str) -> tuple[Severity, ...]:
    """One severity, or those of a range; none if the words are neither.

    >>> _severities("low to high")
    ('low', 'medium', 'high')
    """
    first, _, last = (part.strip() for part in words.partition(" to "))
    names: list[str] = list(SEVERITIES)
    if first not in names or (last or first) not in names:
        return ()
    return SEVERITIES[names.index(first) : names.index(last or first) + 1]


def _open_part(heading: re.Match[str], line: int, place: _Place, problems: Problems) -> Part | None:
    words = heading["words"].strip()
    part = _PARTS.get(words) if len(heading["marks"]) == _PART_LEVEL else None
    if part is None:
        hint = "the headings are ## for a section, ### Violates and ### Allowed"
        problems.add(line, f"unknown heading {shown(heading[0].strip())}", hint)
    elif place.clause is None:
        if not place.broken:
            problems.add(line, f"### {words} stands before the first section", _NUMBERED_LIKE)
    elif part in place.clause.parts:
        hint = "put all examples of one side in one list"
        problems.add(line, f"{place.clause.id} has ### {words} twice", hint)
    else:
        place.clause.parts.add(part)
    return part


def _take_line(
    line: str, number: int, clause: _Clause, part: Part | None, problems: Problems
) -> None:
    """Add a line that is not blank to the part of the section in which it stands."""
    if part == "rule":
        clause.rule.append(line)
    elif part is not None:
        examples = clause.violates if part == "violates" else clause.allowed
        item = _ITEM.fullmatch(line)
        if item and not (item["words"] or "").strip():
            problems.add(number, f"an empty example in {clause.id}", "write it, or take it out")
        elif item:
            examples.append(" ".join(item["words"].split()))
        elif examples and line[0].isspace() and not _LIST_MARK.match(line):
            examples[-1] += " " + " ".join(line.split())
        else:
            hint = "start an example with '- ' at the left margin; indent the lines it wraps over"
            message = f"text that belongs to no example of {clause.id}: {shown(line.strip())}"
            problems.add(number, message, hint)


def _check_body(
    purpose: list[str], clauses: list[_Clause], line: int, *, broken: bool, problems: Problems
) -> None:
    if not clauses and not broken:
        problems.add(line, "the policy has no sections", _NUMBERED_LIKE)
    if not unwrap(purpose):
        hint = "say above the first section what the policy protects, in a paragraph"
        problems.add(line, "the policy does not say what it protects", hint)
    for clause in clauses:
        if not unwrap(clause.rule):
            hint = "write the rule in a few sentences below the heading of the section"
            problems.add(clause.line, f"{clause.id} has no rule", hint)


def _section(clause: _Clause, policy: str, name: str) -> Section:
    return Section(
        id=clause.id,
        policy=policy,
        title=clause.title,
        severities=clause.severities,
        rule=unwrap(clause.rule),
        violates=tuple(clause.violates),
        allowed=tuple(clause.allowed),
        file=name,
        line=clause.line,
    )
