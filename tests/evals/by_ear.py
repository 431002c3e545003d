"""A reviewer by ear and small golden cases, for everything that works on runs."""

from __future__ import annotations

from collections.abc import Sequence

from agent.case import Case
from agent.verdict import Decision, Provenance, Usage, Verdict, Violation
from evals.golden import Expected, GoldenCase
from evals.outcome import Grounding
from evals.run import Manifest, Recorded, Seen
from evals.run.recorded import recorded


def verdict_by_ear(case: Case) -> Verdict:
    """Shouting is what stands in capitals; a question is left to a person."""
    loud = case.text.isupper()
    unsure = case.text.endswith("?")
    grounds = [("square.2", 0.2), ("square.1", 0.9)] if loud else []
    decision: Decision = "violating" if loud else "abstain" if unsure else "allowed"
    return Verdict(
        case_id=case.id,
        decision=decision,
        action="remove" if loud else "escalate" if unsure else "none",
        severity="high" if loud else None,
        violations=tuple(
            Violation(
                section=section,
                severity="high",
                confidence=confidence,
                policy_quote="Do not shout",
                content_quote=case.text,
                content_span=(0, len(case.text)),
                why="it shouts",
            )
            for section, confidence in grounds
        ),
        abstain_reason="ambiguous_content" if unsure else None,
        confidence=0.0 if unsure else 0.9,
        rationale="All of it is in capitals." if loud else "Nothing is in capitals.",
        counterargument="A short name may stand in capitals.",
        needs_human=unsure,
        needs_human_because=("the case is not clear",) if unsure else (),
        evidence=(),
        sections_considered=("square.1",),
        precedents=(),
        provenance=Provenance(rulebook="sha256:r", model="ears@1", prompts="", tools={"ear": "2"}),
        usage=Usage(model_calls=1, cost_usd=0.25, seconds=0.5),
    )


def review_by_ear(case: Case) -> tuple[Verdict, Seen]:
    """The verdict, with what was seen of a review that cites what it heard."""
    verdict = verdict_by_ear(case)
    return verdict, Seen(grounding=Grounding(citations=len(verdict.violations)))


def golden_case(
    case_id: str,
    text: str,
    decision: Decision,
    *,
    policy: str = "square",
    cluster: str = "",
    **slices: str,
) -> GoldenCase:
    sections = (f"{policy}.1",) if decision == "violating" else ()
    expected = Expected(decision=decision, sections=sections)
    told = {"policy": policy} | slices
    return GoldenCase(Case(id=case_id, text=text), expected, told, "written for this test", cluster)


def manifest(golden: Sequence[GoldenCase], model: str = "ears@1") -> Manifest:
    return Manifest(
        golden=f"sha256:{len(golden)}",
        cases=len(golden),
        rulebook="sha256:r",
        model=model,
        prompts="",
        code="test",
    )


def records_of(golden: Sequence[GoldenCase]) -> list[Recorded]:
    return [recorded(one, *review_by_ear(one.case)) for one in golden]
