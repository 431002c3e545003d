"""Gather the evidence on the development cases, through the real graph with real tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.embedded.evidence import evidence
from agent.embedded.model import EmbeddedModel
from agent.graph import judge
from agent.model import Brief, Conclusion, Consultation
from agent.reviewer import Options
from agent.verdict import Draft
from evals.golden import GoldenCase, read_golden
from evals.scratch import scratch_reviewer


@dataclass(frozen=True)
class Row:
    """The evidence on one section in one case, and whether that section is an answer."""

    case: int
    section: str
    features: dict[str, float]
    answer: bool


@dataclass(frozen=True)
class Gathered:
    """The cases that can be learnt from, and all their rows."""

    cases: tuple[GoldenCase, ...]
    rows: tuple[Row, ...]


class _Listening:
    """The embedded model, kept from concluding: it hands over its brief instead."""

    def __init__(self, model: EmbeddedModel) -> None:
        self.name = model.name
        self._model = model
        self.brief: Brief | None = None

    def consult(self, brief: Brief) -> Consultation:
        return self._model.consult(brief)

    def decide(self, brief: Brief) -> Conclusion:
        self.brief = brief
        return Conclusion(
            Draft(
                decision="abstain",
                abstain_reason="missing_context",
                confidence=0.0,
                rationale="gathering",
                counterargument="gathering",
            )
        )


def gather(
    options: Options, golden: Path, *, accounts: Path | None, precedents: Path | None
) -> Gathered:
    """Return the evidence on every section that was shown for every case with a plain answer.

    Cases whose answer is `abstain`, and cases in languages that the model does not read, teach
    nothing about the weights and are left out.
    """
    with scratch_reviewer(options, accounts=accounts, precedents=precedents) as reviewer:
        model = reviewer.desk.model
        if not isinstance(model, EmbeddedModel):
            raise TypeError(f"{options.model} has no weights to fit")
        listening = _Listening(model)
        desk = replace(reviewer.desk, model=listening)
        cases = [
            case
            for case in read_golden(golden, desk.rulebook)
            if case.expected.decision != "abstain" and case.slices.get("language", "en") == "en"
        ]
        rows: list[Row] = []
        for number, case in enumerate(cases):
            listening.brief = None
            judge(case.case, desk)
            if listening.brief is not None:
                rows += _rows(number, case, listening.brief, model)
    return Gathered(tuple(cases), tuple(rows))


def _rows(number: int, case: GoldenCase, brief: Brief, model: EmbeddedModel) -> list[Row]:
    answers: Sequence[str] = case.expected.sections
    violating = case.expected.decision == "violating"
    return [
        Row(number, e.section.id, dict(e.features), violating and e.section.id in answers)
        for e in evidence(brief, model.faculties)
    ]
