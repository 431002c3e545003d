from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent.own_call import own_call
from policies.rulebook import Rulebook
from records.docket.leases import Terms, claim
from records.docket.people import Handover, hand_over, hold
from records.store import Records
from tests.triage.scenes import Clock, a_case
from triage.closing import NothingCloses
from triage.deciding import Ruling, decide
from triage.people import Person
from triage.status import duration, status_data, status_lines, status_of

ANN = Person("ann", 600.0)


@pytest.fixture
def busy(
    records: Records,
    add: Callable[..., Any],
    run: Callable[..., Any],
    village: Rulebook,
    clock: Clock,
) -> Records:
    """A docket with something in every place."""
    add(records, *(a_case(number) for number in range(4)))
    run(records, closing=NothingCloses(), clock=clock)
    ruling = Ruling(own_call("limit:garden.1", village), village)
    decide(records, "c-0", ANN, ruling, now=clock())
    hand_over(records, "c-1", ANN.terms, Handover("bob"), now=clock())
    hold(records, "c-2", ANN.terms, note="", now=clock())
    add(records, *(a_case(number) for number in range(10, 13)))
    claim(records, Terms("host:7", 60), limit=1, now=clock())
    clock.now += 100
    return records


def test_the_status_says_what_waits_for_whom(busy: Records, clock: Clock) -> None:
    status = status_of(busy, now=clock())

    assert (status.waiting, status.leased, status.decided, status.dead) == (4, 2, 1, 0)
    assert (status.machine.waiting, status.person.waiting) == (2, 2)
    assert status.machine.oldest_seconds == pytest.approx(100)
    assert (dict(status.reserved), dict(status.held)) == ({"bob": 1}, {"host:7": 1})
    assert status.resting == 1
    assert status.cost_usd == pytest.approx(0.004)
    assert dict(status.decisions) == {"violating": 1}
    assert dict(status.agreement) == {"agreed": 1, "differed": 0}
    assert status.outbox["due"] == 1


def test_the_status_says_how_fast_it_goes_and_when_it_is_empty(busy: Records, clock: Clock) -> None:
    status = status_of(busy, now=clock())

    assert status.machine.per_minute == pytest.approx(4 / 5, abs=0.01)
    assert status.machine.seconds_to_empty == pytest.approx(2 * 75)
    clock.now += 400
    assert status_of(busy, now=clock()).person.seconds_to_empty is None


def test_a_person_and_a_program_can_read_it(busy: Records, clock: Clock) -> None:
    clock.now += 10 * 86_400
    told = "\n".join(status_lines(status_of(busy, now=clock())))
    assert "4 waiting, 2 leased, 1 decided, 0 dead" in told
    assert "2 overdue" in told
    assert "1 wait for bob alone" in told

    data = json.loads(json.dumps(status_data(status_of(busy, now=clock()))))
    assert {"waiting", "leased", "decided", "dead", "cost_usd", "machine", "person"} <= data.keys()


def test_an_empty_docket_has_a_status(sqlite_records: Records) -> None:
    first = next(iter(status_lines(status_of(sqlite_records, now=0.0))))
    assert first.startswith("0 waiting")


def test_a_span_is_told_in_the_largest_unit_that_fits() -> None:
    assert [duration(s) for s in (5, 119, 7_000, 90_000)] == ["5 s", "119 s", "117 min", "25 h"]
