"""Everything that a run says about fairness, as JSON data."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import estimate_data, finite
from evals.fairness.groups import Gap, group_rates
from evals.fairness.ranking import group_areas, power_mean
from evals.fairness.swaps import SWAP, flipped_by_swaps
from evals.outcome import Outcome

SLICES_OF_PEOPLE = ("group", "target", "identity", "dialect", "language", SWAP)
"""Slices that say whom a case is about or how somebody speaks, where a set has them."""


def fairness_data(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return rates, gaps and areas for every slice of people that the cases have."""
    there = {name for outcome in outcomes for name in outcome.slices}
    told: dict[str, object] = {
        name: _of_slice(outcomes, name) for name in SLICES_OF_PEOPLE if name in there
    }
    if SWAP in there:
        flips = flipped_by_swaps(outcomes)
        told["swaps"] = {swap: estimate_data(flip) for swap, flip in flips.items()}
    return told


def _of_slice(outcomes: Sequence[Outcome], name: str) -> dict[str, object]:
    areas = group_areas(outcomes, name)
    return {
        "rates": {
            one.rate: {
                "groups": {group: estimate_data(e) for group, e in one.groups.items()},
                "gaps": [_gap_data(gap) for gap in one.gaps],
                "widest": _gap_data(one.widest) if one.widest else None,
                "too_small": list(one.too_small),
            }
            for one in group_rates(outcomes, name)
        },
        "areas": {
            one.group: {
                "subgroup": estimate_data(one.subgroup),
                "bpsn": estimate_data(one.bpsn),
                "bnsp": estimate_data(one.bnsp),
            }
            for one in areas
        },
        "power_means": {
            "subgroup": finite(power_mean([one.subgroup.value for one in areas])),
            "bpsn": finite(power_mean([one.bpsn.value for one in areas])),
            "bnsp": finite(power_mean([one.bnsp.value for one in areas])),
        },
    }


def _gap_data(gap: Gap) -> dict[str, object]:
    return {
        "group": gap.group,
        "other": gap.other or None,
        "p": finite(gap.p),
        **estimate_data(gap.difference),
    }
