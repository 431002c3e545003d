from __future__ import annotations

from datetime import UTC, datetime
from itertools import starmap

from records.decisions import Decision, add_decisions, decisions_of
from records.store import Records

FIRST, SECOND, THIRD = starmap(datetime, [(2026, 11, day, 0, 0, 0, 0, UTC) for day in (1, 2, 3)])


def test_decisions_come_back_the_latest_first(records: Records) -> None:
    early = Decision("c-1", "violating", FIRST, "spam.1", "limit", "medium")
    late = Decision("c-2", "allowed", THIRD)
    middle = Decision("c-3", "violating", SECOND, "hate.1", "remove", "high", overturned=True)
    add_decisions(records, "u-1", [early, late, middle])
    add_decisions(records, "u-2", [early])

    assert decisions_of(records, "u-1") == (late, middle, early)
    assert decisions_of(records, "u-9") == ()


def test_a_case_may_be_decided_under_several_sections(records: Records) -> None:
    both = [Decision("c-1", "violating", FIRST, section) for section in ("hate.1", "spam.1")]
    add_decisions(records, "u-1", both)

    assert decisions_of(records, "u-1") == tuple(both)


def test_a_decision_that_was_overturned_replaces_itself(records: Records) -> None:
    add_decisions(records, "u-1", [Decision("c-1", "violating", FIRST, "spam.1")])
    overturned = Decision("c-1", "violating", FIRST, "spam.1", overturned=True)
    add_decisions(records, "u-1", [overturned])

    assert decisions_of(records, "u-1") == (overturned,)
