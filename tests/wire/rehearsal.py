"""A run of many workers against a hidden limit, in simulated time: seconds of it take no time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.llm.limiter import Pacing
from agent.llm.transport_errors import retry_after
from tests.wire.pace import HiddenLimit

REFUSAL_SECONDS = 0.003
"""How soon a refusal comes back."""


@dataclass
class Rehearsal:
    """Workers that ask without a pause, start as `pacing` lets them, and try again when refused."""

    pacing: Pacing
    limit: HiddenLimit | None
    workers: int
    latency: Callable[[random.Random], float]
    seed: int = 0
    answered: int = 0
    refused: int = 0
    most_tries: int = 0
    _events: list[tuple[float, int, str, int, float]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _waiting: deque[int] = field(default_factory=deque)

    def run(self, seconds: float) -> Rehearsal:
        """Let `seconds` pass."""
        drawn = random.Random(self.seed)
        tries = [0] * self.workers
        self._waiting.extend(range(self.workers))
        self._start_all(0.0, drawn)
        while self._events and self._events[0][0] < seconds:
            now, _, kind, worker, started = heapq.heappop(self._events)
            if kind == "answered":
                self.pacing.answered(started, now)
                self.answered += 1
                tries[worker] = 0
                self._waiting.append(worker)
            elif kind == "refused":
                headers = self.limit.headers() if self.limit else {}
                told = retry_after(headers, now=0.0)
                self.pacing.refused(started, now, told)
                self.refused += 1
                tries[worker] += 1
                self.most_tries = max(self.most_tries, tries[worker])
                self._later(now + drawn.random() * 0.5 * 2 ** tries[worker], "back", worker)
            elif kind == "back":
                self._waiting.append(worker)
            self._start_all(now, drawn)
        return self

    def _start_all(self, now: float, drawn: random.Random) -> None:
        while self._waiting:
            wait = self.pacing.wait(now)
            if wait is None:
                return
            if wait > 0:
                if not any(kind == "turn" for _, _, kind, _, _ in self._events):
                    self._later(now + wait, "turn", -1)
                return
            worker = self._waiting.popleft()
            self.pacing.started(now)
            if self.limit is None or self.limit.taken(now):
                self._later(now + self.latency(drawn), "answered", worker, now)
            else:
                self._later(now + REFUSAL_SECONDS, "refused", worker, now)

    def _later(self, when: float, kind: str, worker: int, started: float = 0.0) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), kind, worker, started))
