"""What the graph makes of a reviewer model that is right, wrong, broken, greedy or deceived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.model import Brief, NoConclusionError, ToolCall
from agent.verdict import Draft, PrecedentReference, Verdict
from errors import ModelError, RecordsError, ToolError
from policies.rulebook import Rulebook
from tools.tool import Arguments, Result, Tool, tool

ReviewWith = Callable[..., Verdict]
DraftWith = Callable[..., Draft]

ALLOWED: dict[str, Any] = {"decision": "allowed", "violations": []}


class Question(Arguments):
    """What the test tools take."""

    question: str


def answering(name: str, answer: Callable[[], Result]) -> Tool:
    def run(_: Question) -> Result:
        """Answer a question of the test."""
        return answer()

    return tool(name, run, arguments=Question, version="7")


def asks(name: str, **arguments: object) -> tuple[ToolCall, ...]:
    return (ToolCall(name, arguments or {"question": "what is this?"}),)


def test_a_proved_draft_becomes_a_verdict_with_the_action_of_the_table(
    review: ReviewWith, draft: DraftWith, village: Rulebook
) -> None:
    verdict = review((), draft())

    assert (verdict.decision, verdict.action, verdict.severity) == ("violating", "label", "low")
    assert verdict.violations[0].content_span == (13, 39)
    assert verdict.sections_considered == ("garden.1", "garden.2")
    assert verdict.provenance.rulebook == village.id
    assert not verdict.needs_human


def test_the_heaviest_prescribed_action_wins(review: ReviewWith, draft: DraftWith) -> None:
    assert review((), draft(ground={"severity": "high"})).action == "remove"


def test_a_refused_draft_goes_back_once_with_its_faults(
    review: ReviewWith, draft: DraftWith
) -> None:
    def repaired(brief: Brief) -> Draft:
        assert [fault.code for fault in brief.faults] == ["policy_quote"]
        assert brief.draft is not None
        return draft()

    verdict = review((), draft(ground={"policy_quote": "Do not be unkind to plants."}), repaired)

    assert verdict.decision == "violating"


def test_a_draft_refused_twice_goes_to_a_person(review: ReviewWith, draft: DraftWith) -> None:
    wrong = draft(ground={"content_quote": "Your tulips are lovely"})
    verdict = review((), wrong, wrong)

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "unproven")
    assert verdict.action == "escalate"
    assert verdict.violations == ()
    assert verdict.needs_human
    assert "content_quote" in verdict.rationale


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("the answer was cut off"), "model_error"),
        (NoConclusionError("budget", "the day's budget is spent"), "budget"),
        (NoConclusionError("unstable", "two samples differ"), "unstable"),
    ],
)
@pytest.mark.parametrize("when", ["consult", "decide"])
def test_a_model_without_an_answer_abstains(
    review: ReviewWith, error: ModelError, reason: str, when: str
) -> None:
    verdict = review(error) if when == "consult" else review((), error)

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", reason)
    assert verdict.needs_human


def test_a_model_that_fails_while_repairing_abstains(review: ReviewWith, draft: DraftWith) -> None:
    verdict = review((), draft(ground={"section": "garden.8"}), ModelError("gone"))

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "model_error")
    assert verdict.violations == ()


def test_tool_answers_reach_the_model_and_the_evidence(
    review: ReviewWith, draft: DraftWith
) -> None:
    def informed(brief: Brief) -> Draft:
        assert [answer.finding for answer in brief.answers] == ["three strikes"]
        return draft()

    history = answering("history", lambda: Result(finding="three strikes"))
    verdict = review(asks("history"), (), informed, tools=(history,))

    assert [(e.tool, e.finding) for e in verdict.evidence] == [("history", "three strikes")]
    assert verdict.provenance.tools == {"history": "7"}


@pytest.mark.parametrize(
    "call",
    [
        asks("delete_account"),
        asks("history", question="a", action="remove"),
        asks("history", query="a"),
    ],
)
def test_a_wrong_call_is_answered_with_what_is_wrong(
    review: ReviewWith, draft: DraftWith, call: tuple[ToolCall, ...]
) -> None:
    def corrected(brief: Brief) -> Draft:
        assert brief.answers[0].result is None
        assert brief.answers[0].error
        return draft()

    history = answering("history", lambda: Result(finding="three strikes"))

    assert review(call, (), corrected, tools=(history,)).decision == "violating"


def test_a_tool_without_an_answer_is_told_to_the_model(
    review: ReviewWith, draft: DraftWith
) -> None:
    def unknown() -> Result:
        raise ToolError("nothing is known of this account")

    verdict = review(asks("history"), (), draft(), tools=(answering("history", unknown),))

    assert verdict.evidence[0].finding == "no answer: nothing is known of this account"


def test_a_broken_tool_never_ends_in_allowed(review: ReviewWith) -> None:
    def broken() -> Result:
        raise RecordsError("the database is locked")

    verdict = review(asks("history"), tools=(answering("history", broken),))

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "missing_context")
    assert "the database is locked" in verdict.rationale


def test_a_model_that_asks_for_too_much_runs_out_of_budget(review: ReviewWith) -> None:
    history = answering("history", lambda: Result(finding="nothing"))

    verdict = review(asks("history") * 4, asks("history"), tools=(history,))

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "budget")


def test_a_model_that_never_concludes_runs_out_of_rounds(review: ReviewWith) -> None:
    from agent.state import Limits

    history = answering("history", lambda: Result(finding="nothing"))
    steps = [asks("history")] * 3

    verdict = review(*steps, tools=(history,), limits=Limits(rounds=3, tool_seconds=1e6))

    assert verdict.abstain_reason == "budget"


def test_tools_that_take_too_long_run_out_of_time(review: ReviewWith) -> None:
    from agent.state import Limits

    history = answering("history", lambda: Result(finding="nothing"))

    verdict = review(
        asks("history") * 3, tools=(history,), limits=Limits(tool_calls=9, tool_seconds=2.0)
    )

    assert verdict.abstain_reason == "budget"


def test_sections_found_by_a_search_may_be_cited(review: ReviewWith, draft: DraftWith) -> None:
    class Found(Result):
        sections: tuple[dict[str, str], ...]

    search = answering(
        "search_policy", lambda: Found(finding="one section", sections=({"id": "well.1"},))
    )
    well = draft(
        ground={
            "section": "well.1",
            "severity": "critical",
            "policy_quote": "Do not put anything into the well",
        }
    )

    found = review(asks("search_policy"), (), well, tools=(search,))
    not_found = review((), well, well)

    assert (found.decision, found.action) == ("violating", "suspend")
    assert not_found.abstain_reason == "unproven"


def test_signs_of_steering_turn_allowed_into_doubt(review: ReviewWith, draft: DraftWith) -> None:
    verdict = review((), draft(**ALLOWED), signs=lambda _: ["talks to the reviewer"])

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "injection_suspected")
    assert verdict.needs_human


def test_signs_of_steering_do_not_excuse_a_violation(review: ReviewWith, draft: DraftWith) -> None:
    verdict = review((), draft(), signs=lambda _: ["talks to the reviewer"])

    assert verdict.decision == "violating"
    assert verdict.needs_human


def test_a_listed_link_is_never_allowed(review: ReviewWith, draft: DraftWith) -> None:
    class Links(Result):
        links: tuple[dict[str, str], ...]

    links = answering(
        "url_reputation", lambda: Links(finding="on a list", links=({"risk": "listed"},))
    )
    verdict = review(asks("url_reputation"), (), draft(**ALLOWED), tools=(links,))

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "unproven")


def test_a_policy_that_no_machine_closes_asks_for_a_person(
    review: ReviewWith, draft: DraftWith, village: Rulebook
) -> None:
    well = {"sections": lambda _: [village.section("well.1")]}
    violating = draft(
        ground={
            "section": "well.1",
            "severity": "critical",
            "policy_quote": "Do not put anything into the well",
        }
    )

    for verdict in (review((), violating, **well), review((), draft(**ALLOWED), **well)):
        assert any("never closes" in reason for reason in verdict.needs_human_because)


def test_a_weak_verdict_asks_for_a_person(review: ReviewWith, draft: DraftWith) -> None:
    assert review((), draft(confidence=0.6)).needs_human


def test_live_precedents_for_the_other_answer_ask_for_a_person(
    review: ReviewWith, draft: DraftWith
) -> None:
    def decided(stale: bool) -> list[PrecedentReference]:  # noqa: FBT001 - a table of two
        return [
            PrecedentReference(
                case_id=f"p-{n}", decision="allowed", section="garden.1", stale=stale
            )
            for n in range(2)
        ]

    assert review((), draft(), precedents=lambda _: decided(stale=False)).needs_human
    assert not review((), draft(), precedents=lambda _: decided(stale=True)).needs_human


def test_an_account_is_judged_on_its_own_words_by_people(
    review: ReviewWith, draft: DraftWith
) -> None:
    def profile(brief: Brief) -> Draft:
        assert brief.sources["display name"] == "gardener u-1"
        return draft()

    case = {"id": "c-2", "kind": "account", "account_id": "u-1"}
    verdict = review((), profile, case=case)

    assert verdict.decision == "violating"
    assert verdict.violations[0].content_span is None
    assert any("account" in reason for reason in verdict.needs_human_because)


def test_an_unknown_account_is_not_judged(review: ReviewWith) -> None:
    def unknown(_: str) -> dict[str, str]:
        raise ToolError("no such account")

    case = {"id": "c-2", "kind": "account", "account_id": "u-404"}
    verdict = review(case=case, account_texts=unknown)

    assert (verdict.decision, verdict.abstain_reason) == ("abstain", "missing_context")


def test_what_others_said_cannot_be_quoted_against_the_author(
    review: ReviewWith, draft: DraftWith
) -> None:
    case = {"id": "c-3", "text": "No idea.", "context": [{"text": "Your tulips are a disgrace"}]}

    assert review((), draft(), draft(), case=case).abstain_reason == "unproven"
