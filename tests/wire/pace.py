"""How fast a simulated provider thinks, and how much it lets through."""

from __future__ import annotations

import bisect
import hashlib
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.wire.answers import Asked

Latency = Callable[[Asked], float]
"""Seconds that the model thinks about a request."""
Telling = Literal["nothing", "milliseconds", "seconds"]
"""What a 429 tells about when to come back."""


def constant(seconds: float) -> Latency:
    """Return a latency that is the same for every request."""
    return lambda _: seconds


def log_normal(mean: float, *, sigma: float = 0.5, seed: int = 0) -> Latency:
    """Return a latency drawn once for every case, so that a repeated request is as slow again.

    Args:
        mean: Seconds, on average.
        sigma: Standard deviation of the logarithm; 0.5 makes one case in 20 twice as slow.
        seed: Another seed draws other latencies.
    """
    mu = math.log(mean) - sigma**2 / 2

    def draw(asked: Asked) -> float:
        digest = hashlib.sha256(f"{seed}:{asked.last_words}".encode()).digest()
        return random.Random(digest).lognormvariate(mu, sigma)

    return draw


class HiddenLimit(Protocol):
    """What lets requests through, or does not."""

    def taken(self, now: float) -> bool:
        """Whether a request at `now`, in seconds on any clock, is let through."""

    def headers(self) -> dict[str, str]:
        """Return what a refusal tells."""

    def ideal(self, seconds: float) -> float:
        """Return how many requests could get through in the first `seconds`."""


@dataclass
class WindowLimit:
    """So many requests in any second, and no word about it."""

    schedule: Sequence[tuple[float, float]]
    """From which second on, counted from zero, how many requests a second."""
    _last: deque[float] = field(default_factory=deque, init=False)

    def taken(self, now: float) -> bool:
        """Whether a request at `now` is let through."""
        while self._last and self._last[0] <= now - 1:
            self._last.popleft()
        if len(self._last) >= _rate_at(self.schedule, now):
            return False
        self._last.append(now)
        return True

    def headers(self) -> dict[str, str]:
        """Return nothing."""
        return {}

    def ideal(self, seconds: float) -> float:
        """Return how many requests could get through in the first `seconds`."""
        return _area(self.schedule, seconds)


@dataclass
class RateLimit:
    """A bucket of tokens that nobody is told of, and whose filling changes in mid-run."""

    schedule: Sequence[tuple[float, float]]
    """From which second on, counted from the first request, how many requests a second."""
    burst: float = 10.0
    """How many requests may come at once."""
    tells: Telling = "nothing"
    _tokens: float = field(init=False)
    _filled: float = field(default=0.0, init=False)
    _start: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def taken(self, now: float) -> bool:
        """Whether a request at `now`, in seconds on any clock, is let through."""
        if self._start is None:
            self._start = now
        self._fill(now - self._start)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def headers(self) -> dict[str, str]:
        """Return what a refusal tells."""
        wait = (1 - self._tokens) / _rate_at(self.schedule, self._filled)
        if self.tells == "milliseconds":
            return {"retry-after-ms": f"{wait * 1000:.0f}"}
        return {"retry-after": str(math.ceil(wait))} if self.tells == "seconds" else {}

    def ideal(self, seconds: float) -> float:
        """Return how many requests could get through in the first `seconds`."""
        return self.burst + _area(self.schedule, seconds)

    def _fill(self, second: float) -> None:
        while self._filled < second:
            end = min([at for at, _ in self.schedule if at > self._filled] + [second])
            end = min(end, second)
            gained = (end - self._filled) * _rate_at(self.schedule, self._filled)
            self._tokens = min(self.burst, self._tokens + gained)
            self._filled = end


def _rate_at(schedule: Sequence[tuple[float, float]], second: float) -> float:
    starts = [at for at, _ in schedule]
    return schedule[max(0, bisect.bisect_right(starts, second) - 1)][1]


def _area(schedule: Sequence[tuple[float, float]], seconds: float) -> float:
    changes = [at for at, _ in schedule if at < seconds]
    spans = zip(changes, [*changes[1:], seconds], strict=True)
    return sum((end - at) * _rate_at(schedule, at) for at, end in spans)
