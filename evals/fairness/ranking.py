"""Does a group's name move the score? Three areas that come apart when it does.

Borkan et al. 2019, "Nuanced metrics for measuring unintended bias with real data for text
classification" (section 3). A low subgroup AUC: the score cannot tell good from bad within the
group. A low BPSN (background positive, subgroup negative): harmless words about the group score
like violations. A low BNSP: violations against the group score like harmless words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.estimate import NO_DATA, Estimate
from evals.intervals import bootstrap
from evals.metrics.ranking import roc_auc_statistic
from evals.outcome import Outcome, clusters_of, leaning

_POWER = -5.0


@dataclass(frozen=True)
class GroupAreas:
    """The three areas of one group, each from 0 to 1, higher is better."""

    group: str
    subgroup: Estimate
    bpsn: Estimate
    bnsp: Estimate


def group_areas(outcomes: Sequence[Outcome], slice_name: str) -> list[GroupAreas]:
    """Return the areas of every group of a slice; an area without both sides has no data."""
    groups = sorted({o.slices[slice_name] for o in outcomes if slice_name in o.slices})
    return [_areas(outcomes, slice_name, group) for group in groups]


def _areas(outcomes: Sequence[Outcome], slice_name: str, group: str) -> GroupAreas:
    def belongs(outcome: Outcome) -> bool:
        return outcome.slices.get(slice_name) == group

    return GroupAreas(
        group,
        subgroup=_area(outcomes, belongs),
        bpsn=_area(outcomes, lambda o: belongs(o) != _violates(o)),
        bnsp=_area(outcomes, lambda o: belongs(o) == _violates(o)),
    )


def _violates(outcome: Outcome) -> bool:
    return outcome.expected == "violating"


def _area(outcomes: Sequence[Outcome], keep: Callable[[Outcome], bool]) -> Estimate:
    kept = [o for o in outcomes if keep(o)]
    if len({_violates(o) for o in kept}) < 2:  # noqa: PLR2004 - it takes both sides
        return NO_DATA
    statistic = roc_auc_statistic([_violates(o) for o in kept], [leaning(o) for o in kept])
    return bootstrap(statistic, clusters_of(kept), n=len(kept))


def power_mean(areas: Sequence[float]) -> float:
    """Return the generalised mean with power −5, in which the worst groups weigh most.

    As in the Jigsaw "Unintended Bias" evaluation that came with the paper; NaN without groups.

    >>> round(power_mean([0.9, 0.5]), 3)
    0.568
    """
    known = [area for area in areas if not math.isnan(area)]
    if not known:
        return math.nan
    if min(known) == 0.0:
        return 0.0
    return float((sum(area**_POWER for area in known) / len(known)) ** (1 / _POWER))
