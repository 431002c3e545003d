"""How good is it: small pure functions over outcomes, each with its uncertainty.

Every metric is an `Estimate`: a value, its 95 % interval and the number of cases it rests on. The
intervals are Wilson's score intervals (Wilson 1927, "Probable inference, the law of succession,
and statistical inference"), which stay honest for small sets and for rates near 0 and 1. No data is
NaN, never zero: a set without violations says nothing about missed violations.

A rate is lower-is-better; the others are higher-is-better. An abstention is neither a removal nor a
miss, since a person still sees the case; it is counted on its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.verdict import Decision

_Z = 1.959963984540054
"""The 97.5 % point of the normal distribution: 95 % lie within it on both sides."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, and the number of cases it was computed from."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Outcome:
    """What a case called for, and what it got."""

    expected: Decision
    decided: Decision
    sections: tuple[str, ...] = ()
    """Every section that a right verdict may cite."""
    cited: tuple[str, ...] = ()
    """The sections that the verdict cites, the surest first."""
    slices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Metrics:
    """Every metric over all cases, and over every slice of them."""

    overall: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    """Slice name, then its value, then the metric: `slices["policy"]["hate"]["recall"]`."""


def share(hits: int, n: int) -> Estimate:
    """Return `hits` out of `n` as an estimate with Wilson's interval.

    >>> share(8, 10)
    Estimate(value=0.8, low=0.4901624715366418, high=0.9433178485456248, n=10)
    >>> share(0, 0)
    Estimate(value=nan, low=nan, high=nan, n=0)
    """
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = hits / n
    scale = 1 + _Z**2 / n
    middle = (value + _Z**2 / (2 * n)) / scale
    reach = _Z / scale * math.sqrt(value * (1 - value) / n + _Z**2 / (4 * n**2))
    low = 0.0 if hits == 0 else max(0.0, middle - reach)
    high = 1.0 if hits == n else min(1.0, middle + reach)
    return Estimate(value, low, high, n)


def decided_right_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of cases whose decision is the expected one; higher is better.

    Where the rules do not settle a case, abstaining is the right decision.

    >>> decided_right_rate([Outcome("violating", "violating"), Outcome("abstain", "allowed")]).value
    0.5
    """
    return share(sum(o.decided == o.expected for o in outcomes), len(outcomes))


def right_section_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of rightly found violations whose surest ground is an acceptable section.

    Higher is better. A right decision on a wrong ground sends somebody the wrong explanation.

    >>> right_section_rate([
    ...     Outcome("violating", "violating", sections=("hate.1",), cited=("hate.1", "spam.1")),
    ...     Outcome("violating", "violating", sections=("hate.1",), cited=("spam.1", "hate.1")),
    ... ]).value
    0.5
    """
    found = [o for o in outcomes if o.expected == o.decided == "violating"]
    return share(sum(o.cited[:1] != () and o.cited[0] in o.sections for o in found), len(found))


def wrong_removal_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of allowed cases that were called violating; lower is better.

    Each of these is somebody silenced for nothing, often for quoting or answering abuse.

    >>> wrong_removal_rate([Outcome("allowed", "violating"), Outcome("allowed", "abstain")]).value
    0.5
    """
    allowed = [o for o in outcomes if o.expected == "allowed"]
    return share(sum(o.decided == "violating" for o in allowed), len(allowed))


def missed_violation_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of real violations that were let through; lower is better.

    The costliest mistake in moderation, so it is reported by itself instead of being averaged
    into accuracy. An abstention is not a miss: a person still sees the case.

    >>> missed_violation_rate([
    ...     Outcome(expected="violating", decided="allowed"),
    ...     Outcome(expected="violating", decided="abstain"),
    ... ]).value
    0.5
    """
    violating = [o for o in outcomes if o.expected == "violating"]
    return share(sum(o.decided == "allowed" for o in violating), len(violating))


def abstention_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of cases that were left to a person; lower is better, all else being equal.

    >>> abstention_rate([Outcome("violating", "abstain"), Outcome("allowed", "allowed")]).value
    0.5
    """
    return share(sum(o.decided == "abstain" for o in outcomes), len(outcomes))


def precision(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the cases called violating that are; higher is better.

    >>> precision([Outcome("violating", "violating"), Outcome("abstain", "violating")]).value
    0.5
    """
    called = [o for o in outcomes if o.decided == "violating"]
    return share(sum(o.expected == "violating" for o in called), len(called))


def recall(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the violating cases that were called so; higher is better.

    Unlike in `missed_violation_rate` an abstention counts against it: the machine did not find it.

    >>> recall([Outcome("violating", "violating"), Outcome("violating", "abstain")]).value
    0.5
    """
    violating = [o for o in outcomes if o.expected == "violating"]
    return share(sum(o.decided == "violating" for o in violating), len(violating))


def false_positive_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of all cases that are not violating, but were called so; lower is better.

    Unlike `wrong_removal_rate` it counts the cases that the rules do not settle as well.

    >>> false_positive_rate([Outcome("abstain", "violating"), Outcome("allowed", "allowed")]).value
    0.5
    """
    others = [o for o in outcomes if o.expected != "violating"]
    return share(sum(o.decided == "violating" for o in others), len(others))


def f1_score(outcomes: Sequence[Outcome]) -> Estimate:
    """Harmonic mean of precision and recall; higher is better.

    F1 is no share of cases, but it rises and falls with one: of the cases that are violating or
    were called so, the share that are both, F*, with F1 = 2 F* / (1 + F*) (Hand, Christen and
    Kirielle 2021, "F*: an interpretable transformation of the F-measure"). The interval is that
    of F*, carried over; `n` counts the cases that it is a share of.

    >>> f1_score([Outcome("violating", "violating"), Outcome("violating", "allowed")]).value
    0.6666666666666666
    """
    either = [o for o in outcomes if "violating" in (o.expected, o.decided)]
    f_star = share(sum(o.expected == o.decided for o in either), len(either))
    value, low, high = (2 * x / (1 + x) for x in (f_star.value, f_star.low, f_star.high))
    return Estimate(value, low, high, f_star.n)


METRICS: Mapping[str, Callable[[Sequence[Outcome]], Estimate]] = {
    "decided_right_rate": decided_right_rate,
    "right_section_rate": right_section_rate,
    "wrong_removal_rate": wrong_removal_rate,
    "missed_violation_rate": missed_violation_rate,
    "abstention_rate": abstention_rate,
    "precision": precision,
    "recall": recall,
    "f1_score": f1_score,
    "false_positive_rate": false_positive_rate,
}
"""What is reported, in this order."""


def measure(outcomes: Sequence[Outcome]) -> Metrics:
    """Return every metric over `outcomes` and over each of their slices."""
    names = sorted({name for outcome in outcomes for name in outcome.slices})
    return Metrics(_all_metrics(outcomes), {name: _by_slice(outcomes, name) for name in names})


def _by_slice(outcomes: Iterable[Outcome], name: str) -> dict[str, dict[str, Estimate]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if name in outcome.slices:
            groups.setdefault(outcome.slices[name], []).append(outcome)
    return {value: _all_metrics(groups[value]) for value in sorted(groups)}


def _all_metrics(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    return {name: metric(outcomes) for name, metric in METRICS.items()}
