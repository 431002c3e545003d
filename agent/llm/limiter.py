"""How many requests go out, and how fast: one limiter for all threads that ask one provider.

Providers do not tell their limits, and change them. So requests start in step, and the step adapts
by additive increase and multiplicative decrease (Chiu and Jain 1989), as in TCP: a little faster
with every answer, a tenth slower with every refusal. Because a start is what a provider counts, it
is starts in a second that adapt; requests in flight only grow up to a ceiling.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.llm.exchange import Deadline, OutOfTimeError

DECREASE = 0.9
"""What a refusal leaves of the rate."""
ANSWERS_TO_RECOVER = 22
"""After so many answers the rate is back where it was refused."""
ANSWERS_TO_DOUBLE = 4
"""Beyond that, so many answers double the step: a limit that was raised is found again soon."""
STEEPEST = 0.08
"""Share of the rate that one answer may add at most."""
COSTLY_PAUSE = 0.5
"""Seconds. Where a refusal costs more than that, the limit is felt for with more care."""
CARE = 5.0
"""How many times longer than a costly pause the rate takes to recover."""
SLOWEST = 0.5
"""Starts a second, in the worst of times."""
CLOSE_BEHIND = 3
"""Fewer requests than that let through between two refusals: a window is full, and slides on."""
LONGEST_GUESS = 0.25
"""Seconds that everybody waits at most for such a window, where the provider says nothing."""
_SMOOTHING = 0.05
_GUESSED_LATENCY = 0.25


@dataclass
class Pacing:
    """The state of a limiter as plain arithmetic: it knows no threads, and is told the time."""

    ceiling: int
    """Most requests in flight."""
    longest_pause: float = 120.0
    """Seconds that a `Retry-After` may stop everybody."""
    in_flight: int = 0
    rate: float | None = None
    """Starts a second; None as long as nothing was refused."""
    paused_until: float = 0.0
    _window: float = 0.0
    _next_start: float = 0.0
    _latency: float | None = None
    _refused_at: float | None = None
    _resumed_at: float = 0.0
    _since: float = 0.0
    _let_through: int = 0
    _known: float | None = None
    """The rate that was last refused; None while nothing near the limit is known."""
    _step: float = 0.0
    _doubles_after: float = ANSWERS_TO_DOUBLE
    _answers_above: int = 0
    _in_a_row: int = 0

    def __post_init__(self) -> None:
        """Begin with a handful of requests at once, not with all of them."""
        self._window = float(min(self.ceiling, 16))

    def wait(self, now: float) -> float | None:
        """Return the seconds until a request may start, or None: until another one ends."""
        if now < self.paused_until:
            return self.paused_until - now
        if self.in_flight >= int(self._window):
            return None
        return 0.0 if self.rate is None else max(0.0, self._next_start - now)

    def started(self, now: float) -> None:
        """Count a request that starts."""
        if not self._let_through and self._refused_at is None:
            self._since = now
        self.in_flight += 1
        self._let_through += 1
        if self.rate is not None:
            self._next_start = max(now, self._next_start) + 1 / self.rate

    def answered(self, started: float, now: float) -> None:
        """Count an answer, and go a little faster."""
        self.in_flight -= 1
        self._window = min(self.ceiling, self._window + 1)
        took = now - started
        known = self._latency
        self._latency = took if known is None else known + _SMOOTHING * (took - known)
        if self.rate is not None:
            # Faster than twice what all threads together can start is no different from no limit.
            most = 2 * self.ceiling / max(self._latency, 1e-3)
            self.rate = min(self.rate + self._increase(self.rate), most)

    def _increase(self, rate: float) -> float:
        if self._known is None:
            return STEEPEST * rate
        if rate < self._known:
            self._answers_above = 0
            return self._step
        self._answers_above += 1
        doublings = min(20.0, self._answers_above / self._doubles_after)
        return min(self._step * 2**doublings, STEEPEST * rate)

    def failed(self) -> None:
        """Count a request that ended without telling anything about the limit."""
        self.in_flight -= 1

    def refused(self, started: float, now: float, retry_after: float | None) -> None:
        """Count a refusal: wait as told, and go slower, once for all that were on their way."""
        self.in_flight -= 1
        self._let_through -= 1
        pause = min(retry_after or 0.0, self.longest_pause)
        soon = now - max(self._since, self._resumed_at) < pause
        self.paused_until = max(self.paused_until, now + pause)
        if self._refused_at is not None and started <= self._refused_at:
            return
        self._in_a_row = self._in_a_row + 1 if self._let_through < CLOSE_BEHIND else 0
        through = self._let_through / max(now - self._since, self._latency or _GUESSED_LATENCY)
        self._refused_at = self._since = now
        self._resumed_at = self.paused_until
        self._let_through = 0
        self._slow_down(through, pause, soon=soon)
        if retry_after is None:
            self.paused_until = max(self.paused_until, now + self._guessed_pause())

    def _guessed_pause(self) -> float:
        """Seconds until a window that is full may have slid on; longer with every refusal."""
        if self._known is None or self.rate is None:
            return 0.0
        return min(LONGEST_GUESS, 2 * (2.0 ** min(self._in_a_row, 20) - 1) / self.rate)

    def _slow_down(self, through: float, pause: float, *, soon: bool) -> None:
        """Set the rate after a refusal.

        Args:
            through: How many a second were let through since the last one, pauses included.
            pause: Seconds that this refusal costs everybody.
            soon: Whether it came sooner after the last pause than that pause was long.
        """
        costly = pause >= COSTLY_PAUSE
        if self.rate is None:
            self.rate = max(1.0, through)
            self._known = self.rate if costly else None
        else:
            # Refused again so soon, the rate was far off; `through` shows what the bucket takes in.
            felt = max(through, self.rate / 2)
            self._known = min(self.rate, felt) if costly and soon else self.rate
            self.rate = max(SLOWEST, self._known * DECREASE)
        answers = max(ANSWERS_TO_RECOVER, CARE * pause * self.rate if costly else 0)
        self._step = self.rate * (1 - DECREASE) / answers
        self._doubles_after = max(ANSWERS_TO_DOUBLE, answers / 8) if costly else ANSWERS_TO_DOUBLE
        self._answers_above = 0


@dataclass
class _Turn:
    """A thread that waits to start."""

    called: threading.Event = field(default_factory=threading.Event)


class Limiter:
    """Lets threads start their requests in the order in which they came, as fast as is wise."""

    def __init__(
        self,
        most_in_flight: int,
        *,
        longest_pause: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare for `most_in_flight` requests at once.

        Args:
            most_in_flight: The ceiling; as many as there are threads is right.
            longest_pause: Seconds that a provider may make everybody wait.
            clock: Seconds, the same as of the deadlines.
        """
        self._pacing = Pacing(most_in_flight, longest_pause)
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[_Turn] = deque()

    def start(self, deadline: Deadline | None = None) -> float:
        """Wait until a request may start, and return the time at which it does.

        Every start has to be told of by exactly one of `answered`, `refused` and `failed`.

        Raises:
            OutOfTimeError: The deadline comes first.
        """
        turn = _Turn()
        with self._lock:
            self._queue.append(turn)
        while True:
            with self._lock:
                turn.called.clear()
                now = self._clock()
                first = self._queue[0] is turn
                wait = self._pacing.wait(now) if first else None
                if wait is not None and wait <= 0:
                    self._queue.popleft()
                    self._pacing.started(now)
                    self._call_next()
                    return now
                left = None if deadline is None else deadline.at - now
                if left is not None and (left <= 0 or (wait is not None and wait > left)):
                    self._queue.remove(turn)
                    self._call_next()
                    raise OutOfTimeError(
                        "the time for this case is over before its turn comes",
                        hint="allow more time, or ask with fewer workers",
                    )
            turn.called.wait(min((t for t in (wait, left) if t is not None), default=None))

    def answered(self, started: float) -> None:
        """Tell that the request of `started` was answered."""
        with self._lock:
            self._pacing.answered(started, self._clock())
            self._call_next()

    def refused(self, started: float, retry_after: float | None = None) -> None:
        """Tell that it was one too many, and how many seconds everybody is to wait."""
        with self._lock:
            self._pacing.refused(started, self._clock(), retry_after)
            self._call_next()

    def failed(self, started: float) -> None:  # noqa: ARG002 (the three have one form)
        """Tell that it ended in another way."""
        with self._lock:
            self._pacing.failed()
            self._call_next()

    def _call_next(self) -> None:
        if self._queue:
            self._queue[0].called.set()
