"""The nodes around the draft: the model concludes, code verifies, the model may repair once."""

from __future__ import annotations

from agent.brief import brief_of
from agent.consult import add_usage, stopped_by_model
from agent.phrases import phrases
from agent.state import Desk, ReviewState
from agent.verdict import Draft
from agent.verify import verify
from errors import ModelError

MOST_REPAIRS = 1


def decide(state: ReviewState, desk: Desk) -> ReviewState:
    """Ask the model for its draft; a draft that was refused goes along with its faults.

    Reads: all that a brief holds. Writes: draft, usage; or stopped.
    """
    try:
        conclusion = desk.model.decide(brief_of(state, desk))
    except ModelError as error:
        return stopped_by_model(error, state)
    return {
        "draft": conclusion.draft.model_dump(mode="json"),
        "usage": add_usage(state["usage"], conclusion.usage),
    }


def verify_draft(state: ReviewState, desk: Desk) -> ReviewState:
    """Let an opinion stand only if its grounds can be checked.

    A cited section must be one the model was shown, and both quotes must stand word for word.
    Otherwise a person decides: a reviewer that cannot show its grounds has none.

    Reads: draft, shown, sources, repairs. Writes: proved, faults, repairs; or stopped.
    """
    violations, faults = verify(
        Draft.model_validate(state["draft"]),
        rulebook=desk.rulebook,
        shown_sections=state["shown"],
        sources=state["sources"],
    )
    found = [{"code": fault.code, "message": fault.message} for fault in faults]
    if not faults:
        return {"proved": [v.model_dump(mode="json") for v in violations], "faults": []}
    if state["repairs"] < MOST_REPAIRS:
        return {"faults": found, "repairs": state["repairs"] + 1}
    why = phrases("verdicts")["stopped"]["unproven"].format(
        faults="; ".join(fault.message for fault in faults)
    )
    return {"faults": found, "stopped": {"reason": "unproven", "why": why}}
