"""A golden set: cases with the answer known (DESIGN 9), one JSON object a line."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from agent.case import Case, Frozen
from agent.reading_cases import checked, json_lines, read_case
from agent.verdict import Decision
from errors import InputError, shown
from policies.rulebook import Rulebook, Severity

MAX_TEXT_CHARS = 20_000
"""Longest text of a golden case: what a case may have unless somebody sets it otherwise."""


class Expected(Frozen):
    """The answer: `sections` lists every section that a right verdict may cite."""

    decision: Decision
    sections: tuple[str, ...] = ()
    severity: Severity | None = None
    """How severe a violation is; most sets do not say."""

    @model_validator(mode="after")
    def _violating_names_a_section(self) -> Expected:
        if self.decision == "violating" and not self.sections:
            raise ValueError("expected: a violating case names the sections that it violates")
        return self


class _Answer(Frozen):
    """The fields that make a case a golden one; `cluster` only where cases come in families."""

    expected: Expected
    slices: dict[str, str] = Field(default_factory=dict)
    source: str = Field(min_length=1)
    cluster: str = ""


@dataclass(frozen=True)
class GoldenCase:
    """A case and its answer, held apart: only `case` is ever shown to a reviewer."""

    case: Case
    expected: Expected
    slices: Mapping[str, str]
    """What kind of case it is, such as `{"kind": "satire", "language": "en"}`: rates are also
    reported for each value of each of these."""
    source: str
    cluster: str = ""
    """Cases of one cluster were made from one another: they count as one family in intervals."""


def read_golden(
    path: Path, rulebook: Rulebook, *, max_text_chars: int = MAX_TEXT_CHARS
) -> list[GoldenCase]:
    """Return the golden cases of a JSONL file, in its order.

    Raises:
        InputError: The file cannot be read or holds no case, a line is no golden case, an id is
            used twice, or an answer names a section that is not in `rulebook`; names `file:line`.
    """
    golden: list[GoldenCase] = []
    first_line_of: dict[str, int] = {}
    for number, fields in json_lines(path):
        where = f"{path}:{number}"
        one = _golden_case(fields, where=where, max_text_chars=max_text_chars)
        earlier = first_line_of.setdefault(one.case.id, number)
        if earlier != number:
            raise InputError(
                f"{where}: the id {shown(one.case.id)} was already used on line {earlier}",
                hint="give every golden case an id of its own",
            )
        _check_sections(one, rulebook, where)
        golden.append(one)
    if not golden:
        raise InputError(f"{path}: no case in this file", hint="write one golden case a line")
    return golden


def drawn(golden: Sequence[GoldenCase], limit: int | None, *, seed: int = 0) -> list[GoldenCase]:
    """Return at most `limit` cases, drawn by the seed and left in their order.

    The first ones would be a poor sample: sets come sorted by what is in them.
    """
    if limit is None or limit >= len(golden):
        return list(golden)
    chosen = sorted(random.Random(seed).sample(range(len(golden)), limit))
    return [golden[number] for number in chosen]


def _golden_case(fields: Mapping[str, Any], *, where: str, max_text_chars: int) -> GoldenCase:
    answer = {name: value for name, value in fields.items() if name in _Answer.model_fields}
    rest = {name: value for name, value in fields.items() if name not in answer}
    case = read_case(rest, max_text_chars=max_text_chars, where=where)
    known = checked(_Answer, answer, where=where)
    return GoldenCase(case, known.expected, known.slices, known.source, known.cluster)


def _check_sections(golden: GoldenCase, rulebook: Rulebook, where: str) -> None:
    for section in golden.expected.sections:
        if rulebook.section(section) is None:
            policy = rulebook.policy(section.partition(".")[0])
            known = [s.id for s in policy.sections] if policy else [p.id for p in rulebook.policies]
            raise InputError(
                f"{where}: the rulebook has no section {shown(section)}",
                hint=f"it has: {', '.join(known)}",
            )
