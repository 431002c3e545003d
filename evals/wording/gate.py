"""A gate for a draft: what a new wording may break at most before it ships."""

from __future__ import annotations

from dataclasses import dataclass

from errors import GateError, UsageError
from evals.wording.comparison import WordingComparison


@dataclass(frozen=True)
class Limits:
    """What is asked of a draft; None asks nothing."""

    max_broken: int | None = None
    max_false_removal_rise: float | None = None
    max_miss_rise: float | None = None
    max_flips: int | None = None


@dataclass(frozen=True)
class Ruling:
    """Whether a draft keeps one limit."""

    limit: str
    holds: bool
    told: str


def rulings(told: WordingComparison, limits: Limits) -> list[Ruling]:
    """Return whether the draft keeps each limit that was set.

    Counts are counts. A rate is held against the upper end of its 95 % interval, so that a set too
    small to show that nothing got worse does not open the gate.

    Raises:
        UsageError: No limit was set, or the cases have no known answers.
    """
    if all(value is None for value in vars(limits).values()):
        raise UsageError("nothing is required", hint="add --max-broken 0, for example")
    if told.whole is None and not told.edited.is_empty:
        raise UsageError(
            "a gate needs cases whose answers are known", hint="name a golden file with --golden"
        )
    found = []
    if limits.max_broken is not None:
        broken = sum(flip.effect == "broken" for flip in told.flips)
        found.append(_count("--max-broken", limits.max_broken, broken, "broken"))
    if limits.max_flips is not None:
        found.append(_count("--max-flips", limits.max_flips, len(told.flips), "flipped"))
    for name, metric, bound in (
        ("--max-false-removal-rise", "wrong_removal_rate", limits.max_false_removal_rise),
        ("--max-miss-rise", "missed_violation_rate", limits.max_miss_rise),
    ):
        if bound is not None:
            found.append(_rise(told, name, metric, bound))
    return found


def _count(name: str, most: int, seen: int, word: str) -> Ruling:
    cases = f"{seen} case" if seen == 1 else f"{seen} cases"
    return Ruling(f"{name} {most}", seen <= most, f"{cases} {word}")


def _rise(told: WordingComparison, name: str, metric: str, bound: float) -> Ruling:
    change = told.metrics.get(metric)
    limit = f"{name} {bound:g}"
    if told.edited.is_empty:
        return Ruling(limit, holds=True, told="nothing was edited")
    if change is None or not change.difference.n:
        return Ruling(limit, holds=False, told="no case says anything about it")
    gap = change.difference
    text = f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]: the upper bound counts"
    return Ruling(limit, gap.high <= bound, text)


def hold(found: list[Ruling]) -> None:
    """Let a draft pass, or say what kept it.

    Raises:
        GateError: A limit is not kept.
    """
    broken = [ruling for ruling in found if not ruling.holds]
    if broken:
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise GateError(
            f"{broken[0].limit}: {broken[0].told}{more}",
            hint="see what flipped, and on which words, with: amicus policy compare",
        )
