"""What deterministic evidence says cannot be talked away by a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.model import ToolCall
from agent.verdict import Draft, Verdict
from policies.rulebook import Rulebook, Signal
from tools.classifier_score import ClassifierScoreResult, Flag
from tools.tool import Arguments, Tool, tool

ReviewWith = Callable[..., Verdict]
DraftWith = Callable[..., Draft]
ALLOWED: dict[str, Any] = {"decision": "allowed", "violations": [], "confidence": 0.99}
SCORE = (ToolCall("classifier_score", {"text": "Your tulips are a disgrace"}),)


class Text(Arguments):
    """What the classifier is asked."""

    text: str


def scoring(scores: Mapping[Signal, float], line: float = 0.6) -> Tool:
    """A classifier whose every label has the same line."""

    def run(_: Text) -> ClassifierScoreResult:
        """Score a text."""
        flagged = tuple(
            Flag(finding=label, label=label, score=score, line=line)
            for label, score in scores.items()
            if score > line
        )
        return ClassifierScoreResult(
            finding="scores", scores=dict(scores), flagged=flagged, reliable=True
        )

    return tool("classifier_score", run, arguments=Text, version="1")


def with_floor(village: Rulebook, floor: float | None) -> Rulebook:
    garden, *others = village.policies
    return replace(village, policies=(replace(garden, floor=floor), *others))


def test_a_score_over_the_line_leaves_an_allowed_case_to_a_person(
    review: ReviewWith, draft: DraftWith
) -> None:
    verdict = review(SCORE, (), draft(**ALLOWED), tools=(scoring({"offensive": 0.8}),))

    assert (verdict.decision, verdict.action) == ("allowed", "none")
    assert verdict.needs_human
    assert verdict.needs_human_because == (
        "the classifier is over the floor of Garden manners (offensive 0.80)",
    )


@pytest.mark.parametrize(
    ("floor", "scores"),
    [(None, (0.59, 0.61)), (0.9, (0.8, 0.91)), (0.3, (0.29, 0.4))],
)
def test_a_policy_sets_its_own_floor(
    review: ReviewWith,
    draft: DraftWith,
    village: Rulebook,
    floor: float | None,
    scores: tuple[float, float],
) -> None:
    needed = [
        review(
            SCORE,
            (),
            draft(**ALLOWED),
            tools=(scoring({"offensive": score}),),
            rulebook=with_floor(village, floor),
        ).needs_human
        for score in scores
    ]

    assert needed == [False, True]


def test_a_label_that_bears_on_no_policy_has_no_floor(review: ReviewWith, draft: DraftWith) -> None:
    verdict = review(SCORE, (), draft(**ALLOWED), tools=(scoring({"spam": 0.99}),))

    assert not verdict.needs_human


def test_a_violation_needs_nobody_because_of_a_score(review: ReviewWith, draft: DraftWith) -> None:
    verdict = review(SCORE, (), draft(), tools=(scoring({"offensive": 0.99}),))

    assert (verdict.decision, verdict.needs_human) == ("violating", False)


def test_a_never_auto_policy_in_play_is_left_to_a_person(
    review: ReviewWith, draft: DraftWith, village: Rulebook
) -> None:
    verdict = review((), draft(**ALLOWED), sections=lambda _: [village.section("well.1")])

    assert verdict.decision == "allowed"
    assert verdict.needs_human
    assert "The village well" in verdict.needs_human_because[0]
