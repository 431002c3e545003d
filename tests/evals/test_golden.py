from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from errors import InputError
from evals.golden import read_golden
from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook

SQUARE = """---
id: square
title: The square
version: 1
enforcement: {high: remove}
---
Keeps the square quiet.

## square.1 Shouting at night (high)
Do not shout after ten.
"""
GOOD: dict[str, Any] = {
    "id": "g-1",
    "text": "HEY YOU",
    "expected": {"decision": "violating", "sections": ["square.1"]},
    "slices": {"kind": "plain"},
    "source": "written for this test",
}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return rulebook_from_files({"square.md": SQUARE})


def write(folder: Path, *cases: dict[str, Any] | str) -> Path:
    path = folder / "golden.jsonl"
    lines = [case if isinstance(case, str) else json.dumps(case) for case in cases]
    path.write_text("\n".join(lines) + "\n")
    return path


def refused(path: Path, rulebook: Rulebook) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        read_golden(path, rulebook)
    return caught.value.message.removeprefix(str(path)), caught.value.hint


def test_a_golden_case_holds_its_case_and_its_answer_apart(
    tmp_path: Path, rulebook: Rulebook
) -> None:
    (golden,) = read_golden(write(tmp_path, GOOD), rulebook)
    assert golden.case.model_dump(exclude_defaults=True) == {"id": "g-1", "text": "HEY YOU"}
    assert golden.expected.decision == "violating"
    assert golden.expected.sections == ("square.1",)
    assert golden.slices == {"kind": "plain"}
    assert golden.source == "written for this test"


def test_the_cases_keep_the_order_of_their_file(tmp_path: Path, rulebook: Rulebook) -> None:
    path = write(tmp_path, GOOD | {"id": "z"}, "", GOOD | {"id": "a"})
    assert [golden.case.id for golden in read_golden(path, rulebook)] == ["z", "a"]


@pytest.mark.parametrize("decision", ["allowed", "abstain"])
def test_what_violates_nothing_needs_no_section(
    decision: str, tmp_path: Path, rulebook: Rulebook
) -> None:
    path = write(tmp_path, GOOD | {"expected": {"decision": decision}})
    assert read_golden(path, rulebook)[0].expected.sections == ()


def test_a_section_that_the_rulebook_does_not_have_is_refused(
    tmp_path: Path, rulebook: Rulebook
) -> None:
    unknown = GOOD | {"id": "g-2", "expected": {"decision": "violating", "sections": ["square.7"]}}
    assert refused(write(tmp_path, GOOD, unknown), rulebook) == (
        ":2: the rulebook has no section 'square.7'",
        "it has: square.1",
    )


def test_an_unknown_policy_is_answered_with_the_known_ones(
    tmp_path: Path, rulebook: Rulebook
) -> None:
    unknown = GOOD | {"expected": {"decision": "violating", "sections": ["market.1"]}}
    assert refused(write(tmp_path, unknown), rulebook)[1] == "it has: square"


def test_an_id_used_twice_is_refused(tmp_path: Path, rulebook: Rulebook) -> None:
    message, _ = refused(write(tmp_path, GOOD, GOOD), rulebook)
    assert message == ":2: the id 'g-1' was already used on line 1"


def test_an_empty_set_is_refused(tmp_path: Path, rulebook: Rulebook) -> None:
    assert refused(write(tmp_path, ""), rulebook)[0] == ": no case in this file"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ('{"id": "g-2",', ":2: not JSON"),
        (GOOD | {"id": "g-2", "txt": "x"}, ":2: unknown field 'txt'"),
        (GOOD | {"id": "g-2", "text": " "}, ":2: a case of kind 'content' needs a text"),
        (
            {key: value for key, value in GOOD.items() if key != "expected"},
            ":2: the field 'expected' is missing",
        ),
        (
            {key: value for key, value in GOOD.items() if key != "source"},
            ":2: the field 'source' is missing",
        ),
        (GOOD | {"expected": {"decision": "guilty"}}, ":2: expected.decision='guilty'"),
        (
            GOOD | {"expected": {"decision": "violating"}},
            ":2: expected={'decision': 'violating'}: Value error, expected: a violating case names",
        ),
        (GOOD | {"slices": {"kind": 3}}, ":2: slices.kind=3"),
    ],
)
def test_a_line_that_is_no_golden_case_is_refused_with_its_place(
    case: dict[str, Any] | str, message: str, tmp_path: Path, rulebook: Rulebook
) -> None:
    path = write(tmp_path, GOOD | {"id": "g-0"}, case)
    assert refused(path, rulebook)[0].startswith(message)
