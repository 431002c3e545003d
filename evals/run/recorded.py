"""One line of a run: a case, its answer, the verdict, and what was seen on the way to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from pydantic import Field, ValidationError

from agent.case import Case, Frozen
from agent.record import verdict_data
from agent.verdict import Verdict
from errors import RecordsError
from evals.golden import Expected, GoldenCase
from evals.outcome import Grounding, Lookups, Outcome


class Seen(Frozen):
    """What was seen of a review beside its verdict; None where nothing could be seen."""

    grounding: Grounding | None = None
    lookups: Lookups | None = None


class Recorded(Frozen):
    """One line of `outcomes.jsonl`: everything that a metric, a report or a judge needs."""

    case_id: str
    case: Case
    expected: Expected
    slices: Mapping[str, str] = Field(default_factory=dict)
    source: str
    cluster: str = ""
    verdict: Verdict
    seen: Seen = Seen()


def recorded(golden: GoldenCase, verdict: Verdict, seen: Seen) -> Recorded:
    """Return what a run keeps of one golden case."""
    return Recorded(
        case_id=golden.case.id,
        case=golden.case,
        expected=golden.expected,
        slices=golden.slices,
        source=golden.source,
        cluster=golden.cluster,
        verdict=verdict,
        seen=seen,
    )


def line_of(record: Recorded) -> str:
    """Return a record as a line of JSON, without the end of the line."""
    data = record.model_dump(
        mode="json", exclude={"case": True, "verdict": True, "seen": True, "expected": True}
    )
    data["case"] = record.case.model_dump(mode="json", exclude_defaults=True)
    data["expected"] = record.expected.model_dump(mode="json", exclude_none=True)
    data["verdict"] = verdict_data(record.verdict)
    seen = {"grounding": record.seen.grounding, "lookups": record.seen.lookups}
    data["seen"] = {name: asdict(part) if part else None for name, part in seen.items()}
    return json.dumps(data, ensure_ascii=True)


def record_from(line: str, *, where: str) -> Recorded:
    """Return the record that stands on a line.

    Raises:
        RecordsError: The line holds something else; names `where`.
    """
    try:
        return Recorded.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise RecordsError(
            f"{where}: {place}: {first['msg']}: this is no outcome of a run",
            hint="another program or version wrote it; evaluate into a new folder",
        ) from None


def outcome_of(record: Recorded) -> Outcome:
    """Return how the verdict stands to the answer.

    The policy and the section of a violation are slices of their own where the set names none, so
    that every set can be looked at policy by policy.
    """
    verdict, expected = record.verdict, record.expected
    surest_first = sorted(verdict.violations, key=lambda ground: -ground.confidence)
    slices = dict(record.slices)
    if expected.sections:
        slices.setdefault("section", expected.sections[0])
        slices.setdefault("policy", slices["section"].partition(".")[0])
    return Outcome(
        expected=expected.decision,
        decided=verdict.decision,
        sections=expected.sections,
        cited=tuple(ground.section for ground in surest_first),
        slices=slices,
        confidence=verdict.confidence,
        expected_severity=expected.severity,
        severity=verdict.severity,
        case_id=record.case_id,
        cluster=record.cluster,
        grounding=record.seen.grounding,
        lookups=record.seen.lookups,
        usage=verdict.usage,
    )
