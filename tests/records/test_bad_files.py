"""Files as they come: broken, cut, in another encoding, without an end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from errors import InputError
from records.accounts import find_account, import_accounts
from records.imports import MOST_BAD, BadRow
from records.store import Records
from tests.records.files import jsonl, lines_of, written


def test_a_line_number_counts_the_lines_inside_quoted_cells(
    sqlite_records: Records, folder: Path
) -> None:
    content = 'id,bio,strikes\n\nu-1,"one\ntwo\nthree",1\nu-2,,bad\nu-3,"a\nb",bad\nu-4,,\n'
    report = import_accounts(sqlite_records, written(folder, "a.csv", content), skip_bad=True)

    assert lines_of(report) == [6, 7]
    assert report.new == 2
    account = find_account(sqlite_records, "u-1")
    assert account is not None
    assert account.bio == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("name", "content", "bad"),
    [
        ("a.csv", b"id,bio\nu-1,\xff\nu-2,b\n", [BadRow(2, "the line is not UTF-8")]),
        ("a.csv", b"id,bio\nu-1,a\0\n", [BadRow(2, "the line holds a NUL character")]),
        ("a.csv", b"id,bio\nu-1\n", [BadRow(2, "has 1 cells, and the header has 2")]),
        ("a.csv", b"id,bio\nu-1,a,b\n", [BadRow(2, "has 3 cells, and the header has 2")]),
        ("a.csv", b"id,recent\nu-1,[{]\n", [BadRow(2, "recent: is no JSON")]),
        (
            "a.csv",
            b'id,bio\nu-1,"a"b\nu-2,\n',
            [BadRow(2, """is no CSV: ',' expected after '"'""")],
        ),
        ("a.jsonl", b'{"id": "u-1", "bio": "\xff"}\n', [BadRow(1, "the line is not UTF-8")]),
        ("a.jsonl", b"\n\n{}\n", [BadRow(3, "id is missing")]),
        (
            "a.jsonl",
            b'{"id": "u-1"\n',
            [BadRow(1, "is no JSON: EOF while parsing an object at line 1 column 12")],
        ),
        (
            "a.ndjson",
            b'{"id": "u-1", "bio": "\\ud800"}\n',
            [BadRow(1, "is no JSON: unexpected end of hex escape at line 1 column 29")],
        ),
        (
            "a.jsonl",
            b"[" * 100_000 + b"\n",
            [BadRow(1, "is no JSON: recursion limit exceeded at line 1 column 202")],
        ),
        (
            "a.jsonl",
            b'{"id": "' + b"x" * 2_500_000 + b'"}\n{"id": 1}\n',
            [
                BadRow(1, "the line is longer than 1,000,000 bytes"),
                BadRow(2, "id: Input should be a valid string, not 1"),
            ],
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_named(
    untouched: Records, folder: Path, name: str, content: bytes, bad: Sequence[BadRow]
) -> None:
    assert import_accounts(untouched, written(folder, name, content)).bad == bad


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("a.csv", b"", ("is empty", "exported")),
        ("a.jsonl", b"\xef\xbb\xbf", ("holds no rows", "exported")),
        ("a.csv", b"\n\n", ("holds no rows", "names the columns")),
        ("a.csv", b"id,bio\n", ("holds no rows", "exported")),
        ("a.xlsx", b"PK", ("'a.xlsx' ends in none of", "rename")),
        ("a.csv.gz", b"\x1f\x8b", ("ends in none of", "unpack")),
        ("a.csv", "id,bio\nu-1,a\n".encode("utf-16"), ("is UTF-16", "UTF-8")),
        (
            "a.csv",
            b"id,folowers\nu-1,1\n",
            ("unknown column 'folowers'", "known are id, created_at"),
        ),
        ("a.csv", b"bio,strikes\na,1\n", ("no column 'id'", "known are id")),
        ("a.csv", b"id,bio,id\nu-1,a,b\n", ("a.csv:1: column 'id' stands twice", "each once")),
        ("a.csv", b'id,"bio\xff"\nu-1,a\n', ("a.csv:1: the header", "names the columns")),
        ("a.csv", b'id,bio\nu-1,"open\nu-2,\n', ("a.csv:2: a quotation mark", "close it")),
        (
            "a.csv",
            b'id,bio\nu-1,"open\n' + b"u-2,a line like any other\n" * 50_000,
            ("a.csv:2: a quotation mark", "close it"),
        ),
    ],
)
def test_a_file_that_cannot_be_imported_at_all_is_refused(
    untouched: Records, folder: Path, name: str, content: bytes, refusal: tuple[str, str]
) -> None:
    with pytest.raises(InputError) as caught:
        import_accounts(untouched, written(folder, name, content), skip_bad=True)

    assert refusal[0] in caught.value.message
    assert refusal[1] in caught.value.hint


def test_a_file_that_is_not_there_or_no_file_is_refused(untouched: Records, folder: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        import_accounts(untouched, folder / "nothing.csv")
    (folder / "folder.csv").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        import_accounts(untouched, folder / "folder.csv")


def test_bad_rows_are_listed_up_to_a_limit_and_counted_beyond(
    untouched: Records, folder: Path
) -> None:
    file = written(folder, "a.csv", "id,strikes\n" + "u-1,many\n" * (MOST_BAD + 50))

    report = import_accounts(untouched, file)

    assert (len(report.bad), report.bad_rows) == (MOST_BAD, MOST_BAD + 50)


def test_progress_ends_with_every_byte_read(sqlite_records: Records, folder: Path) -> None:
    file = jsonl(folder, *({"id": f"u-{n}", "bio": "x" * 400} for n in range(2_000)))
    told: list[tuple[int, int]] = []

    import_accounts(sqlite_records, file, progress=lambda done, total: told.append((done, total)))

    size = file.stat().st_size
    assert [total for _, total in told] == [size] * len(told)
    assert told[-1] == (size, size)
    assert len(told) == size // 2**18 + 1
