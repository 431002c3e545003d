"""Does the reviewer ask what it needs to know, and nothing else?"""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import Estimate
from evals.metrics.metric import Count, Metric, counted, share_of
from evals.outcome import Lookups, Outcome


def needed_lookup_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the look-ups that cases call for that were made; higher is better.

    A case with links calls for their reputation, one with an account for its history.

    >>> needed_lookup_rate([
    ...     Outcome("allowed", "allowed", lookups=Lookups(needed=2, missed=1))
    ... ]).value
    0.5
    """
    return share_of(outcomes, _made)


def _made(outcome: Outcome) -> Count:
    told = outcome.lookups or Lookups()
    return told.needed - told.missed, told.needed


def unneeded_lookup_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of tool calls that could tell nothing new; lower is better. `n` counts calls.

    >>> unneeded_lookup_rate([
    ...     Outcome("allowed", "allowed", lookups=Lookups(calls=4, unneeded=1))
    ... ]).value
    0.25
    """
    return share_of(outcomes, _unneeded)


def _unneeded(outcome: Outcome) -> Count:
    told = outcome.lookups or Lookups()
    return told.unneeded, told.calls


def failed_lookup_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of tool calls that gave no result; lower is better. `n` counts calls.

    >>> failed_lookup_rate([
    ...     Outcome("allowed", "allowed", lookups=Lookups(calls=4, failed=3))
    ... ]).value
    0.75
    """
    return share_of(outcomes, _failed)


def _failed(outcome: Outcome) -> Count:
    told = outcome.lookups or Lookups()
    return told.failed, told.calls


TOOL_USE: tuple[Metric, ...] = (
    counted(
        "needed_lookup_rate",
        "needed look-ups that were made",
        _made,
        needed_lookup_rate,
        better="higher",
    ),
    counted(
        "unneeded_lookup_rate",
        "tool calls that could tell nothing new",
        _unneeded,
        unneeded_lookup_rate,
        better="lower",
    ),
    counted(
        "failed_lookup_rate",
        "tool calls without a result",
        _failed,
        failed_lookup_rate,
        better="lower",
    ),
)
