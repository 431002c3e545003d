"""Every ground is checked by code: the section, both quotes, the severity, the offsets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.verdict import Draft
from agent.verify import recheck, verify
from policies.rulebook import Rulebook

TEXT = "Hello there. Your tulips are a disgrace, honestly."
SOURCES = {"text": TEXT, "link 1": "https://tulips.example/awful"}


def codes(draft: Draft, village: Rulebook, shown: tuple[str, ...] = ("garden.1",)) -> list[str]:
    _, faults = verify(draft, rulebook=village, shown_sections=shown, sources=SOURCES)
    return [fault.code for fault in faults]


def test_a_ground_with_word_for_word_quotes_stands(
    draft: Callable[..., Draft], village: Rulebook
) -> None:
    violations, faults = verify(
        draft(), rulebook=village, shown_sections={"garden.1"}, sources=SOURCES
    )

    assert not faults
    assert violations[0].content_span == (13, 39)
    assert TEXT[13:39] == violations[0].content_quote


@pytest.mark.parametrize(
    ("ground", "code"),
    [
        ({"section": "garden.9"}, "unknown_section"),
        ({"section": "GARDEN.1"}, "unknown_section"),
        ({"section": ""}, "unknown_section"),
        ({"section": "garden.2"}, "section_not_shown"),
        ({"severity": "critical"}, "severity"),
        ({"policy_quote": "Never insult the plants of a neighbour."}, "policy_quote"),
        ({"policy_quote": "Do not insult the plants that neighbour has grown."}, "policy_quote"),
        ({"policy_quote": "Do insult the plants that a neighbour has grown."}, "policy_quote"),
        ({"policy_quote": "Do not throw compost, soil or leaves over a fence."}, "policy_quote"),
        ({"policy_quote": "Do not ins"}, "policy_quote"),
        ({"policy_quote": ""}, "policy_quote"),
        ({"policy_quote": "You asked me: the roses need more water."}, "policy_quote_allows"),
        ({"policy_quote": "not insult the"}, "policy_quote_short"),
        ({"policy_quote": "insult the plants that a neighbour has grown."}, "policy_quote_cut"),
        ({"policy_quote": "Advice that was asked for is allowed."}, "policy_quote_allows"),
        ({"policy_quote": "advice that was asked for"}, "policy_quote_allows"),
        ({"content_quote": "Your roses are a disgrace"}, "content_quote"),
        ({"content_quote": "Your tulips are disgrace"}, "content_quote"),
        ({"content_quote": "your tul"}, "content_quote"),
        ({"content_quote": " "}, "content_quote"),
        ({"content_span": (0, 5)}, "content_span"),
        ({"content_span": (13, 38)}, "content_span"),
        ({"content_span": (-37, -11)}, "content_span"),
        ({"content_span": (13, 10**9)}, "content_span"),
    ],
)
def test_a_ground_that_cannot_be_shown_is_refused(
    draft: Callable[..., Draft], village: Rulebook, ground: dict[str, Any], code: str
) -> None:
    assert code in codes(draft(ground=ground), village)


def test_a_quote_from_an_older_wording_is_refused(
    draft: Callable[..., Draft], village: Rulebook
) -> None:
    older = "Do not mock the plants that a neighbour has grown."

    assert codes(draft(ground={"policy_quote": older}), village) == ["policy_quote"]


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "allowed"},
        {"decision": "violating", "violations": []},
        {"decision": "abstain", "violations": []},
        {"decision": "abstain", "abstain_reason": "policy_gap"},
        {"abstain_reason": "unstable"},
        {"rationale": " "},
        {"counterargument": ""},
    ],
)
def test_a_draft_that_contradicts_itself_is_refused(
    draft: Callable[..., Draft], village: Rulebook, changes: dict[str, Any]
) -> None:
    assert codes(draft(**changes), village)


def test_the_same_ground_twice_is_refused(draft: Callable[..., Draft], village: Rulebook) -> None:
    twice = draft()
    twice = twice.model_copy(update={"violations": twice.violations * 2})

    assert "double_ground" in codes(twice, village)


def test_one_bad_ground_among_good_ones_refuses_the_draft(
    draft: Callable[..., Draft], village: Rulebook
) -> None:
    good, bad = draft(), draft(ground={"section": "garden.7"})
    both = good.model_copy(update={"violations": good.violations + bad.violations})

    assert codes(both, village) == ["unknown_section"]


@pytest.mark.parametrize(
    "ground",
    [
        {"policy_quote": "do not insult the plants that a neighbour has grown."},
        {"policy_quote": "Do  not\ninsult the plants\u00a0that a neighbour has grown."},
        {"policy_quote": "It does not matter whether the neighbour hears it."},
        {"policy_quote": "Do not insult the plants that a neighbour"},
        {"policy_quote": "Insulting a neighbour’s plants"},
        {"policy_quote": "insulting a neighbour's plants"},
        {"policy_quote": "Your roses look like boiled socks."},
        {"content_quote": "your tulips are a disgrace"},
        {"content_quote": "Your\u200b tulips  are a disgrace,"},
        {"content_quote": "https://tulips.example/awful"},
    ],
)
def test_how_a_quote_is_dressed_is_no_ground_for_refusal(
    draft: Callable[..., Draft], village: Rulebook, ground: dict[str, Any]
) -> None:
    assert codes(draft(ground=ground), village) == []


def test_a_quote_from_a_link_has_no_offsets_in_the_text(
    draft: Callable[..., Draft], village: Rulebook
) -> None:
    quoting = draft(ground={"content_quote": "https://tulips.example/awful"})
    violations, _ = verify(quoting, rulebook=village, shown_sections={"garden.1"}, sources=SOURCES)

    assert violations[0].content_span is None


@given(st.data())
def test_dropping_any_word_of_a_policy_quote_is_noticed(
    village: Rulebook, data: st.DataObject
) -> None:
    words = ["Do", "not", "insult", "the", "plants", "that", "a", "neighbour", "has", "grown."]
    place = data.draw(st.integers(1, len(words) - 2))
    quote = " ".join(words[:place] + words[place + 1 :])
    section = village.section("garden.1")
    assert section is not None
    made = Draft.model_validate(
        {
            "decision": "violating",
            "violations": [
                {
                    "section": "garden.1",
                    "severity": "low",
                    "confidence": 0.5,
                    "policy_quote": quote,
                    "content_quote": "tulips",
                    "why": "because",
                }
            ],
            "confidence": 0.5,
            "rationale": "because",
            "counterargument": "although",
        }
    )

    assert codes(made, village) == ["policy_quote"]


def test_a_finished_verdict_can_be_checked_again(
    draft: Callable[..., Draft], village: Rulebook
) -> None:
    violations, _ = verify(draft(), rulebook=village, shown_sections={"garden.1"}, sources=SOURCES)
    moved = [v.model_copy(update={"content_span": (0, 26)}) for v in violations]

    assert recheck(violations, rulebook=village, sources=SOURCES) == ()
    assert [f.code for f in recheck(moved, rulebook=village, sources=SOURCES)] == ["content_span"]
