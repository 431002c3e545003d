from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.llm.exchange import Deadline, OutOfTimeError
from agent.llm.limiter import Limiter, Pacing
from tests.wire.pace import RateLimit, Telling, WindowLimit
from tests.wire.rehearsal import Rehearsal

LATENCY = 0.2
MINUTE = 60.0
CHANGING = [(0.0, 50.0), (20.0, 25.0), (40.0, 80.0)]


def constant(_: random.Random) -> float:
    return LATENCY


def log_normal(drawn: random.Random) -> float:
    return drawn.lognormvariate(math.log(LATENCY) - 0.5**2 / 2, 0.5)


either_latency = pytest.mark.parametrize("latency", [constant, log_normal])
either_size = pytest.mark.parametrize("workers", [16, 64])


@either_latency
@either_size
@pytest.mark.parametrize("tells", ["nothing", "milliseconds"])
def test_a_hidden_limit_that_changes_is_used_to_nine_tenths_with_few_refusals(
    workers: int, latency: Callable[[random.Random], float], tells: Telling
) -> None:
    limit = RateLimit(CHANGING, burst=10, tells=tells)
    run = Rehearsal(Pacing(workers), limit, workers, latency).run(MINUTE)
    assert run.answered >= 0.9 * limit.ideal(MINUTE)
    assert run.refused <= 0.1 * run.answered
    assert run.most_tries < 8


@either_latency
@either_size
def test_a_window_that_slides_is_used_nearly_as_well(
    workers: int, latency: Callable[[random.Random], float]
) -> None:
    limit = WindowLimit(CHANGING)
    run = Rehearsal(Pacing(workers), limit, workers, latency).run(MINUTE)
    assert run.answered >= 0.85 * limit.ideal(MINUTE)
    assert run.refused <= 0.12 * run.answered


@either_latency
def test_whole_seconds_of_waiting_still_leave_most_of_the_limit(
    latency: Callable[[random.Random], float],
) -> None:
    limit = RateLimit(CHANGING, burst=50, tells="seconds")
    run = Rehearsal(Pacing(16), limit, 16, latency).run(MINUTE)
    assert run.answered >= 0.85 * limit.ideal(MINUTE)
    assert run.refused <= 0.02 * run.answered


@either_size
def test_without_a_limit_every_worker_is_busy(workers: int) -> None:
    run = Rehearsal(Pacing(workers), None, workers, constant).run(MINUTE)
    assert run.answered >= 0.98 * workers * MINUTE / LATENCY


def test_a_provider_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    pacing = Pacing(4)
    pacing.started(0.0)
    pacing.refused(0.0, 0.1, retry_after=7.0)
    assert pacing.wait(0.1) == 7.0
    assert pacing.wait(7.1) == 0.0


def test_nobody_waits_longer_than_allowed_because_a_provider_says_so() -> None:
    pacing = Pacing(4, longest_pause=30.0)
    pacing.started(0.0)
    pacing.refused(0.0, 0.0, retry_after=86_400.0)
    assert pacing.wait(0.0) == 30.0


def test_refusals_of_requests_that_were_on_their_way_together_slow_down_once() -> None:
    pacing = Pacing(8)
    for _ in range(8):
        pacing.started(0.0)
    pacing.refused(0.0, 0.1, None)
    slowed = pacing.rate
    for _ in range(7):
        pacing.refused(0.0, 0.1, None)
    assert pacing.rate == slowed
    assert pacing.in_flight == 0


def test_a_refusal_slows_down_by_a_tenth_and_answers_make_up_for_it_in_equal_steps() -> None:
    pacing = Pacing(8, rate=10.0)
    pacing.started(0.0)
    pacing.refused(0.0, 0.1, None)
    rates = [pacing.rate or 0.0]
    for _ in range(3):
        pacing.started(1.0)
        pacing.answered(1.0, 1.2)
        rates.append(pacing.rate or 0.0)
    steps = [after - before for before, after in itertools.pairwise(rates)]
    assert rates[0] == pytest.approx(9.0)
    assert steps == pytest.approx([steps[0]] * 3)
    assert steps[0] > 0


def test_threads_never_exceed_the_ceiling_and_all_get_through() -> None:
    limiter = Limiter(3)
    now_in = 0
    most = 0
    lock = threading.Lock()

    def ask(_: int) -> None:
        nonlocal now_in, most
        started = limiter.start()
        with lock:
            now_in += 1
            most = max(most, now_in)
        time.sleep(0.002)
        with lock:
            now_in -= 1
        limiter.answered(started)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(ask, range(60)))
    assert most == 3


def test_a_thread_whose_time_is_over_gives_its_place_to_the_next() -> None:
    limiter = Limiter(1)
    started = limiter.start()
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(limiter.start, Deadline(time.monotonic() + 0.02))
        with pytest.raises(OutOfTimeError):
            late.result()
        patient = threads.submit(limiter.start)
        limiter.failed(started)
        assert patient.result(timeout=5) >= started


def test_who_cannot_start_before_the_deadline_is_told_at_once() -> None:
    limiter = Limiter(1, clock=lambda: 100.0)
    limiter.refused(limiter.start(), retry_after=60.0)
    with pytest.raises(OutOfTimeError):
        limiter.start(Deadline(130.0))
