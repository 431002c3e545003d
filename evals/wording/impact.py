"""What a wording would do to a day's work: removals, escalations, hours of people, cost of models.

An estimate from past cases; nothing is enforced. Cases that the edit cannot touch are the same on
both sides; only those that were judged carry a difference, with the weight of what they stand for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agent.verdict import Verdict
from evals.estimate import Estimate, estimate_data
from evals.intervals import SEED, bias_corrected, resamples
from evals.wording.judging import Judged

Load = Literal["removals", "escalations", "reviewer_hours", "model_usd"]

DRAWS = 1000
MINUTES_A_CASE = 3.0
PER_CASES = 1000.0
"""Where nobody knows how many cases a day brings, the figures are for so many cases."""
REMOVES = frozenset({"remove", "suspend"})
SECONDS_A_DAY = 86_400
GROUPED_BY = ("group", "language", "surface")
FEWEST = 20


@dataclass(frozen=True)
class Change:
    """One kind of load before and after, and the difference with its interval."""

    old: float
    new: float
    difference: Estimate


@dataclass(frozen=True)
class Impact:
    """What changes for so many cases, which are a day's where that is known."""

    cases_a_day: float
    is_a_day: bool
    changes: Mapping[Load, Change]
    removals_by_group: Mapping[str, Change]
    """By `group`, `language` or `surface` of the cases, as `language de`."""


def impact(
    judged: Sequence[Judged], *, a_day: float | None = None, minutes: float = MINUTES_A_CASE
) -> Impact | None:
    """Return what the wording would change for the work; None where nothing was judged.

    Args:
        judged: The cases under both wordings.
        a_day: Cases a day; None takes the span of their `created_at`, or else 1,000 cases.
        minutes: What a person needs for a case.
    """
    kept = [one for one in judged if not one.failed]
    if not kept:
        return None
    known = a_day or _cases_a_day(kept)
    scale = known or PER_CASES
    loads: dict[Load, Callable[[Verdict], float]] = {
        "removals": lambda v: float(v.action in REMOVES),
        "escalations": lambda v: float(v.needs_human),
        "reviewer_hours": lambda v: minutes / 60 * v.needs_human,
        "model_usd": lambda v: v.usage.cost_usd,
    }
    return Impact(
        cases_a_day=scale,
        is_a_day=known is not None,
        changes={name: _change(kept, load, scale) for name, load in loads.items()},
        removals_by_group={
            name: _change(own, loads["removals"], scale * _mass(own) / _mass(kept))
            for name, own in sorted(_groups(kept).items())
        },
    )


def _mass(judged: Sequence[Judged]) -> float:
    return sum(one.weight for one in judged)


def _cases_a_day(judged: Sequence[Judged]) -> float | None:
    times = [one.item.case.created_at for one in judged if one.item.case.created_at]
    if len(times) < len(judged) or len(times) < FEWEST:
        return None
    days = (max(times) - min(times)).total_seconds() / SECONDS_A_DAY
    return _mass(judged) / days if days >= 1 else None


def _groups(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        case = one.item.case
        told = {"group": str(case.meta.get("group", "")), "language": case.language}
        told["surface"] = case.surface
        told |= dict(one.item.golden.slices) if one.item.golden else {}
        for name in GROUPED_BY:
            if told.get(name):
                found[f"{name} {told[name]}"].append(one)
    return {name: own for name, own in found.items() if len(own) >= FEWEST}


def _change(judged: Sequence[Judged], load: Callable[[Verdict], float], scale: float) -> Change:
    """The mean load of a case before and after, by the bootstrap over families, times `scale`."""
    weights = np.array([one.weight for one in judged])
    old = np.array([load(one.old) for one in judged])
    new = np.array([load(one.new) for one in judged])
    total = float(weights.sum())
    step = scale * float(weights @ (new - old)) / total
    drawn = np.array(
        [
            scale * float((w * weights) @ (new - old)) / max(float(w @ weights), 1e-12)
            for w in resamples([one.item.family for one in judged], draws=DRAWS, seed=SEED)
        ]
    )
    low, high = bias_corrected(drawn, step)
    return Change(
        old=scale * float(weights @ old) / total,
        new=scale * float(weights @ new) / total,
        difference=Estimate(step, min(low, step), max(high, step), len(judged)),
    )


def impact_data(told: Impact | None) -> dict[str, object] | None:
    """Return the impact as JSON data."""
    if told is None:
        return None
    return {
        "cases_a_day": told.cases_a_day,
        "is_a_day": told.is_a_day,
        **{name: _data(change) for name, change in told.changes.items()},
        "removals_by_group": {n: _data(c) for n, c in told.removals_by_group.items()},
    }


def _data(change: Change) -> dict[str, object]:
    return {"old": change.old, "new": change.new, "difference": estimate_data(change.difference)}


def impact_in_words(told: Impact | None) -> list[str]:
    """Return the impact in sentences; loads that do not change are left out."""
    if told is None:
        return []
    unit = f"A day of {told.cases_a_day:,.0f} cases" if told.is_a_day else "For 1,000 such cases"
    labels: dict[Load, str] = {
        "removals": "removals",
        "escalations": "cases for people",
        "reviewer_hours": "hours of people",
        "model_usd": "dollars for models",
    }
    lines = [
        f"{unit}: {_told(change)} {labels[name]}."
        for name, change in told.changes.items()
        if change.difference.value
    ]
    lines += [
        f"{unit}, {group}: {_told(change)} removals."
        for group, change in told.removals_by_group.items()
        if change.difference.value
    ]
    return lines


def _told(change: Change) -> str:
    gap = change.difference
    return f"{gap.value:+,.1f} [{gap.low:+,.1f}, {gap.high:+,.1f}]"
