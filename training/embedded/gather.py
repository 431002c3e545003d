"""Gather the evidence on the development cases, through the real graph with real tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.case import Case
from agent.embedded.evidence import SectionEvidence, evidence
from agent.embedded.model import EmbeddedModel
from agent.graph import judge
from agent.model import Brief, Conclusion, Consultation
from agent.reviewer import Options
from agent.verdict import Draft
from evals.golden import Expected, GoldenCase, read_golden
from evals.scratch import scratch_reviewer
from retrieval.embedder import Embedder, open_embedder
from training.embedded.ordinary import (
    TOPIC_WEIGHT,
    WEIGHT,
    harmless_texts,
    labelled_texts,
    topic_texts,
)
from training.embedded.posture import Example, rule_texts


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
    loudest: tuple[float, ...]
    """One for each case: its highest classifier label, as the evidence has it."""
    read: tuple[float, ...]
    """One for each case: what the reader makes of it at most, as the evidence has it."""
    examples: tuple[Example, ...]
    """One for each case: how it reads."""
    others: tuple[Example, ...]
    """The examples of the rulebook, and the texts of the wide world."""
    rows: tuple[Row, ...]


class _Listening:
    """The embedded model, kept from concluding: it hands over its brief instead."""

    def __init__(self, model: EmbeddedModel) -> None:
        self.name = model.name
        self._model = model
        self.briefs: list[Brief] = []

    def consult(self, brief: Brief) -> Consultation:
        return self._model.consult(brief)

    def decide(self, brief: Brief) -> Conclusion:
        self.briefs.append(brief)
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
    options: Options, golden: Path, *, accounts: Path | None, precedents: Path | None, data: Path
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
        cases += [_harmless(number, text) for number, text in enumerate(harmless_texts(data))]
        rows: list[Row] = []
        loudest: list[float] = []
        highest: list[float] = []
        read: list[tuple[str, bool]] = []
        for number, case in enumerate(cases):
            listening.briefs.clear()
            judge(case.case, desk)
            brief = listening.briefs[0] if listening.briefs else None
            read.append((brief.reading if brief else "", case.expected.decision == "violating"))
            found = evidence(brief, model.faculties) if brief else None
            loudest.append(found.features["loudest"] if found else 0.0)
            highest.append(found.features["reader"] if found else -1.0)
            rows += _rows(number, case, found.sections if found else ())
        embedder = open_embedder(threads=options.threads)
        examples = _examples(embedder, read)
        others = _examples(embedder, rule_texts(desk.rulebook))
        others += _examples(embedder, labelled_texts(data), weight=WEIGHT)
        others += _examples(embedder, topic_texts(), weight=TOPIC_WEIGHT)
    return Gathered(
        tuple(cases), tuple(loudest), tuple(highest), tuple(examples), tuple(others), tuple(rows)
    )


def _examples(
    embedder: Embedder, texts: Sequence[tuple[str, bool]], *, weight: float = 1.0
) -> list[Example]:
    return [Example(text, embedder.embed([text])[0], violates, weight) for text, violates in texts]


def _harmless(number: int, text: str) -> GoldenCase:
    case = Case(id=f"harmless-{number}", text=text)
    return GoldenCase(case, Expected(decision="allowed"), {"kind": "everyday"}, "public set")


def _rows(number: int, case: GoldenCase, found: Sequence[SectionEvidence]) -> list[Row]:
    answers: Sequence[str] = case.expected.sections
    violating = case.expected.decision == "violating"
    return [
        Row(number, one.section.id, dict(one.features), violating and one.section.id in answers)
        for one in found
    ]
