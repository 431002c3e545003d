"""Watch a reviewer at work: what its first draft claimed, and what it asked its tools.

A verdict shows only what stood in the end. The tape of the review has the rest, so it is played
once more, with a witness between the desk and the recorded model. The review itself is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.case import Case
from agent.graph import judge
from agent.model import Brief, Conclusion, Consultation, ReviewerModel, ToolAnswer, ToolCall
from agent.reviewer import Reviewer
from agent.state import Limits
from agent.tape import played
from agent.verdict import Draft, Verdict
from agent.verify import verify
from evals.outcome import Grounding, Lookups
from evals.run.recorded import Seen
from policies.rulebook import Rulebook

Review = Callable[[Case], tuple[Verdict, Seen]]

NEEDED_FOR_LINKS = "url_reputation"
NEEDED_FOR_ACCOUNT = "account_history"

_OF_THE_DRAFT = frozenset(
    {"no_grounds", "contradiction", "no_reason", "no_argument", "double_ground"}
)
"""Faults of a draft as a whole; every other fault belongs to a citation."""


def watched(reviewer: Reviewer) -> Review:
    """Return how this reviewer reviews a case, with what was seen on the way.

    Nothing is written on a ledger; safe to call from several threads.
    """

    def review(case: Case) -> tuple[Verdict, Seen]:
        opinion = reviewer.opinion(case)
        payload = opinion.record.apart or opinion.record.payload
        return opinion.verdict, seen_on_tape(case, opinion.verdict, payload, reviewer.desk.rulebook)

    return review


def seen_on_tape(
    case: Case, verdict: Verdict, payload: Mapping[str, Any], rulebook: Rulebook
) -> Seen:
    """Return what the record of a review tells of its first draft and of its tools.

    Args:
        case: What was judged.
        verdict: What came of it.
        payload: The record of the review, with its `tape` and its `limits`.
        rulebook: The rulebook of the review.
    """
    desk, _ = played(
        payload["tape"],
        rulebook=rulebook,
        provenance=verdict.provenance,
        limits=Limits(**payload["limits"]),
    )
    witness = _Witness(desk.model)
    judge(case, replace(desk, model=witness))
    return seen_in(witness.sighting, rulebook)


@dataclass
class Sighting:
    """What passed between the desk and the model in one review."""

    brief: Brief | None = None
    """The last that the model was told."""
    asked: tuple[ToolCall, ...] = ()
    """What it asked last; the answers come with the next brief."""
    first: tuple[Brief, Draft] | None = None
    """Its first draft, and on what it was founded."""


class _Witness:
    """A recorded model that is watched."""

    def __init__(self, model: ReviewerModel) -> None:
        self.name = model.name
        self.sighting = Sighting()
        self._model = model

    def consult(self, brief: Brief) -> Consultation:
        """Let the model ask, and note it."""
        self.sighting.brief, self.sighting.asked = brief, ()
        consultation = self._model.consult(brief)
        self.sighting.asked = consultation.calls
        return consultation

    def decide(self, brief: Brief) -> Conclusion:
        """Let the model conclude, and note its first draft."""
        self.sighting.brief, self.sighting.asked = brief, ()
        conclusion = self._model.decide(brief)
        if self.sighting.first is None:
            self.sighting.first = (brief, conclusion.draft)
        return conclusion


def seen_in(sighting: Sighting, rulebook: Rulebook) -> Seen:
    """Return what a sighting says about grounds and tools."""
    return Seen(
        grounding=grounding_of(*sighting.first, rulebook) if sighting.first else None,
        lookups=lookups_of(sighting.brief, sighting.asked) if sighting.brief else None,
    )


def grounding_of(brief: Brief, draft: Draft, rulebook: Rulebook) -> Grounding:
    """Return how many citations of a draft hold, each verified by itself."""
    shown = {section.id for section in brief.sections}
    codes = []
    for ground in draft.violations:
        alone = draft.model_copy(update={"violations": (ground,)})
        _, faults = verify(alone, rulebook=rulebook, shown_sections=shown, sources=brief.sources)
        codes.append({fault.code for fault in faults} - _OF_THE_DRAFT)
    return Grounding(
        citations=len(codes),
        refused=sum(map(bool, codes)),
        misquoted=sum("content_quote" in found for found in codes),
        names_unasked_tool=_names_unasked_tool(brief, draft),
    )


def _names_unasked_tool(brief: Brief, draft: Draft) -> bool:
    """Whether the prose names a tool of the list that gave no result in this review.

    Only names that are no plain word count: "precedents" may be spoken of, `url_reputation` is
    always the tool.
    """
    prose = [draft.rationale, draft.counterargument, *(g.why for g in draft.violations)]
    told = " ".join(prose).casefold().replace(" ", "_")
    answered = {answer.call.tool for answer in brief.answers if answer.result is not None}
    named = {tool.name for tool in brief.tools if "_" in tool.name and tool.name in told}
    return bool(named - answered)


def lookups_of(brief: Brief, unanswered: Sequence[ToolCall] = ()) -> Lookups:
    """Return what was asked of the tools, what it was good for, and what was not asked."""
    calls = [*(answer.call for answer in brief.answers), *unanswered]
    needed = _needed(brief)
    return Lookups(
        calls=len(calls),
        failed=sum(map(_gave_nothing, brief.answers)) + len(unanswered),
        unneeded=sum(_is_idle(call, calls[:at], brief) for at, call in enumerate(calls)),
        needed=len(needed),
        missed=len(needed - {call.tool for call in calls}),
    )


def _needed(brief: Brief) -> set[str]:
    """The look-ups that a case calls for, among the tools that there are."""
    wanted = {NEEDED_FOR_LINKS} if brief.links else set()
    if brief.case.account_id is not None:
        wanted.add(NEEDED_FOR_ACCOUNT)
    return wanted & {tool.name for tool in brief.tools}


def _gave_nothing(answer: ToolAnswer) -> bool:
    return answer.result is None


def _is_idle(call: ToolCall, before: Sequence[ToolCall], brief: Brief) -> bool:
    """Whether a call could tell nothing new: asked before, or about what the case has not."""
    if call in before:
        return True
    if call.tool == NEEDED_FOR_LINKS:
        return not brief.links
    return call.tool == NEEDED_FOR_ACCOUNT and brief.case.account_id is None
