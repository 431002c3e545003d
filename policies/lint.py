"""What a careful editor would say about a rulebook: every fault, with its place and a remedy.

An error keeps the rulebook from being applied or leaves a reviewer without an answer; a warning is
about prose that a model or a person will read worse than it could be read. All rules are counts of
words: the same rulebook gives the same findings everywhere, with no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from errors import shown
from policies.problem import ProblemRule
from policies.reading import Reading, read_folder
from policies.rulebook import Policy, Section

Level = Literal["error", "warning"]
LintRule = (
    ProblemRule
    | Literal[
        "unused-enforcement",
        "no-violating-example",
        "no-allowed-example",
        "empty-exception",
        "example-on-both-sides",
        "section-too-long",
        "section-too-short",
        "policy-too-long",
        "policy-too-short",
        "near-identical-sections",
    ]
)

SECTION_WORDS = (60, 250)
"""Fewest and most words of a section, heading and examples included."""
POLICY_TOKENS = (300, 600)
"""Fewest and most tokens of a policy as a model reads it; see `estimated_tokens`."""
NEAR_IDENTICAL = 0.35
"""From this similarity on, two sections are one; see `similarity`.

Sections on different conduct stay below 0.14 in the shipped rulebook, even those that list the same
protected traits; a copy of one with every tenth word replaced still reaches 0.39 to 0.72.
"""

_SHINGLE = 3
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SAYS_NOTHING = {"", "none", "nothing", "n a", "na", "tbd", "todo", "no exceptions"}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or could be better, in a rulebook."""

    file: str
    line: int
    """Counted from 1; 0 means the file or folder as a whole."""
    rule: LintRule
    level: Level
    message: str
    hint: str


def lint(path: Path | None) -> list[Finding]:
    """Return what is wrong with the rulebook in the folder `path`, in reading order.

    None is the shipped rulebook. A rulebook that does not parse is linted as far as it was read.
    """
    reading = read_folder(path)
    findings = [
        Finding(p.file, p.line, p.rule, "error", p.message, p.hint) for p in reading.problems
    ]
    for policy in reading.rulebook.policies:
        findings += _lint_policy(policy, reading)
        for section in policy.sections:
            findings += _lint_section(section, reading.file(section.file))
    findings += _across_sections(reading)
    return sorted(findings, key=lambda finding: (finding.file, finding.line))


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a model reads in `text`: its words and punctuation marks.

    An estimate from letters alone, since every model counts differently.

    >>> estimated_tokens("Don't shout: it's night.")
    10
    """
    return len(_TOKEN.findall(text))


def similarity(first: str, second: str) -> float:
    """Return the share of three-word runs that two texts have in common, from 0 to 1.

    This is the resemblance of Broder (1997), "On the resemblance and containment of documents",
    with w = 3: rewording a phrase here and there leaves most runs as they are, while two texts
    on one subject in other words share almost none. A text of fewer words is one run.

    >>> similarity("do not shout after ten", "do not shout after nine")
    0.5
    """
    one, other = runs(first), runs(second)
    return len(one & other) / len(one | other)


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case, without punctuation."""
    return [word.casefold() for word in _WORD.findall(text)]


def runs(text: str) -> set[tuple[str, ...]]:
    """Return every run of three words in `text`: what two near-copies have in common."""
    sequence = words(text)
    last = max(len(sequence) - _SHINGLE, 0)
    return {tuple(sequence[start : start + _SHINGLE]) for start in range(last + 1)}


def _lint_policy(policy: Policy, reading: Reading) -> Iterator[Finding]:
    file = reading.file(policy.file)
    used = {severity for section in policy.sections for severity in section.severities}
    for severity in policy.enforcement:
        if severity not in used:
            yield Finding(
                file,
                _line_of("enforcement:", reading.rulebook.files[policy.file]),
                "unused-enforcement",
                "warning",
                f"no section of {policy.id} may be {severity!r}",
                "take the severity out of enforcement, or let a section use it",
            )
    tokens = estimated_tokens("\n".join([policy.purpose, *(s.text for s in policy.sections)]))
    fewest, most = POLICY_TOKENS
    size = f"{policy.id} has about {tokens} tokens (words and punctuation marks counted)"
    if policy.sections and tokens < fewest:
        hint = f"a model reads a policy best from {fewest} to {most}: say more, or join two"
        yield Finding(file, 1, "policy-too-short", "warning", size, hint)
    if tokens > most:
        hint = f"a model reads a policy best from {fewest} to {most}: tighten it, or split it"
        yield Finding(file, 1, "policy-too-long", "warning", size, hint)


def _lint_section(section: Section, file: str) -> Iterator[Finding]:
    yield from _sides(section, file)
    count = len(words(section.text))
    fewest, most = SECTION_WORDS
    size = f"{section.id} has {count} words"
    if count > most:
        hint = f"at most {most}: tighten it, or split it into two sections"
        yield Finding(file, section.line, "section-too-long", "error", size, hint)
    if count < fewest:
        hint = f"at least {fewest}: say where the line runs, or give more examples"
        yield Finding(file, section.line, "section-too-short", "warning", size, hint)


def _sides(section: Section, file: str) -> Iterator[Finding]:
    """What is wrong with the examples of one section."""
    line = section.line
    if not section.violates:
        message = f"{section.id} has no example of what violates it"
        hint = "add '### Violates' with one or more examples"
        yield Finding(file, line, "no-violating-example", "error", message, hint)
    if not section.allowed:
        message = f"{section.id} has no example of what it allows"
        hint = "add '### Allowed' with its exceptions, such as quoting, news or irony"
        yield Finding(file, line, "no-allowed-example", "error", message, hint)
    for example in section.allowed:
        if " ".join(words(example)) in _SAYS_NOTHING:
            message = f"{section.id} has an exception that says nothing: {shown(example)}"
            hint = "write what is allowed, or take the line out"
            yield Finding(file, line, "empty-exception", "error", message, hint)


def _across_sections(reading: Reading) -> Iterator[Finding]:
    sections = reading.rulebook.sections
    for section in sections:
        yield from _both_sides(section, sections, reading)
    for first, second in combinations(sections, 2):
        alike = max(similarity(first.text, second.text), similarity(first.rule, second.rule))
        if alike >= NEAR_IDENTICAL:
            yield Finding(
                reading.file(second.file),
                second.line,
                "near-identical-sections",
                "error",
                f"{second.id} says nearly the same as {first.id} (similarity {alike:.2f})",
                "join them, or say in each what sets it apart",
            )


def _both_sides(
    section: Section, sections: tuple[Section, ...], reading: Reading
) -> Iterator[Finding]:
    """Examples that violate `section` and stand as allowed in this section or in another.

    Within one section that is a contradiction; between two it may be meant, and is easy to misread.
    """
    violating = {tuple(words(example)) for example in section.violates}
    for other in sections:
        for example in other.allowed:
            if tuple(words(example)) in violating:
                same = other.id == section.id
                yield Finding(
                    reading.file(section.file),
                    section.line,
                    "example-on-both-sides",
                    "error" if same else "warning",
                    f"{shown(example)} violates {section.id} and is allowed in {other.id}",
                    "keep it on one side" if same else "give each section an example of its own",
                )


def _line_of(start: str, text: str) -> int:
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if line.startswith(start)), 1)
