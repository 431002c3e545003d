from __future__ import annotations

from collections.abc import Callable
from typing import Any

from records.decisions import decisions_of
from records.docket.reading import DocketCase, read_docket
from records.ledger import entries_of, verify
from records.outbox import outbox_counts
from records.store import Records
from tests.triage.scenes import a_case
from triage.crew import Tally

Add = Callable[..., Any]


def by_id(records: Records) -> dict[str, DocketCase]:
    return {case.case_id: case for case in read_docket(records)}


def test_every_case_ends_in_one_decision_with_its_record_and_its_message(
    records: Records, add: Add, run: Callable[..., Tally]
) -> None:
    add(records, *(a_case(n, account_id="u-1") for n in range(40)))

    tally = run(records)

    assert (tally.closed, tally.to_people, tally.dead) == (40, 0, 0)
    assert {case.state for case in read_docket(records)} == {"decided"}
    for number in range(40):
        (record,) = entries_of(records, f"c-{number}")
        assert record.payload["closing"] == {"closes": True, "because": "the test says so"}
        assert by_id(records)[f"c-{number}"].record == record.seq if number == 7 else True
    assert outbox_counts(records)["due"] == 40
    assert len(decisions_of(records, "u-1")) == 40
    assert verify(records).faults == []
