"""Ask until there is an answer: bounded tries, one pace and one circuit breaker for all threads."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.llm.breaker import CircuitBreaker
from agent.llm.exchange import (
    CircuitOpenError,
    Deadline,
    OutOfTimeError,
    Provider,
    ProviderError,
    RateLimitedError,
    Reply,
    Request,
    UnavailableError,
)
from agent.llm.limiter import Limiter


@dataclass(frozen=True)
class Patience:
    """How often, and with what pauses, a request is tried."""

    tries: int = 8
    first_pause: float = 0.5
    """Seconds; the longest pause before the second try. It doubles from try to try."""
    longest_pause: float = 20.0
    longest_retry_after: float = 120.0
    """Seconds; a provider that asks for more is not waited for."""


@dataclass(frozen=True)
class RetryingProvider:
    """A provider that asks another one until it answers. Share one between all threads.

    Pauses are drawn between nothing and the longest (full jitter, Brooker 2015), so that threads
    which failed together do not come back together.
    """

    inner: Provider
    limiter: Limiter
    breaker: CircuitBreaker
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    """A number from 0 to 1."""

    @property
    def name(self) -> str:
        """Provider and model."""
        return self.inner.name

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        """Return what the model answered, after the retries that are worth it.

        Raises:
            ProviderError: There is no answer: the last reason.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._attempt(request, deadline)
            except (RateLimitedError, UnavailableError) as error:
                if attempt >= self.patience.tries or not self._is_worth_waiting(error):
                    raise
                pause, last = self._pause(error, attempt), error.message
            if deadline is not None and self.clock() + pause >= deadline.at:
                raise OutOfTimeError(
                    f"the time for this case is over after {attempt} tries; the last: {last}",
                    hint="allow more time, or ask again later",
                )
            self.sleep(pause)

    def _attempt(self, request: Request, deadline: Deadline | None) -> Reply:
        started = self.limiter.start(deadline)
        try:
            self.breaker.enter()
        except CircuitOpenError:
            self.limiter.failed(started)
            raise
        try:
            reply = self.inner.send(request, deadline=deadline)
        except BaseException as error:
            self._learn(error, started)
            raise
        self.limiter.answered(started)
        self.breaker.succeeded()
        return reply

    def _learn(self, error: BaseException, started: float) -> None:
        """Tell limiter and breaker how a request failed."""
        if isinstance(error, RateLimitedError):
            self.limiter.refused(started, error.retry_after)
            self.breaker.succeeded()
            return
        self.limiter.failed(started)
        if isinstance(error, UnavailableError):
            self.breaker.failed()
        elif isinstance(error, ProviderError) and not isinstance(error, OutOfTimeError):
            self.breaker.succeeded()
        else:
            self.breaker.left()

    def _is_worth_waiting(self, error: ProviderError) -> bool:
        if isinstance(error, CircuitOpenError):
            return False  # that is what it is for: to fail at once
        return (error.retry_after or 0.0) <= self.patience.longest_retry_after

    def _pause(self, error: ProviderError, attempt: int) -> float:
        longest = min(self.patience.longest_pause, self.patience.first_pause * 2.0 ** (attempt - 1))
        # After a 429 the limiter makes everybody wait as long as the provider said.
        told = 0.0 if isinstance(error, RateLimitedError) else error.retry_after or 0.0
        return told + self.draw() * longest
