"""The record of a review: all that a replay needs, and what a ledger should say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.case import Case
from agent.state import Limits
from agent.verdict import Verdict
from records.verdicts import VerdictRecord

_TOLD_ALWAYS = ("case_id", "decision", "action", "severity", "abstain_reason", "confidence")


def verdict_data(verdict: Verdict) -> dict[str, object]:
    """Return the verdict as JSON data: the fields of the contract, `agreement` only where asked."""
    data = verdict.model_dump(mode="json", by_alias=True)
    if verdict.agreement is None:
        del data["agreement"]
    return data


def record_of(  # noqa: PLR0913 - a record is what its parts are
    case: Case,
    verdict: Verdict,
    *,
    tape: Sequence[Mapping[str, Any]],
    limits: Limits,
    own: str | None,
    exchanges: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
    content_apart: bool,
) -> VerdictRecord:
    """Return a review as it goes into the records.

    Args:
        case: What was judged.
        verdict: What came of it.
        tape: What every seam of the desk gave.
        limits: What the review might spend.
        own: A person's own call, in their words.
        exchanges: What was asked of language models, and answered.
        texts: The prompts that the exchanges name by hash.
        content_apart: Whether all that can hold content is kept outside of the ledger.
    """
    whole = {
        "case": case.model_dump(mode="json"),
        "tape": list(tape),
        "limits": vars(limits),
        "own": own,
        "exchanges": list(exchanges),
        "verdict": verdict_data(verdict),
    }
    if not content_apart:
        return VerdictRecord(case.id, whole, texts)
    return VerdictRecord(case.id, {"outcome": _outcome(verdict)}, texts, apart=whole)


def _outcome(verdict: Verdict) -> dict[str, object]:
    """What a ledger may say of a case whose content is forgotten: no word of it."""
    data = verdict_data(verdict)
    return {name: data[name] for name in _TOLD_ALWAYS} | {
        "sections": [violation.section for violation in verdict.violations],
        "needs_human": verdict.needs_human,
        "provenance": data["provenance"],
        "usage": data["usage"],
    }
