"""Judge the same cases under both wordings: only those that can have moved, and a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from agent.case import Case
from agent.reviewer import Reviewer
from agent.verdict import Verdict
from evals.golden import GoldenCase
from evals.outcome import Outcome
from evals.run import Seen, outcome_of
from evals.run.recorded import recorded
from evals.wording.side_by_side import Sides
from evals.wording.touched import Reach

FAILED = frozenset({"model_error", "budget"})
"""Reasons to abstain that say nothing about the wording."""


@dataclass(frozen=True)
class Item:
    """A case to be judged, with its answer where that is known."""

    case: Case
    golden: GoldenCase | None = None

    @property
    def answer(self) -> str:
        """The decision that is right; empty where nobody has said."""
        return self.golden.expected.decision if self.golden else ""

    @property
    def family(self) -> str:
        """The cases it was made together with; itself where it stands alone."""
        return (self.golden.cluster if self.golden else "") or f"#{self.case.id}"


@dataclass(frozen=True)
class Judged:
    """A case under both wordings, once or several times."""

    item: Item
    olds: tuple[Verdict, ...]
    news: tuple[Verdict, ...]
    weight: float = 1.0
    """For how many cases of the set it stands; more than 1 for a sampled one."""

    @property
    def old(self) -> Verdict:
        """The verdict under the old wording: of several, the most frequent."""
        return usual(self.olds)

    @property
    def new(self) -> Verdict:
        """The verdict under the new wording: of several, the most frequent."""
        return usual(self.news)

    @property
    def failed(self) -> bool:
        """Whether a model gave no answer on either side: such a case says nothing."""
        return any(v.abstain_reason in FAILED for v in (self.old, self.new))

    def outcomes(self) -> tuple[Outcome, Outcome] | None:
        """How both verdicts stand to the known answer; None without one."""
        golden = self.item.golden
        if golden is None:
            return None
        before, after = (
            outcome_of(recorded(golden, verdict, Seen())) for verdict in (self.old, self.new)
        )
        return before, after


@dataclass(frozen=True)
class Pace:
    """How the judging goes about it; with one repeat none of this changes what comes out."""

    repeats: int = 1
    workers: int = 1
    on_progress: Callable[[int, int], None] = lambda _done, _total: None


def gist(verdict: Verdict) -> tuple[str, str, str, str]:
    """Return what of a verdict counts: decision, surest section, severity, action."""
    return (verdict.decision, surest(verdict), verdict.severity or "", verdict.action)


def surest(verdict: Verdict) -> str:
    """Return the section that a verdict is surest about; empty where it cites none."""
    grounds = sorted(verdict.violations, key=lambda ground: -ground.confidence)
    return grounds[0].section if grounds else ""


def usual(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the first verdict of the most frequent gist, failures aside."""
    heard = [v for v in verdicts if v.abstain_reason not in FAILED] or list(verdicts)
    counts = Counter(map(gist, heard))
    most = max(counts, key=lambda found: counts[found])
    return next(verdict for verdict in heard if gist(verdict) == most)


def judge_both(
    items: Sequence[Item], sides: Sides, reach: Reach, pace: Pace
) -> tuple[list[Judged], bool]:
    """Return the cases that were judged, and whether the sample bore the shortcut out.

    Where a case of the sample moved that should not have, the rest is judged as well.
    """
    wanted = [*reach.touched, *reach.sampled]
    weights = _weights(items, reach)
    judged = [
        replace(one, weight=weights.get(number, 1.0))
        for number, one in zip(wanted, judge_items(_at(items, wanted), sides, pace), strict=True)
    ]
    sampled = judged[len(reach.touched) :]
    sound = all(gist(one.old) == gist(one.new) for one in sampled if not one.failed)
    if sound or not reach.left:
        return judged, sound
    rest = judge_items(_at(items, reach.left), sides, pace)
    return [replace(one, weight=1.0) for one in judged] + rest, False


def _at(items: Sequence[Item], numbers: Sequence[int]) -> list[Item]:
    return [items[number] for number in numbers]


def judge_items(items: Sequence[Item], sides: Sides, pace: Pace) -> list[Judged]:
    """Return the cases under both wordings, `pace.repeats` times if the model draws its answers."""
    repeats = 1 if sides.repeats_itself else pace.repeats
    cases = [item.case for item in items]
    told = _Counting(2 * repeats * len(cases), pace.on_progress)
    with ThreadPoolExecutor(max_workers=pace.workers) as pool:
        rounds = [
            list(pool.map(lambda case, side=side: told.after(_verdict(side, case)), cases))
            for _ in range(repeats)
            for side in (sides.old, sides.new)
        ]
    olds, news = zip(*rounds[0::2], strict=True), zip(*rounds[1::2], strict=True)
    return [Judged(*one) for one in zip(items, olds, news, strict=True)]


def verdicts_of(reviewer: Reviewer, cases: Sequence[Case], pace: Pace) -> list[Verdict]:
    """Return the verdict on each case, in order; nothing of it enters a ledger."""
    told = _Counting(len(cases), pace.on_progress)
    with ThreadPoolExecutor(max_workers=pace.workers) as pool:
        return list(pool.map(lambda case: told.after(_verdict(reviewer, case)), cases))


def _verdict(reviewer: Reviewer, case: Case) -> Verdict:
    return reviewer.opinion(case).verdict


class _Counting:
    def __init__(self, total: int, tell: Callable[[int, int], None]) -> None:
        self._done, self._total, self._tell = 0, total, tell

    def after(self, verdict: Verdict) -> Verdict:
        self._done += 1
        self._tell(self._done, self._total)
        return verdict


def _weights(items: Sequence[Item], reach: Reach) -> dict[int, float]:
    """For how many untouched cases of the same answer each sampled one stands."""
    drawn = Counter(items[number].answer for number in reach.sampled)
    left = Counter(items[number].answer for number in reach.left)
    return {
        number: (drawn[items[number].answer] + left[items[number].answer])
        / drawn[items[number].answer]
        for number in reach.sampled
    }
