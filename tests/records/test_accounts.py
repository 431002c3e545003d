from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from records.accounts import Account, Post, find_account, import_accounts
from records.decisions import Decision, add_decisions, decisions_of
from records.imports import BadRow, ImportReport
from records.ledger import entries_of, latest
from records.store import Records
from tests.records.files import jsonl, lines_of, written

AT = datetime(2026, 11, 1, tzinfo=UTC)
ROW: dict[str, object] = {
    "id": "u-1",
    "created_at": "2024-05-01T02:00:00+02:00",
    "display_name": "Ünal",
    "bio": 'likes "trains", and\nplants',
    "followers": 2**63 - 1,
    "verified": True,
    "strikes": 2,
    "reports_received": 7,
    "recent": [{"text": "look at my roses", "created_at": None}],
    "decisions": [
        {
            "case_id": "c-1",
            "section": "spam.1",
            "decision": "violating",
            "action": "limit",
            "severity": "medium",
            "decided_at": "2026-10-01T00:00:00Z",
            "overturned": True,
        },
        {"case_id": "c-2", "decision": "allowed", "decided_at": "2026-10-02T00:00:00Z"},
    ],
}
ACCOUNT = Account(
    id="u-1",
    created_at=datetime(2024, 5, 1, tzinfo=UTC),
    display_name="Ünal",
    bio='likes "trains", and\nplants',
    followers=2**63 - 1,
    verified=True,
    strikes=2,
    reports_received=7,
    recent=(Post(text="look at my roses"),),
    decisions=(
        Decision("c-2", "allowed", datetime(2026, 10, 2, tzinfo=UTC)),
        Decision(
            "c-1",
            "violating",
            datetime(2026, 10, 1, tzinfo=UTC),
            section="spam.1",
            action="limit",
            severity="medium",
            overturned=True,
        ),
    ),
)


def test_an_account_comes_back_as_its_json_told_it(records: Records, folder: Path) -> None:
    report = import_accounts(records, jsonl(folder, ROW))

    assert report == ImportReport(new=1)
    assert find_account(records, "u-1") == ACCOUNT
    assert find_account(records, "u-2") is None


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.TSV", "\t")])
def test_an_account_comes_back_as_its_csv_told_it(
    records: Records, folder: Path, name: str, mark: str
) -> None:
    cells = [value if isinstance(value, str) else json.dumps(value) for value in ROW.values()]
    quoted = mark.join('"' + cell.replace('"', '""') + '"' for cell in cells)
    file = written(folder, name, "\ufeff" + mark.join(ROW) + "\r\n" + quoted + "\r\n")

    assert import_accounts(records, file) == ImportReport(new=1)
    assert find_account(records, "u-1") == ACCOUNT


def test_what_a_file_does_not_tell_has_a_default(records: Records, folder: Path) -> None:
    report = import_accounts(records, written(folder, "a.csv", "id,bio,followers\nu-1,,\nu-2,,\n"))

    assert report.new == 2
    assert find_account(records, "u-2") == Account(id="u-2")


def test_the_same_file_again_changes_nothing(records: Records, folder: Path) -> None:
    file = jsonl(folder, ROW, {"id": "u-2"})
    import_accounts(records, file)

    assert import_accounts(records, file) == ImportReport(unchanged=2)
    assert find_account(records, "u-1") == ACCOUNT


def test_another_file_replaces_what_it_tells_of_and_nothing_else(
    records: Records, folder: Path
) -> None:
    import_accounts(records, jsonl(folder, ROW, {"id": "u-2"}))

    changed = {"id": "u-1", "strikes": 3, "decisions": [ROW["decisions"][0]]}  # type: ignore[index]
    report = import_accounts(records, jsonl(folder, changed, {"id": "u-3"}))

    assert report == ImportReport(new=1, changed=1)
    account = find_account(records, "u-1")
    assert account is not None
    assert (account.strikes, account.bio) == (3, "")
    assert [made.case_id for made in account.decisions] == ["c-1"]
    assert find_account(records, "u-2") == Account(id="u-2")


def test_a_decision_of_the_docket_outlives_every_import(records: Records, folder: Path) -> None:
    ours = Decision("c-1", "allowed", AT, section="spam.1")
    add_decisions(records, "u-1", [ours])
    for strikes in (0, 1):
        import_accounts(records, jsonl(folder, ROW | {"strikes": strikes}))

    account = find_account(records, "u-1")
    assert account is not None
    assert account.decisions == (ours, ACCOUNT.decisions[0])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"bio": "no id"}, "id is missing"),
        ({"id": ""}, "id: String should have at least 1 character, not ''"),
        ({"id": "u 1"}, "id: String should match"),
        ({"id": "u" * 201}, "id: String should have at most 200 characters"),
        ({"id": "u-1", "folowers": 1}, "unknown field 'folowers': rename it or leave it out"),
        ({"id": "u-1", "followers": -1}, "followers: .* greater than or equal to 0, not -1"),
        ({"id": "u-1", "followers": 2**63}, "followers: .* not 9223372036854775808"),
        ({"id": "u-1", "strikes": "many"}, "strikes: .*, not 'many'"),
        ({"id": "u-1", "verified": "perhaps"}, "verified: .*, not 'perhaps'"),
        ({"id": "u-1", "created_at": "2024-05-01T00:00:00"}, "created_at: .* timezone"),
        ({"id": "u-1", "created_at": "0001-01-01T00:00:00+05:00"}, "created_at: lies outside"),
        ({"id": "u-1", "bio": "our secret\0"}, "bio: holds a NUL character$"),
        ({"id": "u-1", "recent": [{"text": "our secret\0"}]}, "recent.0.text: holds a NUL"),
        ({"id": "u-1", "recent": [{"text": "a", "likes": 1}]}, "unknown field 'recent.0.likes'"),
        ({"id": "u-1", "decisions": [{"case_id": "c-1"}]}, "decisions.0.decision is missing"),
        (
            {"id": "u-1", "decisions": [ROW["decisions"][0] | {"decision": "guilty"}]},  # type: ignore[index]
            "decisions.0.decision: .* 'violating' or 'allowed', not 'guilty'",
        ),
        (
            {"id": "u-1", "decisions": [ROW["decisions"][0]] * 2},  # type: ignore[index]
            "decisions: case 'c-1' is decided twice",
        ),
        (
            {"id": "u-1", "decisions": [ROW["decisions"][1] | {"case": "c"}]},  # type: ignore[index]
            "unknown field 'decisions.0.case'",
        ),
        ({"id": "u-1", "followers": 10**4000}, "followers: .* not 1000"),
        (["u-1"], "is no JSON object"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_loaded(
    untouched: Records, folder: Path, row: object, said: str
) -> None:
    report = import_accounts(untouched, jsonl(folder, {"id": "u-7"}, row, {"id": "u-8"}))

    assert lines_of(report) == [2]
    assert (report.new, report.bad_rows) == (0, 1)
    assert re.search(said, report.bad[0].message)
    assert "secret" not in report.bad[0].message
    assert find_account(untouched, "u-7") is None


def test_good_rows_are_loaded_beside_bad_ones_only_when_asked(
    records: Records, folder: Path
) -> None:
    file = jsonl(folder, {"id": "u-1"}, {"id": ""}, {"id": "u-3"}, {"id": "u-4", "strikes": -1})

    refused = import_accounts(records, file)
    assert (refused.new, lines_of(refused)) == (0, [2, 4])
    assert find_account(records, "u-1") is None

    loaded = import_accounts(records, file, skip_bad=True)
    assert (loaded.new, lines_of(loaded)) == (2, [2, 4])
    assert find_account(records, "u-3") is not None
    assert find_account(records, "u-4") is None


def test_an_id_that_stands_twice_is_bad_and_names_both_lines(
    records: Records, folder: Path
) -> None:
    decided = ROW | {"id": "u-2"}
    file = jsonl(folder, {"id": "u-1"}, {"id": "u-2"}, {"id": "u-1", "strikes": 1}, decided)

    report = import_accounts(records, file, skip_bad=True)

    assert report.bad == [
        BadRow(3, "id 'u-1' stands on line 1 already"),
        BadRow(4, "id 'u-2' stands on line 2 already"),
    ]
    assert report.new == 2
    assert find_account(records, "u-1") == Account(id="u-1")
    assert find_account(records, "u-2") == Account(id="u-2")


@pytest.mark.parametrize(
    "account_id", ["", "\0", "\udcff", "u" * 100_000, "'; DROP TABLE accounts"]
)
def test_an_id_that_nobody_could_have_is_not_found(records: Records, account_id: str) -> None:
    assert find_account(records, account_id) is None
    assert decisions_of(records, account_id) == ()
    assert entries_of(records, account_id) == []
    assert latest(records, account_id, "verdict") is None


def test_an_account_does_not_change_afterwards() -> None:
    with pytest.raises(ValidationError):
        ACCOUNT.strikes = 0  # type: ignore[misc]
