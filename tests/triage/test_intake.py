from __future__ import annotations

import io
import json
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from errors import InputError
from records.docket.reading import read_docket
from records.store import Records
from tests.triage.scenes import NOW, Clock, a_case
from triage.intake import MOST_REFUSED, AddReport, Reading, add_cases
from triage.priority import Priority
from triage.reading_lines import MOST_BYTES, Lines, Piece, Rules, pieces
from triage.side_by_side import read_in_order

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


def some_pieces(number: int) -> Iterator[Piece]:
    rows = [a_case(n) if n % 7 else {"txt": n} for n in range(10 * number)]
    told = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return pieces(Lines(io.BytesIO(told), "cases"), 10, lambda: NOW)


def test_helpers_read_what_one_process_reads_in_the_same_order(priority: Priority) -> None:
    rules = Rules(priority, max_text_chars=1_000)

    alone = list(read_in_order(some_pieces(9), rules, helpers=1))
    helped = list(read_in_order(some_pieces(9), rules, alone=1, helpers=3))

    assert helped == alone
    assert sum(len(read.cases) for read in helped) + sum(len(r.faults) for r in helped) == 90
    assert helped[1].faults[0].startswith("cases:15: unknown field 'txt'")
    assert not multiprocessing.active_children()


def test_a_helper_that_dies_is_no_end_of_the_file(priority: Priority) -> None:
    rules = Rules(priority, max_text_chars=1_000)
    reading = read_in_order(some_pieces(30), rules, alone=1, helpers=2)
    next(reading)
    next(reading)
    for child in multiprocessing.active_children():
        child.kill()

    with pytest.raises(InputError, match="a process that read the file ended early"):
        list(reading)
    assert not multiprocessing.active_children()


def test_a_piece_ends_before_it_fills_the_memory() -> None:
    long = b'"' + b"x" * MOST_BYTES + b'"\n'
    found = list(pieces(Lines(io.BytesIO(long * 3 + b"{}\n" * 5), "cases"), 4, lambda: NOW))
    assert [(piece.first, len(piece.raw)) for piece in found] == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 4),
        (8, 1),
    ]
