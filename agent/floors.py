"""The floors: what deterministic evidence says cannot be talked away.

A model that was deceived, or that obeys what it reads, says "allowed". Under these floors a case is
never allowed on its word: the content tries to steer the reviewer, or it carries a listed link.
Where the classifier is over the floor of a policy the opinion stands, since it may be a quotation
that the classifier cannot tell, but a person has to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from agent.model import ToolAnswer
from agent.phrases import phrases
from agent.verdict import AbstainReason, Draft
from policies.rulebook import Rulebook

REASONS: tuple[AbstainReason, ...] = get_args(AbstainReason)
LONGEST_PROSE = 4000


def over_the_floors(
    opinion: Draft, *, signs: Sequence[str], answers: Sequence[ToolAnswer]
) -> Draft:
    """Return the opinion, or an abstention where `allowed` would lie under a floor."""
    if opinion.decision != "allowed":
        return opinion
    phrase = phrases("verdicts")["floor"]
    doubt = phrase["counterargument"].format(rationale=opinion.rationale)
    if signs:
        return abstention(
            "injection_suspected",
            rationale=phrase["steering"].format(
                signs=", ".join(signs), rationale=opinion.rationale
            ),
            counterargument=doubt,
        )
    listed = _listed_links(answers)
    if listed:
        return abstention(
            "unproven",
            rationale=phrase["listed_link"].format(finding=listed, rationale=opinion.rationale),
            counterargument=doubt,
        )
    return opinion


def scores_over_floor(rulebook: Rulebook, answers: Sequence[ToolAnswer]) -> list[str]:
    """Return the policies whose floor a classifier's score is over, as title, label and score."""
    found: dict[str, str] = {}
    for answer in answers:
        if answer.call.tool != "classifier_score" or answer.result is None:
            continue
        scores, flagged = answer.result["scores"], answer.result["flagged"]
        lines = {flag["label"]: flag["line"] for flag in flagged}
        for policy in rulebook.policies:
            for label in policy.signals:
                floor = lines.get(label) if policy.floor is None else policy.floor
                if floor is not None and scores.get(label, 0.0) >= floor:
                    found[policy.title] = f"{policy.title} ({label} {scores[label]:.2f})"
    return list(found.values())


def _listed_links(answers: Sequence[ToolAnswer]) -> str:
    """The finding about links on a list of malicious ones; nothing if there is none."""
    for answer in answers:
        if answer.call.tool != "url_reputation" or answer.result is None:
            continue
        if any(link["risk"] == "listed" for link in answer.result["links"]):
            return answer.finding
    return ""


def abstention(reason: str, *, rationale: str, counterargument: str) -> Draft:
    """Return an abstention in the words of code; `reason` is one of `AbstainReason`."""
    return Draft(
        decision="abstain",
        abstain_reason=next(known for known in REASONS if known == reason),
        confidence=0.0,
        rationale=rationale[:LONGEST_PROSE],
        counterargument=counterargument[:LONGEST_PROSE],
    )
