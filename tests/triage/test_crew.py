from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from agent.case import Case
from agent.reviewer import Opinion
from errors import ModelError, RecordsError
from records.decisions import decisions_of
from records.docket.leases import Terms, claim
from records.docket.reading import DocketCase, read_docket
from records.ledger import entries_of, verify
from records.outbox import outbox_counts
from records.store import Records
from tests.triage.scenes import a_case, abstention_on, opinion_on, verdict_on
from triage.closing import NothingCloses
from triage.crew import Tally

Add = Callable[..., Any]
Run = Callable[..., Tally]


def states(records: Records) -> Counter[str]:
    return Counter(f"{case.state} {case.waits_for}" for case in read_docket(records))


def by_id(records: Records) -> dict[str, DocketCase]:
    return {case.case_id: case for case in read_docket(records)}


def test_every_case_ends_in_one_decision_with_its_record_and_its_message(
    records: Records, add: Add, run: Run
) -> None:
    add(records, *(a_case(number, account_id="u-1") for number in range(40)))

    tally = run(records)

    assert (tally.closed, tally.to_people, tally.dead) == (40, 0, 0)
    assert tally.cost == pytest.approx(0.04)
    for case in read_docket(records):
        (record,) = entries_of(records, case.case_id)
        assert (case.state, case.record) == ("decided", record.seq)
        assert record.payload["closing"] == {"closes": True, "because": "the test says so"}
    assert outbox_counts(records)["due"] == 40
    assert len(decisions_of(records, "u-1")) == 40
    assert verify(records).faults == []


def test_without_a_certificate_every_case_goes_on_to_a_person(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, a_case(1, account_id="u-1"))

    tally = run(sqlite_records, closing=NothingCloses())

    (case,) = read_docket(sqlite_records)
    assert (tally.closed, tally.to_people) == (0, 1)
    assert (case.state, case.waits_for, case.policy) == ("waiting", "person", "garden")
    assert "no certificate" in case.reason
    assert outbox_counts(sqlite_records) == {"due": 0, "sent": 0, "given up": 0}
    assert decisions_of(sqlite_records, "u-1") == ()


def test_an_abstention_is_closed_by_no_policy(sqlite_records: Records, add: Add, run: Run) -> None:
    add(sqlite_records, a_case(1))

    run(sqlite_records, lambda case: opinion_on(case, abstention_on(case, "ambiguous_content")))

    assert states(sqlite_records) == {"waiting person": 1}


def test_a_case_that_breaks_its_review_dies_alone(records: Records, add: Add, run: Run) -> None:
    add(records, *(a_case(number) for number in range(10)))

    def review(case: Case) -> Opinion:
        if case.id == "c-3":
            raise ZeroDivisionError("the \0 of it")
        return opinion_on(case)

    tally = run(records, review)

    assert (tally.closed, tally.dead, tally.failed_tries) == (9, 1, 2)
    dead = by_id(records)["c-3"]
    assert (dead.state, dead.tries) == ("dead", 3)
    assert dead.reason.startswith("ZeroDivisionError")
    assert entries_of(records, "c-3") == []


def test_content_that_no_longer_reads_as_a_case_is_the_cases_own_fault(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    from sqlalchemy import update

    from records.tables import docket_cases

    add(sqlite_records, a_case(1), a_case(2))
    with sqlite_records.writing() as connection:
        broken = update(docket_cases).where(docket_cases.c.case_id == "c-1")
        connection.execute(broken.values(content='{"id": "c-1", "old": 1}'))

    tally = run(sqlite_records)

    assert (tally.closed, tally.dead) == (1, 1)


def test_a_model_that_is_away_pauses_the_run_and_costs_no_case_a_try(
    sqlite_records: Records, add: Add, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.outage.FIRST_PAUSE", 0.05)
    add(sqlite_records, *(a_case(number) for number in range(12)))
    away_until = time.monotonic() + 0.8
    troubles: list[str] = []

    def review(case: Case) -> Opinion:
        if time.monotonic() < away_until:
            return opinion_on(case, abstention_on(case, "model_error"))
        return opinion_on(case)

    tally = run(sqlite_records, review, on_progress=lambda t: troubles.append(t.trouble))

    assert (tally.closed, tally.to_people, tally.dead) == (12, 0, 0)
    assert {case.tries for case in read_docket(sqlite_records)} == {1}
    assert any(troubles)
    assert tally.trouble == ""


def test_a_case_that_the_model_alone_cannot_answer_goes_to_a_person_with_its_abstention(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, *(a_case(number) for number in range(6)))

    def review(case: Case) -> Opinion:
        if case.id == "c-2":
            return opinion_on(case, abstention_on(case, "model_error"))
        return opinion_on(case)

    tally = run(sqlite_records, review, workers=1)

    assert (tally.closed, tally.to_people, tally.dead) == (5, 1, 0)
    left = by_id(sqlite_records)["c-2"]
    assert (left.state, left.waits_for, left.tries) == ("waiting", "person", 3)
    assert len(entries_of(sqlite_records, "c-2")) == 1


def test_records_that_fail_under_a_review_are_no_fault_of_the_case(
    sqlite_records: Records, add: Add, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.outage.FIRST_PAUSE", 0.05)
    add(sqlite_records, *(a_case(number) for number in range(8)))
    locked_until = time.monotonic() + 0.5

    def review(case: Case) -> Opinion:
        if time.monotonic() < locked_until:
            raise RecordsError("the accounts are locked")
        return opinion_on(case)

    tally = run(sqlite_records, review)

    assert (tally.closed, tally.dead) == (8, 0)
    assert {case.tries for case in read_docket(sqlite_records)} == {1}


def test_told_to_stop_a_crew_finishes_what_is_in_hand_and_gives_back_the_rest(
    records: Records, add: Add, run: Run
) -> None:
    add(records, *(a_case(number) for number in range(30)))
    stop = threading.Event()
    reviewed: list[str] = []

    def review(case: Case) -> Opinion:
        reviewed.append(case.id)
        stop.set()
        time.sleep(0.05)
        return opinion_on(case)

    tally = run(records, review, stop=stop, workers=2)

    assert tally.closed == len(reviewed) <= 8  # what the crew had at hand
    assert states(records) == {
        "decided machine": len(reviewed),
        "waiting machine": 30 - len(reviewed),
    }
    assert {case.tries for case in read_docket(records) if case.state == "waiting"} == {0}


def test_a_long_review_keeps_its_lease(sqlite_records: Records, add: Add, run: Run) -> None:
    add(sqlite_records, a_case(1))
    stolen: list[Any] = []

    def review(case: Case) -> Opinion:
        for _ in range(8):
            time.sleep(0.1)
            thief = Terms("thief", 60)
            stolen.extend(claim(sqlite_records, thief, limit=1, now=time.time()))
        return opinion_on(case)

    tally = run(sqlite_records, review, lease_seconds=0.4)

    assert stolen == []
    assert (tally.closed, tally.lost) == (1, 0)


def test_what_a_dead_crew_held_is_waited_for_and_done(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, a_case(1), a_case(2))
    claim(sqlite_records, Terms("dead crew", 0.5), limit=1, now=time.time())

    tally = run(sqlite_records)

    assert tally.closed == 2


def test_a_limit_takes_the_worst_cases_and_no_more(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    reported = {"reports": [{"reason": "offensive", "count": 50}]}
    add(sqlite_records, *(a_case(n) for n in range(9)), a_case(9, **reported))

    tally = run(sqlite_records, limit=1)

    assert tally.closed == 1
    assert by_id(sqlite_records)["c-9"].state == "decided"


def test_the_account_remembers_what_a_machine_decided_section_by_section(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, a_case(1, account_id="u-7"), a_case(2, account_id="u-7"))

    def review(case: Case) -> Opinion:
        if case.id == "c-2":
            allowed = {"decision": "allowed", "action": "none", "severity": None}
            return opinion_on(case, verdict_on(case, **allowed, violations=[]))
        return opinion_on(case)

    run(sqlite_records, review)

    made = {(d.case_id, d.decision, d.section) for d in decisions_of(sqlite_records, "u-7")}
    assert made == {("c-1", "violating", "garden.1"), ("c-2", "allowed", "")}


def test_other_failures_of_a_model_are_tries_of_the_case(
    sqlite_records: Records, add: Add, run: Run
) -> None:
    add(sqlite_records, a_case(1))

    def review(case: Case) -> Opinion:
        raise ModelError(f"{case.id} breaks the tokenizer")

    tally = run(sqlite_records, review)

    assert (tally.dead, tally.failed_tries) == (1, 2)
