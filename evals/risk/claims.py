"""Which claims a golden run supports: per direction, and per policy where there are cases enough.

"At most 5 % of what the machine closes as allowed breaks a rule" is a claim; so is "at most 2 % of
what it removes under the policy on spam should have stayed". All claims of one certificate hold
together with the confidence that was asked for: Bonferroni over them, fixed sequences within.

Which policies get a claim of their own is settled by how many verdicts there are, never by how many
of those are right. Given these numbers the cases of a policy are still drawn independently, so that
the tests stay exact; for policies that share a claim the binomial is on the safe side (Hoeffding
1956, "On the distribution of the number of successes in independent trials", theorem 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.risk.bounds import cases_needed, least_cases
from evals.risk.lines import START_SHARE, Judged, Line, Trial, lowest_line, trials

Direction = Literal["allowed", "violating"]
DIRECTIONS: tuple[Direction, ...] = ("allowed", "violating")


@dataclass(frozen=True)
class Budget:
    """What may go wrong, as it was set beforehand."""

    max_missed: float
    """Most of what is closed as allowed that is not allowed."""
    max_wrong_removal: float
    """Most of what is closed as violating that does not violate what is cited."""
    confidence: float
    """The chance that all claims hold."""

    def limit(self, direction: Direction) -> float:
        """Return the share of mistakes that a direction may have."""
        return self.max_missed if direction == "allowed" else self.max_wrong_removal


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one direction under one policy that a machine might close."""

    policy: str
    direction: Direction
    judged: Sequence[Judged]


@dataclass(frozen=True)
class Claim:
    """What was asked of the verdicts of some policies in one direction, and what came of it."""

    policies: tuple[str, ...]
    direction: Direction
    limit: float
    n: int
    """How many verdicts there were."""
    mistakes: int
    """How many of them were wrong."""
    risk: float
    line: Line | None
    """None: the data do not support the claim at any line."""
    more: int | None = None
    """Without a line: how many more such verdicts would do if the machine goes on erring as here;
    None where no number would."""


def claims_of(found: Iterable[Verdicts], budget: Budget, *, by_policy: bool = True) -> list[Claim]:
    """Return a claim for each policy that has verdicts enough, and one for the others together.

    Args:
        found: The verdicts, at most one entry for a policy and direction.
        budget: What may go wrong.
        by_policy: False makes one claim for each direction, over all policies.
    """
    given = [one for one in found if one.judged]
    groups = _grouped(given, budget, by_policy=by_policy)
    risk = (1 - budget.confidence) / max(1, len(groups))
    return [_claim(group, budget, risk) for group in groups]


def _grouped(
    found: Sequence[Verdicts], budget: Budget, *, by_policy: bool
) -> list[Sequence[Verdicts]]:
    """Give as many policies as possible a claim of their own, by their numbers alone."""
    most = len(found) + len(DIRECTIONS) if by_policy else 0
    for number in range(most, 0, -1):
        risk = START_SHARE * (1 - budget.confidence) / number
        own = [one for one in found if _enough(one, budget, risk)]
        groups = [[one] for one in own] + _rests(found, own)
        if own and len(groups) <= number:
            return list(groups)
    return list(_rests(found, []))


def _enough(one: Verdicts, budget: Budget, risk: float) -> bool:
    return len(one.judged) >= least_cases(budget.limit(one.direction), risk)


def _rests(found: Sequence[Verdicts], own: Sequence[Verdicts]) -> list[list[Verdicts]]:
    apart = {(one.policy, one.direction) for one in own}
    left = [one for one in found if (one.policy, one.direction) not in apart]
    rests = ([one for one in left if one.direction == direction] for direction in DIRECTIONS)
    return [rest for rest in rests if rest]


def _claim(group: Sequence[Verdicts], budget: Budget, risk: float) -> Claim:
    direction = group[0].direction
    limit = budget.limit(direction)
    judged = [case for one in group for case in one.judged]
    line = lowest_line(judged, limit=limit, risk=risk)
    return Claim(
        policies=tuple(sorted(one.policy for one in group)),
        direction=direction,
        limit=limit,
        n=len(judged),
        mistakes=sum(case.wrong for case in judged),
        risk=risk,
        line=line,
        more=None if line else _more(trials(judged, limit=limit, risk=risk), limit, len(judged)),
    )


def _more(tried: Sequence[Trial], limit: float, n: int) -> int | None:
    """How many more verdicts the easiest line would take, at the rate of mistakes seen there."""
    asked = [_asked(trial, limit, n) for trial in tried if trial.n and trial.risk]
    return min((number for number in asked if number is not None), default=None)


def _asked(trial: Trial, limit: float, n: int) -> int | None:
    needed = cases_needed(trial.mistakes / trial.n, limit, trial.risk)
    return None if needed is None else max(1, round((needed - trial.n) * n / trial.n))


def by_direction(claims: Iterable[Claim]) -> Mapping[tuple[str, Direction], Claim]:
    """Return the claim that speaks of each policy and direction."""
    return {(policy, claim.direction): claim for claim in claims for policy in claim.policies}
