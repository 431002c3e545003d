"""Were the decisions right? Shares of cases, each counted case by case.

A rate is lower-is-better; the others are higher-is-better. An abstention is neither a removal nor a
miss, since a person still sees the case; it is counted on its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import Estimate
from evals.intervals import Statistic, Weights
from evals.metrics.metric import Count, Metric, counted, share_of, share_statistic
from evals.outcome import Outcome

_SAYS_NOTHING: Count = (0, 0)


def decided_right_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of cases whose decision is the expected one; higher is better.

    Where the rules do not settle a case, abstaining is the right decision.

    >>> decided_right_rate([Outcome("violating", "violating"), Outcome("abstain", "allowed")]).value
    0.5
    """
    return share_of(outcomes, is_right)


def is_right(outcome: Outcome) -> Count:
    """Count a decision as right or wrong."""
    return int(outcome.decided == outcome.expected), 1


def right_section_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of rightly found violations whose surest ground is an acceptable section.

    Higher is better. A right decision on a wrong ground sends somebody the wrong explanation.

    >>> right_section_rate([
    ...     Outcome("violating", "violating", sections=("hate.1",), cited=("hate.1", "spam.1")),
    ...     Outcome("violating", "violating", sections=("hate.1",), cited=("spam.1", "hate.1")),
    ... ]).value
    0.5
    """
    return share_of(outcomes, _on_right_section)


def _on_right_section(outcome: Outcome) -> Count:
    if not outcome.expected == outcome.decided == "violating":
        return _SAYS_NOTHING
    return int(outcome.cited[:1] != () and outcome.cited[0] in outcome.sections), 1


def wrong_removal_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of allowed cases that were called violating; lower is better.

    Each of these is somebody silenced for nothing, often for quoting or answering abuse.

    >>> wrong_removal_rate([Outcome("allowed", "violating"), Outcome("allowed", "abstain")]).value
    0.5
    """
    return share_of(outcomes, is_wrongly_removed)


def is_wrongly_removed(outcome: Outcome) -> Count:
    """Count an allowed case by whether it was called violating."""
    if outcome.expected != "allowed":
        return _SAYS_NOTHING
    return int(outcome.decided == "violating"), 1


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
    return share_of(outcomes, is_missed)


def is_missed(outcome: Outcome) -> Count:
    """Count a violation by whether it was let through."""
    if outcome.expected != "violating":
        return _SAYS_NOTHING
    return int(outcome.decided == "allowed"), 1


def abstention_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of cases that were left to a person; lower is better, all else being equal.

    >>> abstention_rate([Outcome("violating", "abstain"), Outcome("allowed", "allowed")]).value
    0.5
    """
    return share_of(outcomes, _is_left)


def _is_left(outcome: Outcome) -> Count:
    return int(outcome.decided == "abstain"), 1


def precision(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the cases called violating that are; higher is better.

    >>> precision([Outcome("violating", "violating"), Outcome("abstain", "violating")]).value
    0.5
    """
    return share_of(outcomes, _is_rightly_called)


def _is_rightly_called(outcome: Outcome) -> Count:
    if outcome.decided != "violating":
        return _SAYS_NOTHING
    return int(outcome.expected == "violating"), 1


def recall(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of the violating cases that were called so; higher is better.

    Unlike in `missed_violation_rate` an abstention counts against it: the machine did not find it.

    >>> recall([Outcome("violating", "violating"), Outcome("violating", "abstain")]).value
    0.5
    """
    return share_of(outcomes, _is_found)


def _is_found(outcome: Outcome) -> Count:
    if outcome.expected != "violating":
        return _SAYS_NOTHING
    return int(outcome.decided == "violating"), 1


def false_positive_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of all cases that are not violating, but were called so; lower is better.

    Unlike `wrong_removal_rate` it counts the cases that the rules do not settle as well.

    >>> false_positive_rate([Outcome("abstain", "violating"), Outcome("allowed", "allowed")]).value
    0.5
    """
    return share_of(outcomes, is_false_positive)


def is_false_positive(outcome: Outcome) -> Count:
    """Count a case that is not violating by whether it was called so."""
    if outcome.expected == "violating":
        return _SAYS_NOTHING
    return int(outcome.decided == "violating"), 1


def f1_score(outcomes: Sequence[Outcome]) -> Estimate:
    """Harmonic mean of precision and recall; higher is better.

    F1 is no share of cases, but it rises and falls with one: of the cases that are violating or
    were called so, the share that are both, F*, with F1 = 2 F* / (1 + F*) (Hand, Christen and
    Kirielle 2021, "F*: an interpretable transformation of the F-measure"). The interval is that
    of F*, carried over; `n` counts the cases that it is a share of.

    >>> f1_score([Outcome("violating", "violating"), Outcome("violating", "allowed")]).value
    0.6666666666666666
    """
    f_star = share_of(outcomes, _is_both)
    value, low, high = (2 * x / (1 + x) for x in (f_star.value, f_star.low, f_star.high))
    return Estimate(value, low, high, f_star.n)


def _is_both(outcome: Outcome) -> Count:
    if "violating" not in (outcome.expected, outcome.decided):
        return _SAYS_NOTHING
    return int(outcome.expected == outcome.decided), 1


def _f1_statistic(outcomes: Sequence[Outcome]) -> Statistic:
    f_star = share_statistic(outcomes, _is_both)

    def statistic(weights: Weights) -> float:
        x = f_star(weights)
        return 2 * x / (1 + x)

    return statistic


def right_severity_rate(outcomes: Sequence[Outcome]) -> Estimate:
    """Share of rightly found violations with the expected severity; higher is better.

    Only cases whose answer names a severity count.

    >>> right_severity_rate([
    ...     Outcome("violating", "violating", expected_severity="high", severity="high"),
    ...     Outcome("violating", "violating", expected_severity="low", severity="high"),
    ...     Outcome("violating", "violating", severity="high"),
    ... ]).value
    0.5
    """
    return share_of(outcomes, _has_right_severity)


def _has_right_severity(outcome: Outcome) -> Count:
    if outcome.expected_severity is None or not outcome.expected == outcome.decided == "violating":
        return _SAYS_NOTHING
    return int(outcome.severity == outcome.expected_severity), 1


def confusion(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """Return how many cases of each expected decision (outer) got each decision (inner).

    >>> confusion([Outcome("violating", "abstain")])["violating"]
    {'violating': 0, 'allowed': 0, 'abstain': 1}
    """
    sides = ("violating", "allowed", "abstain")
    table = {expected: dict.fromkeys(sides, 0) for expected in sides}
    for outcome in outcomes:
        table[outcome.expected][outcome.decided] += 1
    return table


def severity_confusion(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """Return the same for the severity of rightly found violations, where the answer names one.

    >>> severity_confusion([
    ...     Outcome("violating", "violating", expected_severity="low", severity="high")
    ... ])
    {'low': {'high': 1}}
    """
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        if _has_right_severity(outcome)[1] and outcome.expected_severity and outcome.severity:
            row = table.setdefault(outcome.expected_severity, {})
            row[outcome.severity] = row.get(outcome.severity, 0) + 1
    return table


DECISIONS: tuple[Metric, ...] = (
    counted("decided_right_rate", "decided right", is_right, decided_right_rate, better="higher"),
    counted(
        "right_section_rate",
        "found violations on the right section",
        _on_right_section,
        right_section_rate,
        better="higher",
    ),
    counted(
        "wrong_removal_rate",
        "wrongly removed (of the allowed)",
        is_wrongly_removed,
        wrong_removal_rate,
        better="lower",
    ),
    counted(
        "missed_violation_rate",
        "wrongly allowed (of the violating)",
        is_missed,
        missed_violation_rate,
        better="lower",
    ),
    counted("abstention_rate", "left to a person", _is_left, abstention_rate, better="lower"),
    counted(
        "precision", "precision of 'violating'", _is_rightly_called, precision, better="higher"
    ),
    counted("recall", "recall of 'violating'", _is_found, recall, better="higher"),
    Metric("f1_score", "F1 of 'violating'", f1_score, _f1_statistic, "higher"),
    counted(
        "false_positive_rate",
        "called violating (of all that are not)",
        is_false_positive,
        false_positive_rate,
        better="lower",
    ),
    counted(
        "right_severity_rate",
        "found violations with the right severity",
        _has_right_severity,
        right_severity_rate,
        better="higher",
    ),
)
"""What is reported, in this order."""
