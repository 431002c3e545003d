"""The part of the page about fairness: who pays for the mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from evals.estimate import Estimate
from evals.fairness.groups import FEWEST, Gap, GroupRates, group_rates
from evals.fairness.swaps import SWAP, flipped_by_swaps
from evals.fairness.told import SLICES_OF_PEOPLE
from evals.metrics import METRICS, Outcome
from evals.report.markup import figure_cell, html_table
from evals.report.plots import bars

_FEW_GROUPS = 2
MOST_GROUPS = 40


def fairness_section(outcomes: Sequence[Outcome]) -> str:
    """Return the section as HTML; nothing where the cases name no groups."""
    told = []
    for name in SLICES_OF_PEOPLE:
        values = {o.slices[name] for o in outcomes if name in o.slices}
        if len(values) >= _FEW_GROUPS:
            told.append(_slice(outcomes, name))
    if not told:
        return ""
    return f"<section><h2>Who pays for the mistakes</h2>{''.join(told)}{_swaps(outcomes)}</section>"


def _slice(outcomes: Sequence[Outcome], name: str) -> str:
    figures = "".join(_rate(rate) for rate in group_rates(outcomes, name))
    return f'<h3>By {escape(name)}</h3><div class="plots">{figures}</div>'


def _rate(rate: GroupRates) -> str:
    label = METRICS[rate.rate].label.capitalize()
    large = [(g, e) for g, e in rate.groups.items() if g not in rate.too_small]
    told = [f"<b>{escape(label)}.</b>"]
    if rate.widest is not None:
        told.append(_widest(rate.widest))
    told += [_against_others(gap) for gap in rate.gaps if gap.p < 0.05]  # noqa: PLR2004
    if rate.too_small:
        told.append(f"Fewer than {FEWEST} cases, too few to show: {_names(rate.too_small)}.")
    if len(large) > MOST_GROUPS:
        told.append(f"{len(large) - MOST_GROUPS} more groups are in the JSON report.")
    drawn = bars(large[:MOST_GROUPS], label) if large else ""
    return f"<figure>{drawn}<figcaption>{' '.join(told)}</figcaption></figure>"


def _names(groups: Sequence[str], most: int = 20) -> str:
    more = f" and {len(groups) - most} more" if len(groups) > most else ""
    return escape(", ".join(groups[:most])) + more


def _widest(gap: Gap) -> str:
    if math.isnan(gap.difference.value):
        return ""
    real = "" if gap.difference.low > 0 else " It may be chance."
    return (
        f"Widest gap: {escape(gap.group)} over {escape(gap.other)} by "
        f"{_points(gap.difference)}.{real}"
    )


def _against_others(gap: Gap) -> str:
    return (
        f"{escape(gap.group)} against everybody else: {_points(gap.difference)}, p = {gap.p:.2g}."
    )


def _points(difference: Estimate) -> str:
    return f"{difference.value:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"


def _swaps(outcomes: Sequence[Outcome]) -> str:
    if not any(SWAP in outcome.slices for outcome in outcomes):
        return ""
    rows = [
        [escape(swap), figure_cell(flips), f"{flips.n:,}"]
        for swap, flips in flipped_by_swaps(outcomes).items()
    ]
    table = html_table(["put in the place of the group", "decided otherwise", "n"], rows)
    return f"<h3>The same words about somebody else</h3>{table}"
