"""Precedents: both outcomes, the nearest first, stale when their section was rewritten."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policies.reading import rulebook_from_files
from policies.rulebook import Rulebook
from records.precedents import Precedent
from tools.precedents import FoundPrecedent, nearest_decided, precedents

RULE = """---
id: garden
title: Garden manners
version: 2026-11-01
signals: []
enforcement: {low: label}
never_auto: false
---
Neighbours should be able to sit outside in peace.

## garden.1 Insulting plants (low)
Do not insult the plants that a neighbour has grown.
### Violates
- Your roses look like boiled socks.
### Allowed
- The roses need more water.
"""


@pytest.fixture(scope="module")
def garden() -> Rulebook:
    return rulebook_from_files({"garden.md": RULE})


def decided_case(case_id: str, rulebook: Rulebook, **changes: object) -> Precedent:
    section = rulebook.section("garden.1")
    assert section is not None
    fields: dict[str, object] = {
        "case_id": case_id,
        "text": f"text of {case_id}",
        "decision": "violating",
        "section": "garden.1",
        "section_version": section.version,
        "decided_at": None,
        "note": "",
        "overturned": False,
    }
    return Precedent(**(fields | changes))  # type: ignore[arg-type]


def found(
    cases: Sequence[Precedent], rulebook: Rulebook, *, cosine: float = 0.9
) -> list[FoundPrecedent]:
    hits = [(case.case_id, cosine - number / 100) for number, case in enumerate(cases)]
    return nearest_decided(
        "some text",
        nearest=lambda _text, _limit: hits,
        decided=lambda ids: {c.case_id: c for c in cases if c.case_id in ids},
        rulebook=rulebook,
    )


def test_both_outcomes_are_heard_even_if_one_is_nearer(garden: Rulebook) -> None:
    cases = [decided_case(f"v-{n}", garden) for n in range(5)]
    cases += [decided_case(f"a-{n}", garden, decision="allowed") for n in range(3)]

    assert [f.case_id for f in found(cases, garden)] == ["v-0", "v-1", "a-0", "a-1"]


def test_a_precedent_of_an_older_wording_is_stale(garden: Rulebook) -> None:
    cases = [
        decided_case("now", garden),
        decided_case("then", garden, section_version="sha256:old"),
        decided_case("gone", garden, section="garden.7", decision="allowed"),
    ]

    assert [f.stale for f in found(cases, garden)] == [False, True, True]


def test_overturned_and_distant_cases_are_no_precedents(garden: Rulebook) -> None:
    assert not found([decided_case("wrong", garden, overturned=True)], garden)
    assert not found([decided_case("far", garden)], garden, cosine=0.2)


def test_the_tool_says_when_nothing_resembles_the_case() -> None:
    tool = precedents(lambda _: [], version="1")

    assert tool.call({"text": "some text"}).finding == "no decided case resembles this"
