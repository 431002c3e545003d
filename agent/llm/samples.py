"""Judge a case several times, and see whether it comes out the same.

The agreement of a draft is the mean, over all samples, of how alike they are to it: 0 for another
decision or no answer, for two violations the share of their sections that they have in common
(Jaccard), else 1. The draft with the most agreement speaks for all, on a tie the first whose
grounds hold, with the confidence

    agreement × mean confidence of the samples with the same decision,

so that a model that is sure of itself but changes its mind is not sure. Under the agreement that is
asked for there is no verdict: the case is `unstable`. The figure is a raw one; what it is worth is
for a golden set to say. (Self-consistency: Wang et al., 2023, arXiv:2203.11171.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.llm.asking import total
from agent.model import Conclusion, NoConclusionError
from agent.phrases import phrases
from agent.verdict import Draft, Usage

LONGEST_PROSE = 4_000


@dataclass(frozen=True)
class Sampling:
    """How often a case is judged, and how much the judgements may differ."""

    count: int = 1
    least_agreement: float = 0.6
    temperature: float | None = 0.7
    """Used where a case is judged more than once; without it all samples are one sample."""


def judged_often(
    judge: Callable[[int], Conclusion],
    sampling: Sampling,
    *,
    stands: Callable[[Draft], bool],
) -> Conclusion:
    """Return the judgement that speaks for all samples, or an abstention where there is none.

    Args:
        judge: Makes one judgement; given the number of the sample, from 0.
        sampling: How many, and how alike they must be.
        stands: Whether the grounds of a draft hold.

    Raises:
        NoConclusionError: No sample gave an answer, or there is no budget for the rest.
    """
    drafts: list[Draft | None] = []
    spent = Usage()
    failure: NoConclusionError | None = None
    for number in range(sampling.count):
        try:
            conclusion = judge(number)
        except NoConclusionError as error:
            failure, spent = error, total(spent, error.usage)
            if error.reason == "budget":
                break
            drafts.append(None)
        else:
            drafts.append(conclusion.draft)
            spent = total(spent, conclusion.usage)
    given = [draft for draft in drafts if draft is not None]
    if failure is not None and (not given or failure.reason == "budget"):
        raise NoConclusionError(failure.reason, failure.message, usage=spent)
    return Conclusion(_speaker(given, drafts, sampling, stands), spent)


def _speaker(
    given: Sequence[Draft],
    drafts: Sequence[Draft | None],
    sampling: Sampling,
    stands: Callable[[Draft], bool],
) -> Draft:
    most = max(agreement(draft, drafts) for draft in given)
    best = [draft for draft in given if agreement(draft, drafts) == most]
    chosen = next(filter(stands, best), best[0])
    if most < sampling.least_agreement:
        return _unstable(chosen, drafts)
    alike = [draft.confidence for draft in given if draft.decision == chosen.decision]
    confidence = most * sum(alike) / len(alike)
    return chosen.model_copy(update={"confidence": round(min(1.0, confidence), 4)})


def agreement(draft: Draft, samples: Sequence[Draft | None]) -> float:
    """Return how alike the samples are to `draft`, from 0 to 1; higher is better.

    A sample that gave no answer is like nothing.
    """
    return sum(_likeness(draft, sample) for sample in samples) / len(samples)


def _likeness(one: Draft, other: Draft | None) -> float:
    if other is None or other.decision != one.decision:
        return 0.0
    sections, others = ({ground.section for ground in draft.violations} for draft in (one, other))
    every = sections | others
    return len(sections & others) / len(every) if every else 1.0


def _unstable(chosen: Draft, drafts: Sequence[Draft | None]) -> Draft:
    say = phrases("llm/turns")["samples"]
    votes = Counter(map(_vote, drafts))
    told = [
        say[key].format(times=times, decision=decision, sections=sections)
        for (key, decision, sections), times in votes.most_common()
    ]
    return Draft(
        decision="abstain",
        abstain_reason="unstable",
        confidence=0.0,
        rationale=say["unstable"].format(count=len(drafts), votes="; ".join(told))[:LONGEST_PROSE],
        counterargument=say["against"].format(rationale=chosen.rationale)[:LONGEST_PROSE],
    )


def _vote(draft: Draft | None) -> tuple[str, str, str]:
    if draft is None:
        return "failed", "", ""
    sections = sorted({ground.section for ground in draft.violations})
    return ("vote_on" if sections else "vote"), draft.decision, ", ".join(sections)
