"""The embedded model over a small rulebook: it reads the wording, quotes it, and doubts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

import pytest

from agent.case import Case
from agent.embedded.drafts import policy_quote
from agent.embedded.evidence import evidence
from agent.embedded.model import EmbeddedModel
from agent.embedded.reading import rule_text
from agent.graph import judge
from agent.model import Brief, Conclusion
from agent.reviewer import Options, Reviewer, open_reviewer
from agent.verdict import Verdict
from policies.rulebook import Signal
from retrieval.index import SectionSimilarity

FENCE = """---
id: fence
title: Fences and neighbours
version: 2026-11-01
signals: {signals}
enforcement: {{low: label, medium: limit, high: remove}}
never_auto: false
---
Good fences make good neighbours.

## fence.1 Throwing things over a fence (low to high)
{rule}
### Violates
- {violates}
### Allowed
- {allowed}
"""
FORBIDDING = {
    "signals": "[]",
    "rule": "Do not throw compost, soil or leaves over the fence. Asking first makes it fine.",
    "violates": "I tipped three buckets of soil over his fence tonight.",
    "allowed": "I carried my own soil to the tip.",
}
PERMITTING = {
    "signals": "[]",
    "rule": "Do not paint a fence in a colour that nobody was asked about. Asking makes it fine.",
    "violates": "I painted our shared fence pink without a word.",
    "allowed": "I tipped three buckets of soil over his fence tonight.",
}
WELCOMING = FORBIDDING | {
    "rule": "You may throw compost, soil or leaves over the fence. Nothing of that is removed."
}
CLOSED = {
    "signals": "[hate]",
    "rule": "Do not call people animals for their origin. Quoting it counts, even to condemn it.",
    "violates": "They are rats, all of them.",
    "allowed": "There are rats in our cellar.",
}
EXCUSED = CLOSED | {
    "rule": "Do not call people animals for their origin. Quoting it to condemn it is allowed."
}
QUOTED = "Calling refugees rats is disgusting. Whoever says so should be ashamed."
TIPPED = "Last night I tipped two big buckets of soil over the fence of the man next door."

Opened = Callable[[dict[str, str]], Reviewer]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Open a reviewer over one section with this wording; each wording once."""
    reviewers: dict[str, Reviewer] = {}

    def over(wording: dict[str, str]) -> Reviewer:
        text = FENCE.format(**wording)
        if text not in reviewers:
            folder = tmp_path_factory.mktemp("rules")
            (folder / "fence.md").write_text(text)
            home = folder / "home"
            url = f"sqlite:///{folder / 'records.db'}"
            reviewers[text] = open_reviewer(
                Options(home=home, records_url=url, policies=folder, threads=1)
            )
        return reviewers[text]

    yield over
    for reviewer in reviewers.values():
        reviewer.close()


def judged(reviewer: Reviewer, text: str = TIPPED) -> Verdict:
    return reviewer.review(Case(id="c-1", text=text))


def nearness(reviewer: Reviewer) -> float:
    """What the section's wording adds up to for the same words."""
    model = reviewer.desk.model
    assert isinstance(model, EmbeddedModel)
    (found,) = model.faculties.closest(TIPPED, ["fence.1"])
    return found.violates + found.rule


def test_another_wording_weighs_the_same_words_differently(opened: Opened) -> None:
    assert nearness(opened(FORBIDDING)) > nearness(opened(PERMITTING)) + 0.2


def test_a_wording_that_permits_what_another_forbids_is_read_as_such(opened: Opened) -> None:
    """What the reader makes of the same words; how much that weighs is fitted."""
    forbidding, permitting = (read(opened(w)) for w in (FORBIDDING, WELCOMING))

    assert forbidding > permitting


def test_an_exception_added_to_a_section_lowers_the_probability_of_a_violation(
    opened: Opened,
) -> None:
    closed, excused = (probability(opened(w), QUOTED) for w in (CLOSED, EXCUSED))

    assert closed > excused


def read(reviewer: Reviewer, text: str = TIPPED) -> float:
    model = reviewer.desk.model
    assert isinstance(model, EmbeddedModel)
    (section,) = reviewer.desk.rulebook.sections
    return model.faculties.reads(rule_text(section), text).log_odds


def probability(reviewer: Reviewer, text: str) -> float:
    """That the case breaks the only section, as the embedded model has it."""
    briefs: list[Brief] = []
    model = reviewer.desk.model
    assert isinstance(model, EmbeddedModel)

    class Listening:
        name = "listening"
        consult = staticmethod(model.consult)

        def decide(self, brief: Brief) -> Conclusion:
            briefs.append(brief)
            return model.decide(brief)

    judge(Case(id="c-1", text=text), replace(reviewer.desk, model=Listening()))
    found = evidence(briefs[0], model.faculties)
    near = max(model.weighing.nearness(one.features) for one in found.sections)
    return model.weighing.probability(found.features, near)


def test_the_same_case_gives_the_same_verdict_but_for_the_time(opened: Opened) -> None:
    first, second = (judged(opened(FORBIDDING)).model_dump(exclude={"usage"}) for _ in range(2))

    assert first == second


def test_whatever_it_concludes_its_grounds_are_proved(opened: Opened) -> None:
    verdict = judged(opened(FORBIDDING))

    for violation in verdict.violations:
        assert violation.policy_quote in FORBIDDING["rule"]
        assert violation.content_span is not None
        assert TIPPED[slice(*violation.content_span)] == violation.content_quote
    assert verdict.abstain_reason != "unproven"


def test_the_exception_is_never_quoted_as_the_ground(opened: Opened) -> None:
    section = opened(FORBIDDING).desk.rulebook.sections[0]
    near = SectionSimilarity("fence.1", 0.9, "Asking first makes it fine.", 0.1, "", 0.1, "")

    assert policy_quote(section, near) == "Do not throw compost, soil or leaves over the fence."


@pytest.mark.parametrize(
    "text",
    [
        "Gestern Nacht habe ich zwei Eimer Erde über den Zaun gekippt, geschieht ihm recht.",
        "Вчера ночью я высыпал два ведра земли через забор соседа, так ему и надо.",
    ],
)
def test_what_it_cannot_read_goes_to_a_person(opened: Opened, text: str) -> None:
    verdict = judged(opened(FORBIDDING), text)

    assert verdict.decision == "abstain"
    assert verdict.needs_human


def test_a_text_longer_than_any_it_was_fitted_to_goes_to_a_person(opened: Opened) -> None:
    story = "We took the early ferry to the island and counted the buoys on the way. "
    long = judged(opened(FORBIDDING), story * 5 + TIPPED + " " + story * 5)

    assert (long.decision, long.abstain_reason) == ("abstain", "ambiguous_content")
    assert "hardly any of more than 120 words" in long.rationale


def test_an_alarm_that_no_policy_answers_to_is_a_gap_and_not_allowed(opened: Opened) -> None:
    reviewer = opened(FORBIDDING)
    model = reviewer.desk.model
    assert isinstance(model, EmbeddedModel)
    weighing = replace(model.weighing, allowed_line=1.0, violating_line=1.0)
    lenient = replace(reviewer.desk, model=replace(model, weighing=weighing))
    threat = "I know where you live and tonight I am coming to kill you and your whole family."

    verdict = judge(Case(id="c-1", text=threat), lenient)

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "policy_gap")
    assert "violence" in verdict.rationale


def test_an_alarm_under_sections_that_seem_kept_is_a_doubt_and_not_allowed(opened: Opened) -> None:
    every = f"[{', '.join(get_args(Signal))}]"
    reviewer = opened(FORBIDDING | {"signals": every})
    model = reviewer.desk.model
    assert isinstance(model, EmbeddedModel)
    weighing = replace(model.weighing, allowed_line=1.0, violating_line=1.0)
    lenient = replace(reviewer.desk, model=replace(model, weighing=weighing))
    threat = "I know where you live and tonight I am coming to kill you and your whole family."

    verdict = judge(Case(id="c-1", text=threat), lenient)

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "ambiguous_content")
    assert "The pieces disagree" in verdict.rationale
    assert "violence" in verdict.rationale


@pytest.mark.parametrize("text", ["🙂", "…", "a", "\u200b.", "1", "\x00\x01", "x" * 20_000])
def test_odd_content_gets_a_verdict_and_no_crash(opened: Opened, text: str) -> None:
    assert judged(opened(FORBIDDING), text).decision in {"allowed", "abstain", "violating"}
