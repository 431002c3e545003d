from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from errors import InputError
from records.docket.entries import Closed, ForPerson, Lease, Loan, NewCase, Settlement
from records.docket.forgetting import forget_case_in
from records.docket.intake import take_in
from records.docket.leases import (
    CLOCK_SLIP,
    Terms,
    claim,
    claim_for_person,
    fail,
    hand_back,
    renew,
)
from records.docket.people import Handover, hand_over, hold, release, retry_dead, settle_one
from records.docket.reading import groups, holders, machine_work, pace, read_case, read_docket
from records.docket.settling import settle
from records.ledger import entries_of, verify
from records.outbox import collect
from records.store import Records, open_records
from records.verdicts import VerdictRecord

NOW = 1_800_000_000.0
WORKER = Terms("worker-1", 60.0, most_tries=3)
ANN = Terms("ann", 600.0)


def new(number: int, *, due: float = 0.0, fingerprint: str = "") -> NewCase:
    return NewCase(f"c-{number}", f'{{"text":"{number}"}}', fingerprint or f"h-{number}", NOW + due)


def add(records: Records, *cases: NewCase) -> None:
    take_in(records, cases or [new(1)], now=NOW)


def take(
    records: Records, *, limit: int = 10, at: float = 0.0, terms: Terms = WORKER
) -> list[Loan]:
    return claim(records, terms, limit=limit, now=NOW + at)


def closing(loan: Loan, **changes: Any) -> Settlement:
    case_id = loan.lease.case_id
    fields: dict[str, Any] = {
        "lease": loan.lease,
        "kind": "verdict",
        "record": VerdictRecord(case_id, {"of": case_id}),
        "outcome": Closed("allowed", "none", "machine"),
        "verdict": "{}",
        "event": {"type": "case.decided", "case_id": case_id},
    }
    return Settlement(**(fields | changes))


def for_a_person(loan: Loan, *, due: float = 0.0) -> Settlement:
    return closing(loan, outcome=ForPerson(NOW + due, "a doubt", "hate"))


def ids(loans: list[Loan]) -> list[str]:
    return [loan.lease.case_id for loan in loans]


def test_a_case_is_taken_in_once_however_often_it_is_sent(records: Records) -> None:
    first = take_in(records, [new(1), new(2), new(1)], now=NOW)
    second = take_in(records, [new(2), new(3)], now=NOW + 1)

    assert (first.new, first.known, first.refused) == (2, 1, ())
    assert (second.new, second.known, second.refused) == (1, 1, ())
    assert [case.case_id for case in read_docket(records)] == ["c-1", "c-2", "c-3"]


def test_the_same_id_with_other_content_is_refused_by_name(records: Records) -> None:
    add(records, new(1))

    intake = take_in(
        records, [new(1, fingerprint="other"), new(2), new(2, fingerprint="x")], now=NOW
    )

    assert (intake.new, intake.known, intake.refused) == (1, 0, ("c-1", "c-2"))
    kept = read_case(records, "c-1")
    assert kept is not None
    assert kept.content == '{"text":"1"}'


def test_content_of_any_kind_comes_back_as_it_went_in(records: Records) -> None:
    content = '{"text":"naïve \\u0000 \U0001f600 \\"quoted\\" \\\\ \'; DROP TABLE docket"}'
    take_in(records, [NewCase("c-ü", content, "h", NOW)], now=NOW)

    (loan,) = take(records)

    assert (loan.lease.case_id, loan.content) == ("c-ü", content)


def test_what_is_due_first_is_lent_first_and_to_one_holder_only(records: Records) -> None:
    add(records, new(1, due=30), new(2, due=10), new(3, due=20), new(4, due=10))

    assert ids(take(records, limit=3)) == ["c-2", "c-4", "c-3"]
    assert ids(take(records)) == ["c-1"]
    assert take(records) == []


def test_a_lease_that_ended_lets_the_case_be_lent_again(records: Records) -> None:
    add(records)
    take(records)

    assert take(records, at=59.9) == []
    (loan,) = take(records, at=60.0)
    assert (loan.lease.fence, loan.tries) == (2, 2)


def test_who_comes_late_is_kept_out_by_the_fence(records: Records) -> None:
    add(records)
    (late,) = take(records)
    (prompt,) = take(records, at=61)

    settled = settle(records, [closing(late)], now=NOW + 62)
    assert (settled.kept, settled.lost) == ((), (late.lease,))
    assert settle(records, [closing(prompt)], now=NOW + 63).kept == (prompt.lease,)

    assert len(entries_of(records, "c-1")) == 1
    assert settle(records, [closing(prompt)], now=NOW + 64).lost == (prompt.lease,)


def test_a_heartbeat_keeps_a_lease_and_tells_of_a_lost_one(records: Records) -> None:
    add(records, new(1), new(2))
    leases = [loan.lease for loan in take(records)]

    assert renew(records, leases, seconds=60, now=NOW + 50) == []
    assert take(records, at=100) == []
    stranger = Lease("c-1", 7)
    assert renew(records, [stranger, leases[1]], seconds=60, now=NOW + 100) == [stranger]


def test_what_is_handed_back_counts_as_no_try_and_can_rest(records: Records) -> None:
    add(records, new(1), new(2))
    first, second = take(records)

    hand_back(records, [first.lease])
    hand_back(records, [second.lease], rest_until=NOW + 30)

    assert [(loan.lease.case_id, loan.tries) for loan in take(records)] == [("c-1", 1)]
    assert ids(take(records, at=30)) == ["c-2"]
    assert settle(records, [closing(second)], now=NOW + 31).lost == (second.lease,)


def test_poison_is_dead_after_so_many_tries_and_can_be_revived(records: Records) -> None:
    add(records, new(1), new(2, due=1))
    died = []
    for turn in range(3):
        (loan,) = take(records, limit=1, at=10.0 * turn)
        assert loan.lease.case_id == "c-1"
        until = NOW + 10.0 * turn + 5
        died.append(fail(records, loan.lease, reason="boom", rest_until=until, most_tries=3))

    assert died == [False, False, True]
    dead = read_case(records, "c-1")
    assert dead is not None
    assert (dead.state, dead.reason, dead.tries) == ("dead", "boom", 3)
    assert ids(take(records, at=100)) == ["c-2"]
    assert retry_dead(records) == 1
    assert ids(take(records, at=101)) == ["c-1"]


def test_a_case_that_kills_every_worker_dies_in_the_end(records: Records) -> None:
    add(records)
    for turn in range(3):
        assert len(take(records, at=100.0 * turn)) == 1

    assert take(records, at=400) == []
    dead = read_case(records, "c-1")
    assert dead is not None
    assert dead.state == "dead"
    assert "without bringing it back" in dead.reason


def test_a_clock_set_back_keeps_no_case_for_ever(records: Records) -> None:
    add(records)
    take(records)
    hour_ago = -3600.0

    assert ids(take(records, at=hour_ago)) == ["c-1"]
    assert take(records, at=hour_ago + 30) == []
    assert take(records, at=hour_ago + 30 - CLOCK_SLIP + 1) == []


def test_verdict_record_state_and_message_are_written_together(records: Records) -> None:
    add(records, new(1), new(2))
    first, second = take(records)

    settled = settle(records, [closing(first), for_a_person(second, due=5)], now=NOW + 1)

    assert settled.lost == ()
    decided, passed_on = read_case(records, "c-1"), read_case(records, "c-2")
    assert decided is not None
    assert passed_on is not None
    assert (decided.state, decided.decided_by, decided.held_by) == ("decided", "machine", "")
    assert (passed_on.state, passed_on.waits_for, passed_on.reason) == (
        "waiting",
        "person",
        "a doubt",
    )
    (letter,) = collect(records, limit=9, now=NOW + 2, busy_until=NOW + 9)
    (entry,) = entries_of(records, "c-1")
    assert letter.key == entry.hash
    assert f'"record":{decided.record}' in letter.body
    assert verify(records).faults == []


def test_a_message_without_json_keeps_the_whole_batch_from_being_written(records: Records) -> None:
    add(records, new(1), new(2))
    first, second = take(records)
    bad = closing(second, event={"what": object()})

    with pytest.raises(TypeError):
        settle(records, [closing(first), bad], now=NOW)

    assert {case.state for case in read_docket(records)} == {"leased"}
    assert verify(records).entries == 0
    assert settle(records, [closing(first)], now=NOW).kept == (first.lease,)


def test_people_get_what_is_for_them_and_keep_what_they_have(records: Records) -> None:
    add(records, *(new(number) for number in range(1, 5)))
    settle(records, [for_a_person(loan, due=-loan.due) for loan in take(records, limit=3)], now=NOW)
    hand_over(records, "c-3", ANN, Handover("bob"), now=NOW)

    mine = claim_for_person(records, ANN, now=NOW + 1)
    again = claim_for_person(records, ANN, now=NOW + 2)
    assert mine is not None
    assert again is not None
    assert mine.lease.case_id == again.lease.case_id == "c-1"
    bob = Terms("bob", 600)
    got = []
    for _ in range(3):
        loan = claim_for_person(records, bob, now=NOW + 3)
        assert loan is not None
        got.append(loan.lease.case_id)
        settle(records, [closing(loan)], now=NOW + 3)
    assert sorted(got) == ["c-2", "c-3", "c-4"]
    assert claim_for_person(records, bob, now=NOW + 4) is None


def test_a_case_on_hold_comes_back_to_whom_it_belongs(records: Records) -> None:
    add(records)
    hold(records, "c-1", Terms("ann", 3600), note="asked the author", now=NOW)

    assert claim_for_person(records, ANN, now=NOW + 1) is None
    assert take(records, at=4000) == []
    assert claim_for_person(records, Terms("bob", 60), now=NOW + 4000) is None
    back = claim_for_person(records, ANN, now=NOW + 4001)
    assert back is not None
    assert back.reason == "asked the author"


def test_what_somebody_else_holds_cannot_be_decided(records: Records) -> None:
    add(records)
    take(records)
    with pytest.raises(InputError, match="held by 'worker-1'"):
        settle_one(records, "c-1", ANN, closing, now=NOW + 1)
    with pytest.raises(InputError, match="ann does not hold"):
        release(records, "c-1", "ann")
    with pytest.raises(InputError, match="holds no case 'c-9'"):
        settle_one(records, "c-9", ANN, closing, now=NOW + 1)

    settle_one(records, "c-1", ANN, closing, now=NOW + 100)

    with pytest.raises(InputError, match="decided already"):
        settle_one(records, "c-1", ANN, closing, now=NOW + 101)


def test_the_docket_can_be_counted(records: Records) -> None:
    add(records, *(new(number, due=number) for number in range(6)))
    loans = take(records, limit=3)
    settle(records, [closing(loans[0], cost=0.5), for_a_person(loans[1])], now=NOW + 10)

    counted = {(g.state, g.waits_for): (g.cases, g.overdue) for g in groups(records, now=NOW + 4.5)}
    assert counted == {
        ("decided", "machine"): (1, 1),
        ("leased", "machine"): (1, 1),
        ("waiting", "machine"): (3, 2),
        ("waiting", "person"): (1, 1),
    }
    lately = pace(records, since=NOW)
    assert (lately.decided, lately.opinions, lately.decisions) == (1, 2, {"allowed": 1})
    assert holders(records) == {"worker-1": 1}
    assert machine_work(records)


@pytest.mark.postgres
def test_two_workers_share_one_postgresql_without_waiting_or_meeting(
    postgres_url: str, home: Path
) -> None:
    with open_records(postgres_url, home=home) as records:
        take_in(records, [new(number, due=number % 7) for number in range(600)], now=NOW)
        got: dict[str, list[str]] = {"a": [], "b": []}

        def empty(name: str) -> None:
            while loans := claim(records, Terms(name, 60), limit=7, now=NOW):
                got[name] += ids(loans)

        threads = [threading.Thread(target=empty, args=(name,)) for name in got]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(got["a"]) + len(got["b"]) == 600
        assert len({*got["a"], *got["b"]}) == 600
        assert min(map(len, got.values())) > 0


def test_threads_that_settle_at_once_write_one_chain(records: Records) -> None:
    take_in(records, [new(number) for number in range(120)], now=NOW)

    def work(name: str) -> None:
        terms = Terms(name, 60)
        while loans := claim(records, terms, limit=10, now=NOW):
            settle(records, [closing(loan) for loan in reversed(loans)], now=NOW)

    threads = [threading.Thread(target=work, args=(f"w-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    report = verify(records)
    assert (report.entries, report.faults) == (120, [])
    assert {case.state for case in read_docket(records)} == {"decided"}


def test_what_was_posted_can_be_forgotten_once_the_case_is_over(records: Records) -> None:
    add(records, new(1), new(2))
    first, _ = take(records)
    settle(records, [closing(first)], now=NOW)

    with records.writing() as connection:
        forgotten = [forget_case_in(connection, name) for name in ("c-1", "c-1", "c-2", "c-9")]

    assert forgotten == [1, 0, 0, 0]
    case, still_open = read_case(records, "c-1"), read_case(records, "c-2")
    assert case is not None
    assert still_open is not None
    assert case.content == '{"id": "c-1", "text": "(forgotten on request)"}'
    assert (case.state, case.verdict) == ("decided", None)
    assert still_open.content == '{"text":"2"}'
    assert take_in(records, [new(1)], now=NOW).known == 1


def test_the_next_case_is_found_by_the_index_however_many_wait(sqlite_records: Records) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if "chosen" in statement or "held_until <=" in statement:
            asked.append((statement, values))

    event.listen(sqlite_records.engine, "before_cursor_execute", listen)
    add(sqlite_records, *(new(number, due=number) for number in range(500)))
    take(sqlite_records, limit=5)
    event.remove(sqlite_records.engine, "before_cursor_execute", listen)

    assert len(asked) == 2
    with sqlite_records.reading() as connection:
        for statement, values in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            plan = " | ".join(row[3] for row in rows)
            assert "USING INDEX docket_in_order" in plan or "docket_on_loan" in plan
            assert "TEMP B-TREE" not in plan
            assert "SCAN docket |" not in f"{plan} |"
