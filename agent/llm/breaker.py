"""A circuit breaker: a provider that is down is left alone for a while (Nygard, Release It!)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent.llm.exchange import CircuitOpenError

FAILURES = 5
"""So many failures in a row open the circuit …"""
FAILING_SECONDS = 5.0
"""… if the first is so long ago. A hundred requests that break at once are one short mishap."""
FIRST_REST = 5.0
LONGEST_REST = 60.0


class CircuitBreaker:
    """Lets requests through until a provider keeps failing; then one at a time, now and then."""

    def __init__(self, who: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch the provider that messages call `who`."""
        self._who = who
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._failing_since = 0.0
        self._rest = FIRST_REST
        self._closed_again_at: float | None = None
        self._tried = False

    def enter(self) -> None:
        """Pass, or be turned away.

        Whoever passes tells how it went, by `succeeded` or `failed` or `left`.

        Raises:
            CircuitOpenError: The provider is left alone, or somebody is trying it out.
        """
        with self._lock:
            if self._closed_again_at is None:
                return
            left = self._closed_again_at - self._clock()
            if left <= 0 and not self._tried:
                self._tried = True
                return
        raise CircuitOpenError(
            f"{self._who} has failed {self._failures} times in a row and is left alone",
            hint=f"it is tried again in {max(left, 1):.0f} s; is the server up?",
            retry_after=max(left, 0.0),
        )

    def succeeded(self) -> None:
        """Tell that the provider answered, if only to refuse."""
        with self._lock:
            self._failures = 0
            self._rest = FIRST_REST
            self._closed_again_at = None
            self._tried = False

    def failed(self) -> None:
        """Tell that there was no answer."""
        with self._lock:
            now = self._clock()
            if not self._failures:
                self._failing_since = now
            self._failures += 1
            if self._tried:
                self._rest = min(LONGEST_REST, 2 * self._rest)
            lasting = now - self._failing_since >= FAILING_SECONDS
            if self._tried or (self._failures >= FAILURES and lasting):
                self._closed_again_at = now + self._rest
                self._tried = False

    def left(self) -> None:
        """Tell that the request was given up before anything could be learnt."""
        with self._lock:
            self._tried = False
