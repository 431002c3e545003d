"""The folder that a judge leaves behind, and its table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.review_file import write_whole
from errors import RecordsError
from evals.estimate import Estimate, estimate_data
from evals.judge.asking import Judgement, Unjudged
from evals.judge.flaws import Planted, noticed_rate
from evals.judge.rubric import Rubric
from evals.judge.worth import Worth, unsupported_rate, worth
from evals.run import Recorded, Run

JUDGE = "judge.json"
MARKS = "marks.jsonl"
"""Every mark with its reason; the reasons may repeat words of the content."""

_ITSELF = "it judges the words of its own model"
_CLAIMS_UNPROVEN = "people were not asked which claims have no ground"
_FIGURES = ("mean", "spread", "by_order", "agreement", "above_people", "by_length")


@dataclass(frozen=True)
class Assessment:
    """What was found about the words of a run."""

    run: Run
    rubric: Rubric
    records: Sequence[Recorded]
    """The verdicts that a judge read; all of the run where there was none."""
    checks: Mapping[str, Estimate]
    judge: str | None = None
    """The judge model; None where code alone has checked."""
    judgements: Sequence[Judgement] = ()
    unjudged: Sequence[Unjudged] = ()
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    flaws: Sequence[Planted] = ()
    """Verdicts that were spoilt on purpose, beside the others; they count in no other figure."""

    @property
    def judges_itself(self) -> bool:
        """Whether judge and reviewer are the same model, however each is asked."""
        judged = {name.partition("@")[0] for name in self.run.manifest.model.split(" ")}
        return self.judge is not None and self.judge.partition("@")[0] in judged

    def worths(self) -> dict[str, Worth]:
        """Return what the marks for each criterion are, and what they are worth."""
        if self.judge is None:
            return {}
        found = {
            criterion.name: worth(criterion.name, self.judgements, self.records, self.labels)
            for criterion in self.rubric.criteria
        }
        return {
            name: replace(one, unproven=(*one.unproven, *self._doubts(name)))
            for name, one in found.items()
        }

    def noticed(self, criterion: str) -> Estimate:
        """Return the share of the flaws planted for a criterion that the judge noticed."""
        return noticed_rate(criterion, self.flaws, self.judgements)

    def _doubts(self, criterion: str) -> Iterator[str]:
        if self.judges_itself:
            yield _ITSELF
        noticed = self.noticed(criterion)
        if noticed.n and not noticed.low > 0.5:  # noqa: PLR2004 - a coin notices half
            yield f"it may notice no more than {noticed.low:.0%} of the flaws planted for it"


def assessment_data(found: Assessment) -> dict[str, Any]:
    """Return an assessment as JSON data."""
    return {
        "run": found.run.folder.name,
        "judged": found.run.manifest.model,
        "judge": found.judge,
        "judges_itself": found.judges_itself,
        "rubric": found.rubric.hash,
        "verdicts": len(found.records),
        "judgements": len(found.judgements),
        "unjudged": len(found.unjudged),
        "unjudged_because": sorted({one.why for one in found.unjudged})[:5],
        "human_labels": len(found.labels),
        "cost_usd": sum(one.cost_usd for one in found.judgements),
        "criteria": {
            name: {
                **{figure: estimate_data(getattr(one, figure)) for figure in _FIGURES},
                "notices_flaws": estimate_data(found.noticed(name)),
                "proven": not one.unproven,
                "unproven": list(one.unproven),
            }
            for name, one in found.worths().items()
        },
        "unsupported_claims": {
            **estimate_data(unsupported_rate(found.judgements, found.records)),
            "proven": False,
            "unproven": [_CLAIMS_UNPROVEN],
        },
        "checks": {name: estimate_data(share) for name, share in found.checks.items()},
        "cannot": list(found.rubric.cannot),
    }


def write_assessment(found: Assessment, out: Path) -> dict[str, Any]:
    """Write an assessment to the folder `out`, and return it as JSON data.

    Raises:
        RecordsError: The folder cannot be made.
        InputError: A file in it cannot be written.
    """
    data = assessment_data(found)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordsError(
            f"{out}: {error.strerror or error}", hint="name a folder that you may write to"
        ) from None
    if found.judge is not None:
        lines = [asdict(one) for one in found.judgements]
        lines += [asdict(one) for one in found.unjudged]
        write_whole(out / MARKS, (json.dumps(line, ensure_ascii=False) for line in lines))
    write_whole(out / JUDGE, iter([json.dumps(data, ensure_ascii=False, indent=2)]))
    return data


def assessment_table(found: Assessment) -> str:
    """Return an assessment for a terminal: what code checked, and the marks with their doubts."""
    return "\n".join([*_check_lines(found), *_mark_lines(found)])


def _check_lines(found: Assessment) -> Iterator[str]:
    yield "checked by code                          passing"
    for name, share in found.checks.items():
        yield f"  {name:38} {_told(share)}"
    yield "code cannot say:"
    for limit in found.rubric.cannot:
        yield f"  {limit}"


def _mark_lines(found: Assessment) -> Iterator[str]:
    worths = found.worths()
    if not worths:
        return
    yield f"\nmarks by {found.judge} (1 to 5), {len(found.records)} verdicts"
    for name, one in worths.items():
        yield f"  {name:14} {_told(one.mean)}{'   UNPROVEN' if one.unproven else ''}"
        yield f"    agreement with people {_told(one.agreement)}; by order {_told(one.by_order)}"
        if found.flaws:
            yield f"    notices planted flaws {_told(found.noticed(name))}"
        for doubt in one.unproven:
            yield f"    unproven: {doubt}"
    claims = unsupported_rate(found.judgements, found.records)
    yield f"  verdicts with a claim that nothing holds: {_told(claims)}   UNPROVEN"
    if found.unjudged:
        yield f"  {len(found.unjudged)} judgements gave no usable marks: {found.unjudged[0].why}"


def _told(estimate: Estimate) -> str:
    if not estimate.n:
        return "–"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}] {estimate.n}"
