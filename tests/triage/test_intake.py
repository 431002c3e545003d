from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from records.docket.reading import read_docket
from records.store import Records
from tests.triage.scenes import Clock, a_case
from triage.intake import MOST_REFUSED, AddReport, Lines, Reading, add_cases
from triage.priority import Priority

Add = Callable[..., AddReport]


def ids(records: Records) -> list[str]:
    return [case.case_id for case in read_docket(records)]


def test_a_file_can_be_added_again_after_it_was_cut_off(
    records: Records, priority: Priority, clock: Clock
) -> None:
    told = "".join(json.dumps(a_case(number)) + "\n" for number in range(50)).encode()
    reading = Reading(priority, clock, max_text_chars=1_000)

    class CutOff(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell() > len(told) // 2:
                raise KeyboardInterrupt
            return super().readline(size)

    with pytest.raises(KeyboardInterrupt):
        add_cases(records, Lines(CutOff(told), "cases"), reading, batch=10)
    there = len(ids(records))
    assert 10 <= there < 50

    report = add_cases(records, Lines(io.BytesIO(told), "cases"), reading, batch=10)

    assert (report.new, report.known, report.refused) == (50 - there, there, 0)
    assert len(ids(records)) == 50


def test_a_bad_line_keeps_no_other_case_out_and_is_named(sqlite_records: Records, add: Add) -> None:
    report = add(
        sqlite_records,
        a_case(1),
        "not json",
        {"id": "c-2", "txt": "a slip"},
        "",
        {"id": "c-3", "text": "x" * 1_001},
        '{"id": "c-4", "text": "half \\ud83d"}',
        '{"id": "c-5", "text": "a", "text": "b"}',
        a_case(6),
    )

    assert ids(sqlite_records) == ["c-1", "c-6"]
    assert (report.new, report.refused, report.lines) == (2, 5, 7)
    said = " | ".join(report.faults)
    for words in (
        "cases.jsonl:2: not JSON",
        "jsonl:3: unknown field 'txt'",
        "jsonl:5: text has",
        "jsonl:6: 'text' holds half",
        "jsonl:7: the field 'text' stands twice",
    ):
        assert words in said


def test_the_same_id_with_other_words_is_refused_by_name(sqlite_records: Records, add: Add) -> None:
    add(sqlite_records, a_case(1))

    report = add(sqlite_records, a_case(1, text="Something else."), a_case(1))

    assert (report.new, report.known, report.refused) == (0, 1, 1)
    assert report.faults == ["cases.jsonl: the id 'c-1' is in the docket with other content"]


def test_the_order_of_fields_makes_no_other_case(sqlite_records: Records, add: Add) -> None:
    fields = {**a_case(1), "meta": {"b": 1, "a": {"d": 2, "c": 3}}, "reach": 5}
    add(sqlite_records, fields)

    turned: dict[str, Any] = dict(reversed(fields.items()))
    turned["meta"] = {"a": {"c": 3, "d": 2}, "b": 1}
    assert add(sqlite_records, turned).known == 1


def test_a_case_without_an_id_is_known_by_its_content(sqlite_records: Records, add: Add) -> None:
    assert add(sqlite_records, {"text": "nameless"}, {"text": "other"}).new == 2
    assert add(sqlite_records, {"text": "nameless"}).known == 1


def test_what_is_refused_a_thousandfold_is_counted_not_kept(
    sqlite_records: Records, add: Add
) -> None:
    report = add(sqlite_records, *["{"] * (MOST_REFUSED + 5))

    assert (report.refused, len(report.faults)) == (MOST_REFUSED + 5, MOST_REFUSED)
