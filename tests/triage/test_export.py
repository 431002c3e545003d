from __future__ import annotations

import errno
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from agent.own_call import own_call
from errors import InputError
from policies.rulebook import Rulebook
from records.docket.reading import DocketCase, read_docket
from records.store import Records
from tests.triage.scenes import NOW, a_case
from triage.closing import NothingCloses
from triage.deciding import Ruling, decide
from triage.export import COLUMNS, exported, json_lines, write_parquet
from triage.people import Person
from triage.statements import Statement, faults_of, read_platform, reasons_for

ANN = Person("ann", 600.0)
PAGES = Path(__file__).parents[2] / "triage"


@pytest.fixture
def decided(
    sqlite_records: Records,
    add: Callable[..., Any],
    run: Callable[..., Any],
    village: Rulebook,
) -> dict[str, DocketCase]:
    """One case decided by a machine, two by a person with and without an opinion, one open."""
    told = {"language": "en", "created_at": "2026-11-01T23:30:00+02:00"}
    add(sqlite_records, a_case(1, **told, reports=[{"reason": "offensive", "count": 3}]))
    run(sqlite_records)
    add(sqlite_records, a_case(2, account_id="u-2"))
    run(sqlite_records, closing=NothingCloses())
    add(sqlite_records, a_case(3, kind="account", account_id="u-3"), a_case(4), a_case(5))
    for case_id, call in [
        ("c-2", "remove:garden.1"),
        ("c-3", "suspend:garden.1"),
        ("c-5", "allowed"),
    ]:
        ruling = Ruling(own_call(call, village), village)
        decide(sqlite_records, case_id, ANN, ruling, now=NOW)
    return {case.case_id: case for case in read_docket(sqlite_records)}


def statement_on(found: DocketCase, rulebook: Rulebook) -> Statement:
    reasons = reasons_for(found, read_platform(None, rulebook))
    assert reasons is not None
    return reasons.statement


def test_a_line_says_how_a_case_stands(decided: dict[str, DocketCase]) -> None:
    lines = [json.loads(line) for line in json_lines(decided.values())]

    told = {line["case_id"]: (line["state"], line["decided_by"], line["action"]) for line in lines}
    assert told == {
        "c-1": ("decided", "machine", "limit"),
        "c-2": ("decided", "person", "remove"),
        "c-3": ("decided", "person", "suspend"),
        "c-4": ("waiting", None, None),
        "c-5": ("decided", "person", "none"),
    }
    assert lines[0]["verdict"]["decision"] == "violating"
    assert lines[3]["verdict"] is None


def test_a_line_says_who_was_first_and_what_an_audit_found(
    decided: dict[str, DocketCase],
) -> None:
    closed, by_person = decided["c-1"], decided["c-2"]
    undone: dict[str, Any] = {
        "overturned": True,
        "decided_by": "person",
        "first_decided_by": "machine",
    }
    told = exported(replace(closed, audit_wrong=True, audit_call="none:garden.1"))
    assert (told["audit"], told["first_decided_by"]) == (
        {"decision": "allowed", "wrong": True},
        "machine",
    )
    unseen = exported(replace(closed, audit_wrong=True, audit_call="", **undone))
    assert (unseen["audit"], unseen["first_decided_by"]) == (
        {"decision": None, "wrong": True},
        "machine",
    )
    long_ago = exported(replace(closed, overturned=True, decided_by="person"))
    assert (long_ago["audit"], long_ago["first_decided_by"]) == (None, None)
    assert exported(by_person)["first_decided_by"] == "person"


def test_parquet_holds_the_same_rows_as_the_lines(
    decided: dict[str, DocketCase], tmp_path: Path
) -> None:
    file = tmp_path / "a.parquet"

    assert write_parquet(file, decided.values()) == len(decided)

    rows = parquet.read_table(file).to_pylist()
    for row, line in zip(rows, json_lines(decided.values()), strict=True):
        told = json.loads(line)
        verdict = row.pop("verdict")
        assert (json.loads(verdict) if verdict else None) == told.pop("verdict")
        assert row == told


def test_a_docket_without_a_case_is_parquet_with_every_column(tmp_path: Path) -> None:
    assert write_parquet(tmp_path / "a.parquet", []) == 0
    assert tuple(parquet.read_table(tmp_path / "a.parquet").column_names) == COLUMNS


def test_a_parquet_file_appears_whole_or_not_at_all(
    decided: dict[str, DocketCase], tmp_path: Path
) -> None:
    def broken() -> Iterator[DocketCase]:
        yield from decided.values()
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "out"
    out.mkdir()
    file = out / "a.parquet"
    file.write_text("before", encoding="utf-8")
    with pytest.raises(InputError, match="No space left"):
        write_parquet(file, broken())

    assert list(out.iterdir()) == [file]
    assert file.read_text(encoding="utf-8") == "before"
    for nowhere in (out / "no" / "a", file / "b"):
        with pytest.raises(InputError):
            write_parquet(nowhere, decided.values())


def test_without_pyarrow_parquet_says_what_it_needs(
    decided: dict[str, DocketCase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="needs pyarrow"):
        write_parquet(tmp_path / "a.parquet", decided.values())


def test_a_decision_becomes_a_statement_that_the_database_takes(
    decided: dict[str, DocketCase], village: Rulebook
) -> None:
    statement = statement_on(decided["c-1"], village)

    assert list(faults_of(statement)) == []
    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DEMOTED"]
    assert statement["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert statement["source_type"] == "SOURCE_TYPE_OTHER_NOTIFICATION"
    assert (statement["content_date"], statement["content_language"]) == ("2026-11-01", "EN")
    assert statement["incompatible_content_ground"].startswith("Section garden.1 of our rules")
    assert "reported by 3 people" in statement["decision_facts"]


def test_a_statement_says_who_decided_and_what_an_account_loses(
    decided: dict[str, DocketCase], village: Rulebook
) -> None:
    both, alone = (statement_on(decided[name], village) for name in ("c-2", "c-3"))

    assert both["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert alone["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert alone["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert (alone["content_type"], alone["content_type_other"]) == (
        ["CONTENT_TYPE_OTHER"],
        "An account",
    )
    assert both["puid"] != alone["puid"]


def test_no_word_of_the_content_enters_a_statement(
    decided: dict[str, DocketCase], village: Rulebook
) -> None:
    for name in ("c-1", "c-2", "c-3"):
        told = json.dumps(statement_on(decided[name], village))
        assert "disgrace" not in told
        assert name not in told
        assert not re.search(r"\bu-\d", told)


def test_the_person_concerned_is_told_the_rule_and_how_to_object(
    decided: dict[str, DocketCase], village: Rulebook
) -> None:
    reasons = reasons_for(decided["c-2"], read_platform(None, village))

    assert reasons is not None
    for words in ("remove", "garden.1", "Do not insult the plants", "Object to us", "court"):
        assert words in reasons.notice


def test_no_statement_is_owed_where_nothing_was_restricted(
    decided: dict[str, DocketCase], village: Rulebook
) -> None:
    platform = read_platform(None, village)
    assert [reasons_for(decided[name], platform) for name in ("c-4", "c-5")] == [None, None]


def test_a_statement_that_would_be_refused_is_not_written(
    decided: dict[str, DocketCase], village: Rulebook, tmp_path: Path
) -> None:
    page = tmp_path / "ours.toml"
    told = (PAGES / "platform.toml").read_text(encoding="utf-8")
    page.write_text(told.replace('"AT", "BE"', '"AT", "XX"', 1), encoding="utf-8")

    with pytest.raises(InputError, match=r"c-1.*territorial_scope: 'XX' is none"):
        reasons_for(decided["c-1"], read_platform(page, village))

    page.write_text("territorial_scope = []", encoding="utf-8")
    with pytest.raises(InputError, match="does not say account_type"):
        read_platform(page, village)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"puid": "a b"}, "puid"),
        ({"puid": None}, "puid is missing"),
        ({"decision_visibility": []}, "decision_visibility is missing"),
        ({"decision_visibility": "DECISION_VISIBILITY_CONTENT_REMOVED"}, "must be a list"),
        ({"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, "visibility_other is missing"),
        ({"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT"}, "legal_ground is missing"),
        ({"content_type_other": "a leaf"}, "content_type_other must be left out"),
        ({"decision_facts": "x" * 5001}, "5,001 characters"),
        ({"application_date": "2026-11-1"}, "application_date"),
        ({"application_date": "2019-12-31"}, "no date from 2020-01-01"),
        ({"automated_detection": True}, "must be text"),
        ({"automated_decision": "Yes"}, "none of the values"),
        ({"url": "https://example.org"}, "url is no field"),
    ],
)
def test_every_rule_of_the_database_is_checked(
    decided: dict[str, DocketCase], village: Rulebook, change: dict[str, Any], said: str
) -> None:
    statement = statement_on(decided["c-1"], village) | change

    assert said in "; ".join(faults_of(statement))


def test_the_shipped_page_of_a_platform_uses_only_what_the_database_knows() -> None:
    page = tomllib.loads((PAGES / "platform.toml").read_text(encoding="utf-8"))
    lists = tomllib.loads((PAGES / "transparency.toml").read_text(encoding="utf-8"))["lists"]

    assert set(page["categories"].values()) <= set(lists["category"])
    assert {word for words in page["keywords"].values() for word in words} <= set(lists["keyword"])
    assert set(page["territorial_scope"]) == set(lists["country"])


@given(
    st.dictionaries(st.sampled_from(["puid", "category", "content_type"]), st.text() | st.none())
)
def test_no_statement_makes_the_check_itself_fail(told: dict[str, Any]) -> None:
    assert any("decision_facts is missing" in fault for fault in faults_of(told))
