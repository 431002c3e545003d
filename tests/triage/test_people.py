from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.own_call import own_call
from errors import InputError, UsageError
from policies.rulebook import Rulebook
from records.decisions import decisions_of
from records.docket.entries import Loan
from records.docket.leases import claim_for_person
from records.docket.people import hand_over, release
from records.docket.reading import DocketCase, read_case
from records.ledger import entries_of, latest
from records.outbox import Letter, collect
from records.precedents import find_precedents
from records.store import Records
from tests.triage.scenes import NOW, Clock, a_case
from triage.closing import NothingCloses
from triage.deciding import Ruling, as_golden, decide, overturn_decision
from triage.people import Person, Presented, asking, next_case, say_own_call

ANN, BOB = Person("ann", 600.0), Person("bob", 600.0)


@pytest.fixture
def docket(sqlite_records: Records, add: Callable[..., Any], run: Callable[..., Any]) -> Records:
    """A case that waits for a person, with an opinion: limit under garden.1."""
    add(sqlite_records, a_case(1, account_id="u-1"))
    run(sqlite_records, closing=NothingCloses())
    return sqlite_records


@pytest.fixture
def ruling(village: Rulebook) -> Callable[..., Ruling]:
    """What a person says, under the village's rules."""
    return lambda said, note="": Ruling(own_call(said, village), village, note)


def found(records: Records) -> DocketCase:
    case = read_case(records, "c-1")
    assert case is not None
    return case


def taken(records: Records, person: Person = ANN) -> Presented:
    shown = next_case(records, person, now=NOW)
    assert shown is not None
    return shown


def letters(records: Records) -> list[Letter]:
    return collect(records, limit=9, now=NOW + 1e6, busy_until=NOW + 2e6)


def test_a_persons_decision_closes_the_case_and_is_remembered_everywhere(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    taken(docket)

    action = decide(docket, "c-1", ANN, ruling("violating:garden.1", "clear"), now=NOW)

    assert action == "limit"
    case = found(docket)
    assert (case.state, case.decided_by, case.agrees) == ("decided", "person", True)
    (made,) = decisions_of(docket, "u-1")
    assert (made.section, made.severity, made.action) == ("garden.1", "medium", "limit")
    precedent = find_precedents(docket, ["c-1"])["c-1"]
    assert (precedent.decision, precedent.section, precedent.note) == (
        "violating",
        "garden.1",
        "clear",
    )
    (letter,) = letters(docket)
    assert '"decided_by":"person"' in letter.body
    assert "rose" not in letter.body
    record = latest(docket, "c-1", "decision")
    assert record is not None
    assert record.payload["by"] == "ann"


def test_an_acquittal_is_a_precedent_for_the_section_that_the_machine_named(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    decide(docket, "c-1", ANN, ruling("allowed"), now=NOW)

    assert found(docket).agrees is False
    precedent = find_precedents(docket, ["c-1"])["c-1"]
    assert (precedent.decision, precedent.section) == ("allowed", "garden.1")
    assert decisions_of(docket, "u-1")[0].decision == "allowed"


def test_the_own_call_is_kept_before_the_opinion_is_seen(
    docket: Records, ruling: Callable[..., Ruling], village: Rulebook
) -> None:
    shown = taken(docket)
    say_own_call(docket, shown, ANN, own_call("allowed", village), now=NOW)

    decide(docket, "c-1", ANN, ruling("limit:garden.1"), now=NOW + 1)

    kinds = [entry.kind for entry in entries_of(docket, "c-1")]
    assert kinds == ["verdict", "own call", "decision"]
    own, decision = entries_of(docket, "c-1")[1:]
    assert own.payload["agreement"] == {
        "with": "allowed",
        "agrees": False,
        "differs_on": ["decision"],
    }
    assert decision.payload["own_call"] == "allowed"


def test_a_colleague_who_is_asked_does_not_learn_the_first_call(
    docket: Records, village: Rulebook
) -> None:
    shown = taken(docket)
    say_own_call(docket, shown, ANN, own_call("allowed", village), now=NOW)
    handover = asking(ANN, to="bob", note="is it satire?")
    hand_over(docket, "c-1", ANN.terms, handover, now=NOW + 1)

    assert next_case(docket, ANN, now=NOW + 2) is None
    second = taken(docket, BOB)
    assert (second.loan.own_call, second.loan.reason) == (None, "is it satire?")
    asked = latest(docket, "c-1", "asked")
    assert asked is not None
    assert asked.payload == {"by": "ann", "to": "bob", "note": "is it satire?"}


def test_what_is_released_is_anybodys_again(docket: Records) -> None:
    taken(docket)
    assert next_case(docket, BOB, now=NOW) is None

    release(docket, "c-1", "ann")

    assert taken(docket, BOB).case.id == "c-1"


@pytest.mark.parametrize("said", ["abstain", "escalate"])
def test_a_call_that_decides_nothing_is_refused(
    docket: Records, ruling: Callable[..., Ruling], said: str
) -> None:
    with pytest.raises(UsageError, match="decides nothing"):
        decide(docket, "c-1", ANN, ruling(said), now=NOW)
    assert found(docket).state == "waiting"


def test_nobody_is_condemned_without_a_section(
    sqlite_records: Records, add: Callable[..., Any], ruling: Callable[..., Ruling]
) -> None:
    add(sqlite_records, a_case(1))

    with pytest.raises(UsageError, match="names no section"):
        decide(sqlite_records, "c-1", ANN, ruling("remove"), now=NOW)


def test_a_case_is_decided_once(docket: Records, ruling: Callable[..., Ruling]) -> None:
    decide(docket, "c-1", ANN, ruling("allowed"), now=NOW)

    with pytest.raises(InputError, match="decided already, by a person"):
        decide(docket, "c-1", BOB, ruling("remove:garden.1"), now=NOW)
    assert len(letters(docket)) == 1


def test_an_overturned_decision_marks_what_came_of_it(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    decide(docket, "c-1", ANN, ruling("remove:garden.1"), now=NOW)
    with pytest.raises(InputError, match="holds no case"):
        overturn_decision(docket, "c-9", BOB, ruling("allowed"), now=NOW)

    overturn_decision(docket, "c-1", BOB, ruling("allowed", "an old joke"), now=NOW + 5)

    case = found(docket)
    assert (case.decision, case.action, case.overturned) == ("allowed", "none", True)
    assert find_precedents(docket, ["c-1"])["c-1"].overturned
    violating = [d for d in decisions_of(docket, "u-1") if d.decision == "violating"]
    assert [d.overturned for d in violating] == [True]
    assert [entry.kind for entry in entries_of(docket, "c-1")] == [
        "verdict",
        "decision",
        "overturned",
    ]
    assert sorted("overturned" in letter.body for letter in letters(docket)) == [False, True]
    golden = as_golden(case)
    assert golden is not None
    assert golden["expected"] == {"decision": "allowed", "sections": []}


def test_an_open_case_cannot_be_overturned(docket: Records, ruling: Callable[..., Ruling]) -> None:
    with pytest.raises(InputError, match="is not decided"):
        overturn_decision(docket, "c-1", BOB, ruling("allowed"), now=NOW)
    assert as_golden(found(docket)) is None


def test_a_person_can_take_what_no_machine_has_seen(
    sqlite_records: Records, add: Callable[..., Any], clock: Clock
) -> None:
    add(sqlite_records, a_case(1))

    shown = next_case(sqlite_records, ANN, now=clock())

    assert shown is not None
    assert shown.verdict is None
    loan: Loan | None = claim_for_person(sqlite_records, BOB.terms, now=clock())
    assert loan is None


def test_the_time_that_people_had_a_case_is_added_up(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    taken(docket)
    hand_over(docket, "c-1", BOB.terms, asking(BOB, to="bob", note=""), now=NOW + 1e4)
    assert found(docket).person_seconds is None  # ann never brought it back: nobody knows
    assert next_case(docket, BOB, now=NOW + 2e4) is not None
    assert next_case(docket, BOB, now=NOW + 2e4 + 40) is not None  # opened once more

    decide(docket, "c-1", BOB, ruling("allowed"), now=NOW + 2e4 + 100)

    assert found(docket).person_seconds == pytest.approx(100)


def test_nobody_works_longer_than_their_lease(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    taken(docket)

    decide(docket, "c-1", ANN, ruling("allowed"), now=NOW + 50_000)

    assert found(docket).person_seconds == pytest.approx(ANN.lease_seconds)


def test_an_overturned_decision_keeps_who_made_it_first(
    docket: Records, ruling: Callable[..., Ruling]
) -> None:
    decide(docket, "c-1", ANN, ruling("allowed"), now=NOW)
    assert found(docket).first_decided_by is None
    assert found(docket).person_seconds is None  # decided without being taken
    for call in ("remove:garden.1", "allowed"):
        overturn_decision(docket, "c-1", BOB, ruling(call), now=NOW + 1)

    assert found(docket).first_decided_by == "person"
