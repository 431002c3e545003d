from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from errors import InputError
from records.imports import BadRow, ImportReport
from records.precedents import Precedent, add_precedents, find_precedents, precedents
from records.store import Records
from tests.records.files import jsonl, lines_of, written

ROW = {
    "case_id": "p-1",
    "text": "buy followers here",
    "decision": "violating",
    "section": "spam.1",
    "decided_at": "2026-11-01T00:00:00Z",
    "note": "bought reach",
}
VERSIONS = {"spam.1": "sha256:old", "hate.1": "sha256:h"}
REWRITTEN = VERSIONS | {"spam.1": "sha256:new"}


def test_a_precedent_is_bound_to_the_present_version_of_its_section(
    records: Records, folder: Path
) -> None:
    report = add_precedents(records, jsonl(folder, ROW), version_of=VERSIONS.get)

    assert report == ImportReport(new=1)
    assert list(precedents(records)) == [
        Precedent(
            case_id="p-1",
            text="buy followers here",
            decision="violating",
            section="spam.1",
            section_version="sha256:old",
            decided_at=datetime(2026, 11, 1, tzinfo=UTC),
            note="bought reach",
            overturned=False,
        )
    ]


def test_a_precedent_keeps_the_version_it_names(records: Records) -> None:
    add_precedents(records, [ROW | {"section_version": "sha256:1"}], version_of=VERSIONS.get)

    assert [found.section_version for found in precedents(records)] == ["sha256:1"]


def test_adding_a_precedent_again_does_not_bind_it_to_the_new_wording(records: Records) -> None:
    add_precedents(records, [ROW], version_of=VERSIONS.get)

    for replace in (False, True):
        report = add_precedents(records, [ROW], version_of=REWRITTEN.get, replace=replace)
        assert report == ImportReport(unchanged=1)
    assert [found.section_version for found in precedents(records)] == ["sha256:old"]


@pytest.mark.parametrize(
    "other", [{"text": "another"}, {"decision": "allowed"}, {"section_version": "sha256:1"}]
)
def test_the_same_id_with_other_content_is_refused_unless_it_shall_replace(
    records: Records, other: dict[str, str]
) -> None:
    add_precedents(records, [ROW], version_of=VERSIONS.get)
    rows = [ROW | {"case_id": "p-2"}, ROW | other]

    refused = add_precedents(records, rows, version_of=REWRITTEN.get)
    assert refused.bad == [BadRow(2, "precedent 'p-1' is kept with other content already")]
    assert [found.case_id for found in precedents(records)] == ["p-1"]

    skipped = add_precedents(records, rows, version_of=REWRITTEN.get, skip_bad=True)
    assert (skipped.new, skipped.changed, lines_of(skipped)) == (1, 0, [2])

    replaced = add_precedents(records, rows, version_of=REWRITTEN.get, replace=True)
    assert replaced == ImportReport(changed=1, unchanged=1)
    found = find_precedents(records, ["p-1"])["p-1"]
    assert found.section_version == other.get("section_version", "sha256:new")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW | {"section": "spam.9"}, "section: the rulebook has no section 'spam.9'"),
        (ROW | {"decision": "abstain"}, "decision: Input should be 'violating' or 'allowed'"),
        (ROW | {"case_id": "p 1"}, "case_id: String should match"),
        (ROW | {"text": "our secret\0"}, "text: holds a NUL character"),
        (ROW | {"why": "because"}, "unknown field 'why'"),
        ({"case_id": "p-1"}, "text is missing"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_added(
    untouched: Records, folder: Path, row: object, said: str
) -> None:
    file = jsonl(folder, ROW | {"case_id": "p-7"}, row)

    report = add_precedents(untouched, file, version_of=VERSIONS.get)

    assert lines_of(report) == [2]
    assert report.bad[0].message.startswith(said)
    assert list(precedents(untouched)) == []


def test_a_file_that_cannot_be_read_at_all_is_refused(records: Records, folder: Path) -> None:
    with pytest.raises(InputError, match="ends in none of"):
        add_precedents(records, written(folder, "a.txt", "{}"), version_of=VERSIONS.get)


def test_an_id_that_stands_twice_in_a_file_names_both_lines(records: Records, folder: Path) -> None:
    file = jsonl(folder, ROW, ROW | {"text": "another"})

    report = add_precedents(records, file, version_of=VERSIONS.get, skip_bad=True)

    assert report.bad == [BadRow(2, "case_id 'p-1' stands on line 1 already")]
    assert report.new == 1


def test_precedents_are_found_by_id_however_many(records: Records) -> None:
    rows = [ROW | {"case_id": f"p-{n:04}"} for n in range(1_200)]
    add_precedents(records, rows, version_of=VERSIONS.get)

    ids = [row["case_id"] for row in rows]
    assert list(find_precedents(records, [*ids, "p-none", ids[0]])) == ids
    assert [found.case_id for found in precedents(records)] == ids


def test_an_overturned_precedent_says_so(records: Records) -> None:
    add_precedents(records, [ROW | {"overturned": True}], version_of=VERSIONS.get)

    assert find_precedents(records, ["p-1"])["p-1"].overturned
