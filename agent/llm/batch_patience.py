"""How long batches are waited for, and how many failures on the way are borne."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from agent.llm.exchange import RateLimitedError, UnavailableError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Waiting:
    """How long is waited for what; seconds."""

    first: float = 5.0
    """Between the first two looks at the open batches."""
    longest: float = 60.0
    """Between two looks at most."""
    growth: float = 1.5
    failures: int = 30
    """How often in a row a provider may fail to say how far a batch is, or to take one."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def pauses(self) -> Iterator[float]:
        """Yield the pauses, from the first up to the longest, without an end."""
        pause = self.first
        while True:
            yield min(pause, self.longest)
            pause = min(pause * self.growth, self.longest)

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Return what `ask` returns, asked again after each failure that may pass.

        Raises:
            ProviderError: The last failure, after as many as are allowed, or one that is for good.
        """
        for failures, pause in enumerate(self.pauses(), 1):
            try:
                return ask()
            except (RateLimitedError, UnavailableError) as error:
                if failures >= self.failures:
                    raise
                wait = max(pause, error.retry_after or 0.0)
            self.sleep(wait)
        raise AssertionError("unreachable: the pauses do not end")
