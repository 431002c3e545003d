from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from agent.llm.breaker import FAILURES, FIRST_REST, LONGEST_REST, CircuitBreaker
from agent.llm.exchange import (
    CircuitOpenError,
    Deadline,
    Message,
    OutOfTimeError,
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
)
from agent.llm.limiter import Limiter
from agent.llm.retrying import Patience, RetryingProvider

REQUEST = Request(system=(), messages=(Message("user", "is this allowed?"),))
REPLY = Reply("yes", (), "stop", Tokens())


@dataclass
class Clock:
    """Time that passes when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Moody:
    """A provider that fails as told, and then answers."""

    failures: list[ProviderError]
    clock: Clock
    takes: float = 0.0
    sent: int = 0
    name: str = "moody:1"

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:  # noqa: ARG002
        self.sent += 1
        self.clock.now += self.takes
        if self.failures:
            raise self.failures.pop(0)
        return REPLY


def retrying(
    failures: Sequence[ProviderError], *, takes: float = 0.0, tries: int = 4, draw: float = 1.0
) -> tuple[RetryingProvider, Moody, Clock]:
    clock = Clock()
    inner = Moody(list(failures), clock, takes)
    provider = RetryingProvider(
        inner,
        Limiter(4, clock=clock.read),
        CircuitBreaker(inner.name, clock=clock.read),
        Patience(tries=tries, first_pause=1.0, longest_pause=3.0),
        clock=clock.read,
        sleep=clock.sleep,
        draw=lambda: draw,
    )
    return provider, inner, clock


def down() -> UnavailableError:
    return UnavailableError("the server is down")


def test_a_provider_that_recovers_answers_in_the_end() -> None:
    provider, inner, _ = retrying([down(), RateLimitedError("slow down"), down()])
    assert provider.send(REQUEST) == REPLY
    assert inner.sent == 4


def test_pauses_double_up_to_the_longest_and_are_drawn_from_nothing_up() -> None:
    provider, _, clock = retrying([down()] * 4, tries=5)
    provider.send(REQUEST)
    assert clock.slept == [1.0, 2.0, 3.0, 3.0]
    provider, _, clock = retrying([down()] * 4, tries=5, draw=0.0)
    provider.send(REQUEST)
    assert clock.slept == [0.0] * 4


def test_tries_are_bounded_and_the_last_reason_is_told() -> None:
    last = UnavailableError("gone for good")
    provider, inner, _ = retrying([down(), down(), down(), last])
    with pytest.raises(UnavailableError) as raised:
        provider.send(REQUEST)
    assert raised.value is last
    assert inner.sent == 4


@pytest.mark.parametrize("error", [RefusedRequestError("no such model"), OutOfTimeError("late")])
def test_what_cannot_become_better_is_not_tried_again(error: ProviderError) -> None:
    provider, inner, clock = retrying([error])
    with pytest.raises(type(error)):
        provider.send(REQUEST)
    assert inner.sent == 1
    assert clock.slept == []


def test_a_wait_that_an_overloaded_server_asks_for_is_kept() -> None:
    provider, _, clock = retrying([UnavailableError("overloaded", retry_after=9.0)])
    provider.send(REQUEST)
    assert clock.slept == [10.0]


def test_a_provider_that_asks_for_an_hour_is_not_waited_for() -> None:
    provider, inner, _ = retrying([RateLimitedError("come back later", retry_after=3_600.0)])
    with pytest.raises(RateLimitedError):
        provider.send(REQUEST)
    assert inner.sent == 1


def test_no_pause_reaches_beyond_the_deadline_and_the_last_failure_is_told() -> None:
    provider, inner, clock = retrying([down()] * 9, takes=0.5)
    with pytest.raises(OutOfTimeError, match=f"2 tries; the last: {down().message}"):
        provider.send(REQUEST, deadline=Deadline(2.0))
    assert clock.now <= 2.0
    assert inner.sent == 2


def breaker_after(clock: Clock, failures: int, *, apart: float) -> CircuitBreaker:
    breaker = CircuitBreaker("moody:1", clock=clock.read)
    for _ in range(failures):
        breaker.enter()
        clock.now += apart
        breaker.failed()
    return breaker


def test_a_provider_that_keeps_failing_is_left_alone_and_then_tried_by_one() -> None:
    clock = Clock()
    breaker = breaker_after(clock, FAILURES, apart=2.0)
    with pytest.raises(CircuitOpenError) as raised:
        breaker.enter()
    assert raised.value.retry_after == FIRST_REST
    clock.now += FIRST_REST
    breaker.enter()
    with pytest.raises(CircuitOpenError):
        breaker.enter()
    breaker.succeeded()
    breaker.enter()
    breaker.enter()


def test_a_provider_that_is_still_down_is_left_alone_for_longer_and_longer() -> None:
    clock = Clock()
    breaker = breaker_after(clock, FAILURES, apart=2.0)
    rests = []
    for _ in range(6):
        with pytest.raises(CircuitOpenError) as raised:
            breaker.enter()
        rests.append(raised.value.retry_after)
        clock.now += raised.value.retry_after or 0.0
        breaker.enter()
        breaker.failed()
    assert rests == [5.0, 10.0, 20.0, 40.0, LONGEST_REST, LONGEST_REST]


def test_a_hundred_requests_that_break_at_once_do_not_open_the_circuit() -> None:
    breaker = breaker_after(Clock(), 100, apart=0.0)
    breaker.enter()


def test_a_try_that_nobody_finished_leaves_the_next_one_to_somebody_else() -> None:
    clock = Clock()
    breaker = breaker_after(clock, FAILURES, apart=2.0)
    clock.now += FIRST_REST
    breaker.enter()
    breaker.left()
    breaker.enter()


def test_an_open_circuit_fails_at_once() -> None:
    provider, inner, clock = retrying([down()] * 20, takes=2.0)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            provider.send(REQUEST)
    asked = inner.sent
    slept = len(clock.slept)
    with pytest.raises(CircuitOpenError):
        provider.send(REQUEST)
    assert inner.sent == asked
    assert len(clock.slept) == slept


def test_a_provider_that_refuses_is_not_down() -> None:
    provider, _, clock = retrying([RefusedRequestError("no")] * 30, takes=2.0)
    for _ in range(30):
        with pytest.raises(RefusedRequestError):
            provider.send(REQUEST)
    assert clock.now == 60.0
    assert provider.send(REQUEST) == REPLY
