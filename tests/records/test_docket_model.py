"""The docket against a plain model: whatever is done in whatever order, both say the same."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from records.docket.entries import Closed, ForPerson, Lease, NewCase, Settlement
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
from records.docket.people import retry_dead
from records.docket.reading import read_docket
from records.docket.settling import settle
from records.ledger import entries_of, verify
from records.store import Records
from records.tables import docket, docket_cases, docket_opinions, outbox
from records.verdicts import VerdictRecord

MOST_TRIES = 3
SECONDS = 60.0
NUMBERS = st.integers(0, 5)
PEOPLE = st.sampled_from(["ann", "bob"])
_runs = itertools.count()


@dataclass
class Expected:
    """A case as the model has it."""

    due: float
    fingerprint: str
    state: str = "waiting"
    waits_for: str = "machine"
    tries: int = 0
    fence: int = 0
    holder: str = ""
    since: float = 0.0
    until: float = 0.0


class Model:
    """What the docket promises, without a database."""

    def __init__(self) -> None:
        self.cases: dict[str, Expected] = {}

    def add(self, case_id: str, fingerprint: str, due: float) -> str:
        known = self.cases.setdefault(case_id, Expected(due, fingerprint))
        return "taken" if known.fingerprint == fingerprint else "refused"

    def expire(self, now: float) -> None:
        for case in self.cases.values():
            if case.state != "leased":
                continue
            if case.until <= now or case.since > now + CLOCK_SLIP:
                worn_out = case.tries >= MOST_TRIES and case.waits_for == "machine"
                case.state, case.holder = ("dead" if worn_out else "waiting"), ""

    def first(self, desk: str, limit: int) -> list[str]:
        waiting = [
            (case.due, case_id)
            for case_id, case in self.cases.items()
            if case.state == "waiting" and case.waits_for == desk
        ]
        return [case_id for _, case_id in sorted(waiting)[:limit]]

    def lend(self, case_id: str, holder: str, now: float, *, counts: bool) -> Lease:
        case = self.cases[case_id]
        case.state, case.holder, case.fence = "leased", holder, case.fence + 1
        case.since, case.until = now, now + SECONDS
        case.tries += counts
        return Lease(case_id, case.fence)

    def held(self, lease: Lease) -> Expected | None:
        case = self.cases[lease.case_id]
        return case if case.state == "leased" and case.fence == lease.fence else None


class DocketMachine(RuleBasedStateMachine):
    """Does the same to the docket and to the model."""

    def __init__(self, records: Records) -> None:
        super().__init__()
        self.records = records
        self.prefix = f"r{next(_runs)}-"
        self.model = Model()
        self.leases: list[Lease] = []
        self.now = 1_800_000_000.0
        with records.writing() as connection:
            for table in (docket, docket_cases, docket_opinions, outbox):
                connection.execute(delete(table))

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=4), variant=st.integers(0, 3))
    def add(self, numbers: list[int], variant: int) -> None:
        """Cases come, some again, now and then with other content."""
        fingerprint = "other" if variant == 0 else "same"
        batch = [
            NewCase(f"{self.prefix}{n}", "{}", fingerprint, self.now + 10.0 * n) for n in numbers
        ]
        before = len(self.model.cases)
        said = [self.model.add(case.case_id, case.fingerprint, case.due) for case in batch]
        intake = take_in(self.records, batch, now=self.now)
        assert intake.new == len(self.model.cases) - before
        assert len(intake.refused) == said.count("refused")
        assert intake.new + intake.known + len(intake.refused) == len(batch)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        """A worker takes cases."""
        terms = Terms("worker", SECONDS, most_tries=MOST_TRIES)
        self.model.expire(self.now)
        wanted = self.model.first("machine", limit)
        leases = [self.model.lend(c, "worker", self.now, counts=True) for c in wanted]
        loans = claim(self.records, terms, limit=limit, now=self.now)
        assert [loan.lease for loan in loans] == leases
        self.leases += leases

    @rule(person=PEOPLE)
    def take(self, person: str) -> None:
        """A person takes the case that most needs one."""
        self.model.expire(self.now)
        mine = [
            (case.due, case_id)
            for case_id, case in self.model.cases.items()
            if case.state == "leased" and case.holder == person
        ]
        first = [case_id for _, case_id in sorted(mine)[:1]]
        wanted = first or self.model.first("person", 1) or self.model.first("machine", 1)
        leases = [self.model.lend(c, person, self.now, counts=False) for c in wanted]
        terms = Terms(person, SECONDS, most_tries=MOST_TRIES)
        loan = claim_for_person(self.records, terms, now=self.now)
        assert ([] if loan is None else [loan.lease]) == leases
        self.leases += leases

    @rule(data=st.data(), closes=st.booleans())
    def settle(self, data: st.DataObject, *, closes: bool) -> None:
        """Somebody brings work back, perhaps too late."""
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        outcome: Closed | ForPerson = Closed("allowed", "none", "machine")
        if not closes:
            outcome = ForPerson(self.now, "a doubt")
        case = self.model.held(lease)
        settled = settle(self.records, [_settlement(lease, outcome)], now=self.now)
        assert settled.kept == (() if case is None else (lease,))
        if case is not None:
            case.holder = ""
            if closes:
                case.state = "decided"
            else:
                case.state, case.waits_for, case.due = "waiting", "person", self.now

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        """A heartbeat."""
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        case = self.model.held(lease)
        lost = renew(self.records, [lease], seconds=SECONDS, now=self.now)
        assert lost == ([lease] if case is None else [])
        if case is not None:
            case.since, case.until = self.now, self.now + SECONDS

    @rule(data=st.data(), rests=st.booleans())
    def hand_back(self, data: st.DataObject, *, rests: bool) -> None:
        """Work is given back undone."""
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        until = self.now + 30 if rests else None
        hand_back(self.records, [lease], rest_until=until)
        case = self.model.held(lease)
        if case is not None:
            case.tries, case.fence, case.holder = case.tries - 1, case.fence + 1, ""
            if until is None:
                case.state = "waiting"
            else:
                case.until = until

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A review fails."""
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        until = self.now + 30
        died = fail(self.records, lease, reason="boom", rest_until=until, most_tries=MOST_TRIES)
        case = self.model.held(lease)
        assert died == (case is not None and case.tries >= MOST_TRIES)
        if case is not None:
            case.holder = ""
            if died:
                case.state = "dead"
            else:
                case.until, case.fence = until, case.fence + 1

    @rule()
    def retry(self) -> None:
        """Somebody revives what is dead."""
        dead = [case for case in self.model.cases.values() if case.state == "dead"]
        assert retry_dead(self.records) == len(dead)
        for case in dead:
            case.state, case.waits_for, case.tries = "waiting", "machine", 0

    @rule(seconds=st.sampled_from([1.0, 29.0, 31.0, 61.0, -20.0, -1_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Time goes by, or the clock is set back."""
        self.now += seconds

    @invariant()
    def both_say_the_same(self) -> None:
        """State, desk, order, holder, fence and tries of every case."""
        with self.records.reading() as connection:
            rows = connection.execute(select(docket)).all()
        told = {r.case_id: (r.state, r.waits_for, r.due, r.held_by, r.fence, r.tries) for r in rows}
        assert told == {
            case_id: (c.state, c.waits_for, c.due, c.holder, c.fence, c.tries)
            for case_id, c in self.model.cases.items()
        }

    def teardown(self) -> None:
        """Every decision has one record, which it names, and one message; the chain is whole."""
        with self.records.reading() as connection:
            told = Counter(connection.execute(select(outbox.c.case_id)).scalars())
        decided = [case for case in read_docket(self.records) if case.state == "decided"]
        assert told == Counter(case.case_id for case in decided)
        for case in decided:
            closings = [e for e in entries_of(self.records, case.case_id) if e.payload["closes"]]
            assert [entry.seq for entry in closings] == [case.record]
        assert verify(self.records).faults == []


def _settlement(lease: Lease, outcome: Closed | ForPerson) -> Settlement:
    payload: dict[str, Any] = {"closes": isinstance(outcome, Closed)}
    record = VerdictRecord(lease.case_id, payload)
    return Settlement(lease, "verdict", record, outcome, verdict="{}")


@pytest.mark.slow
def test_the_docket_does_what_a_plain_model_says(records: Records) -> None:
    few = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    class Bound(DocketMachine):
        def __init__(self) -> None:
            super().__init__(records)

    run_state_machine_as_test(Bound, settings=few)
