"""What a review costs: money, tokens, calls and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from agent.verdict import Usage
from evals.estimate import Estimate
from evals.intervals import Statistic, Weights, quantile_interval
from evals.metrics.metric import Metric, Unit, bootstrapped
from evals.outcome import Outcome


def mean_of(outcomes: Sequence[Outcome], amount: Callable[[Usage], float]) -> Statistic:
    """Return the mean of an amount in a weighted sample of the cases whose usage is known."""
    known = np.array([o.usage is not None for o in outcomes], dtype=np.float64)
    amounts = np.array([amount(o.usage) if o.usage else 0.0 for o in outcomes], dtype=np.float64)

    def statistic(weights: Weights) -> float:
        n = float(weights @ known)
        return float(weights @ amounts) / n if n else math.nan

    return statistic


def seconds_of(outcomes: Sequence[Outcome]) -> list[float]:
    """Return how long each review took, in seconds."""
    return [o.usage.seconds for o in outcomes if o.usage is not None]


def latency(outcomes: Sequence[Outcome], p: float) -> Estimate:
    """Return a percentile of the time that a review takes, in seconds; lower is better.

    >>> latency([Outcome("allowed", "allowed", usage=Usage(seconds=2.0))], 0.5).value
    2.0
    """
    return quantile_interval(seconds_of(outcomes), p)


def _known(outcomes: Sequence[Outcome]) -> int:
    return sum(o.usage is not None for o in outcomes)


def _mean(name: str, label: str, amount: Callable[[Usage], float], unit: Unit) -> Metric:
    mean = bootstrapped(name, label, lambda o: mean_of(o, amount), on=_known, better="lower")
    return replace(mean, unit=unit)


def _percentile(name: str, label: str, p: float) -> Metric:
    return Metric(
        name,
        label,
        lambda outcomes: latency(outcomes, p),
        lambda outcomes: _weighted_percentile(outcomes, p),
        "lower",
        "seconds",
    )


def _weighted_percentile(outcomes: Sequence[Outcome], p: float) -> Statistic:
    known = np.array([o.usage is not None for o in outcomes], dtype=bool)
    seconds = np.array(seconds_of(outcomes), dtype=np.float64)

    def statistic(weights: Weights) -> float:
        drawn = np.repeat(seconds, weights[known].astype(np.intp))
        return float(np.quantile(drawn, p)) if drawn.size else math.nan

    return statistic


SPENDING: tuple[Metric, ...] = (
    _mean("cost_usd", "cost of a review, US dollars", lambda u: u.cost_usd, "usd"),
    _mean("model_calls", "paid calls of a review", lambda u: u.model_calls, "count"),
    _mean("input_tokens", "tokens in, of a review", lambda u: u.input_tokens, "count"),
    _mean("output_tokens", "tokens out, of a review", lambda u: u.output_tokens, "count"),
    _percentile("seconds_p50", "time of a review, median, seconds", 0.5),
    _percentile("seconds_p95", "time of a review, 95th percentile, seconds", 0.95),
)
