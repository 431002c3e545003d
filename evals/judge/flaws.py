"""Plant flaws in sound words: a judge that does not notice them measures nothing.

A test that needs no person: the same verdict with one thing spoilt has to get a lower mark for
that thing. It does not show that a judge agrees with people; failing it shows that it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agent.verdict import Verdict
from evals.estimate import Estimate
from evals.intervals import clustered_share
from evals.judge.asking import Judgement
from evals.run import Recorded
from policies.rulebook import Rulebook, Section

Spoil = Callable[[Verdict, Verdict, Section], Verdict | None]
"""Takes a verdict, another one, and a section of another policy; None where it has no such part."""


@dataclass(frozen=True)
class Planted:
    """A verdict with one thing spoilt; the name of the thing is the criterion."""

    criterion: str
    sound: Recorded
    spoilt: Recorded


def planted(
    records: Sequence[Recorded], rulebook: Rulebook, *, most: int, seed: int
) -> list[Planted]:
    """Return spoilt verdicts, at most `most` for each criterion, drawn by the seed.

    The rationale is another case's, the citations are of another policy, the counter-argument is
    gone. The rest of the verdict is as it was.
    """
    drawn = Random(seed).sample(records, len(records))
    found = []
    for criterion, spoil in _SPOILERS.items():
        spoilt = _spoilt(drawn, criterion, spoil, rulebook)
        found += [one for _, one in zip(range(most), spoilt, strict=False)]
    return found


def _spoilt(
    drawn: Sequence[Recorded], criterion: str, spoil: Spoil, rulebook: Rulebook
) -> Iterator[Planted]:
    for number, record in enumerate(drawn):
        other = drawn[(number + 1) % len(drawn)]
        verdict = spoil(record.verdict, other.verdict, _elsewhere(record, rulebook))
        if verdict is not None:
            name = f"{record.case_id}~{criterion}"
            changed = record.model_copy(update={"case_id": name, "verdict": verdict})
            yield Planted(criterion, record, changed)


def _elsewhere(record: Recorded, rulebook: Rulebook) -> Section:
    """A section of the first policy after those that the case is about."""
    near = {s.partition(".")[0] for s in record.expected.sections}
    near |= {ground.section.partition(".")[0] for ground in record.verdict.violations}
    return next((s for s in rulebook.sections if s.policy not in near), rulebook.sections[-1])


def _another_rationale(verdict: Verdict, other: Verdict, _: Section) -> Verdict | None:
    if other.rationale.strip() == verdict.rationale.strip():
        return None
    return verdict.model_copy(update={"rationale": other.rationale})


def _another_section(verdict: Verdict, _: Verdict, section: Section) -> Verdict | None:
    if not verdict.violations:
        return None
    moved = {"section": section.id, "policy_quote": section.rule.partition(".")[0] + "."}
    grounds = tuple(ground.model_copy(update=moved) for ground in verdict.violations)
    return verdict.model_copy(update={"violations": grounds})


def _no_counterargument(verdict: Verdict, _other: Verdict, _section: Section) -> Verdict | None:
    if not verdict.counterargument.strip():
        return None
    return verdict.model_copy(update={"counterargument": ""})


_SPOILERS: Mapping[str, Spoil] = {
    "rationale": _another_rationale,
    "citations": _another_section,
    "completeness": _no_counterargument,
}


def noticed_rate(
    criterion: str, flaws: Sequence[Planted], judgements: Sequence[Judgement]
) -> Estimate:
    """Share of planted flaws for which the judge gives a lower mark; higher is better.

    A verdict that already has the lowest mark cannot lose one and is left out, and so is one that
    was not judged both ways.
    """
    marks: dict[str, list[int]] = {}
    for one in judgements:
        marks.setdefault(one.case_id, []).append(one.marks[criterion])
    tried = [
        (_mean(marks[flaw.spoilt.case_id]) < _mean(marks[flaw.sound.case_id]), flaw.sound)
        for flaw in flaws
        if flaw.criterion == criterion
        and flaw.spoilt.case_id in marks
        and _mean(marks.get(flaw.sound.case_id, [])) > 1
    ]
    return clustered_share(
        [int(noticed) for noticed, _ in tried],
        [1] * len(tried),
        [record.cluster or record.case_id for _, record in tried],
    )


def _mean(marks: Sequence[int]) -> float:
    return sum(marks) / len(marks) if marks else 0.0
