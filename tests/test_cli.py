"""The commands as a person or a pipeline uses them: output, exit codes, errors with a way out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-c", "from cli import app; app()"]
HARMLESS = "Our chess club meets on Tuesday evening in the library, bring a friend."

Amicus = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the module, so that the index is built once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def amicus(home: Path) -> Amicus:
    """Run a command in a process of its own, as a user does."""

    def run(*words: str, stdin: str | bytes | None = None, **environment: str) -> Any:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*COMMAND, *words],
            env=clean_environment(home, **environment),
            input=data if data is not None else b"",
            capture_output=True,
            timeout=200,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


def clean_environment(home: Path, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AMICUS_")}
    return kept | {"AMICUS_HOME": str(home), "PYTHONPATH": str(ROOT)} | changes


def assert_error(done: Any, *parts: str, code: int = 1) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert [line for line in lines if line.startswith("hint: ")], done.stderr
    for part in parts:
        assert part in errors[0]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['amicus', '--help']\nfrom cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'numpy', 'chromadb', 'llama_index', 'langgraph', 'sqlalchemy', "
        "'onnxruntime', 'httpx', 'openai', 'anthropic', 'rich.console', 'tokenizers'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert done.stderr.strip() == "[]"
    assert "review" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["review"],
        ["replay"],
        ["doctor"],
        ["policy", "list"],
        ["policy", "show"],
        ["policy", "search"],
        ["policy", "lint"],
        ["accounts", "import"],
        ["urls", "import"],
        ["precedents", "add"],
        ["ledger", "verify"],
        ["eval", "run"],
    ],
)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    from typer.testing import CliRunner

    from cli import app

    done = CliRunner().invoke(app, [*words, "--help"])

    assert done.exit_code == 0
    assert "Example: amicus " + " ".join(words) in done.stdout


def test_a_review_prints_exactly_the_fields_of_a_verdict(amicus: Amicus) -> None:
    done = amicus("review", "--json", HARMLESS)

    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == [
        "case_id", "decision", "action", "severity", "violations", "abstain_reason", "confidence",
        "rationale", "counterargument", "needs_human", "needs_human_because", "evidence",
        "sections_considered", "precedents", "provenance", "usage",
    ]  # fmt: skip


def test_a_review_reads_standard_input_and_compares_the_own_call(amicus: Amicus) -> None:
    done = amicus("review", "-", "--json", "--mine", "remove:hate.1", stdin=HARMLESS + "\n")

    verdict = json.loads(done.stdout)
    assert verdict["agreement"]["with"] == "remove:hate.1"
    assert verdict["agreement"]["agrees"] is False


def test_the_same_words_give_the_same_verdict_but_for_the_time(amicus: Amicus) -> None:
    first, second = (json.loads(amicus("review", "--json", HARMLESS).stdout) for _ in range(2))

    del first["usage"]["seconds"], second["usage"]["seconds"]
    assert first == second


def test_the_view_covers_the_content_and_fits_eighty_columns(amicus: Amicus) -> None:
    nasty = "These refugees are vermin\x1b[2J and should be wiped out, every one of them"
    covered = amicus("review", nasty)
    revealed = amicus("review", nasty, "--reveal")

    assert covered.returncode == revealed.returncode == 0, covered.stderr
    assert "vermin" not in covered.stdout.split("the rule")[-1].split("Because")[0]
    assert "wiped out" not in covered.stdout
    assert "\x1b[2J" not in revealed.stdout
    for done in (covered, revealed):
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_blind_asks_before_it_shows(amicus: Amicus) -> None:
    done = amicus("review", HARMLESS, "--blind", stdin="nonsense\nallowed\n")

    assert done.returncode == 0, done.stderr
    assert "Your call" in done.stderr
    assert "neither a decision nor an action" in done.stderr
    assert "Your call allowed" in done.stdout


@pytest.mark.parametrize(
    ("words", "parts", "code"),
    [
        (["review"], ["nothing to review"], 2),
        (["review", ""], ["needs a text"], 1),
        (["review", " \n"], ["needs a text"], 1),
        (["review", "x", "--mine", "remove:hate.99"], ["hate.99"], 2),
        (["review", "x", "--mine", "shoot"], ["shoot"], 2),
        (["review", "x", "--account", "u-404"], ["u-404"], 1),
        (["review", "--account", "u-404"], ["u-404"], 1),
        (["review", "x", "--model", "clever"], ["clever"], 2),
        (["review", "x", "--policies", "/nowhere"], ["/nowhere"], 1),
        (["review", "--file", "/nowhere.jsonl"], ["/nowhere.jsonl"], 1),
        (["review", "--file", "/"], ["/:"], 1),
        (["review", "x", "--file", "f.jsonl"], ["--file"], 2),
        (["replay", "c-404"], ["c-404"], 1),
        (["policy", "show", "hate.77"], ["hate.77"], 1),
        (["accounts", "import", "/nowhere.csv"], ["/nowhere.csv"], 1),
        (["urls", "import", "/nowhere.txt"], ["/nowhere.txt"], 1),
        (["precedents", "add", "/nowhere.jsonl"], ["/nowhere.jsonl"], 1),
        (["eval", "run", "--golden", "/nowhere.jsonl", "--out", "/nowhere"], ["/nowhere.jsonl"], 1),
    ],
)
def test_what_makes_no_sense_is_told_in_two_lines(
    amicus: Amicus, words: list[str], parts: list[str], code: int
) -> None:
    assert_error(amicus(*words), *parts, code=code)


GOOD = json.dumps({"text": HARMLESS})


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('{"text": "a", "colour": "red"}', [":7", "colour"]),
        ('{"text": ""}', [":7", "text"]),
        ('{"id": "c-1"}', [":7", "text"]),
        ('{"text": 5}', [":7", "text=5"]),
        ('{"text": "a"', [":7", "not JSON"]),
        ('{"text": "a", "text": "b"}', [":7", "stands twice"]),
        ('["a"]', [":7", "list"]),
        ('"a"', [":7", "str"]),
        ("NaN", [":7", "JSON"]),
        ('{"text": "a", "reach": -1}', [":7", "reach=-1"]),
        ('{"text": "a", "reach": 1e999}', [":7", "reach"]),
        ('{"text": "a", "created_at": "yesterday"}', [":7", "created_at"]),
        ('{"text": "a", "created_at": "2026-11-01T10:00:00"}', [":7", "created_at"]),
        ('{"text": "a", "kind": "planet"}', [":7", "kind"]),
        ('{"kind": "account"}', [":7", "account_id"]),
        ('{"text": "a", "id": "two words"}', [":7", "id"]),
        ('{"id": "twice", "text": "a"}\n{"id": "twice", "text": "b"}', [":8", "line 7"]),
        ('{"text": "' + "a" * 30_000 + '"}', [":7", "30,000", "20,000"]),
        ('{"text": "\\ud800"}', [":7"]),
        ("[" * 100_000, [":7"]),
    ],
)
def test_a_bad_line_is_named_before_anything_is_reviewed(
    amicus: Amicus, tmp_path: Path, line: str, parts: list[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    out = tmp_path / "out.jsonl"
    others = [json.dumps({"text": f"{HARMLESS} {n}"}) for n in range(8)]
    file.write_text("\n".join([*others[:6], line, *others[6:]]) + "\n")

    done = amicus("review", "--file", str(file), "--json", "--out", str(out))

    assert_error(done, *parts)
    assert len(done.stderr) < 1_000
    assert not out.exists()
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["no case"]),
        (b"\n \n", ["no case"]),
        (GOOD.encode() + b'\n{"text": "caf\xe9"}\n', [":2", "UTF-8", "0xe9"]),
        (b"\x00\x01\x02\xff\xfe", [":1"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), [":1"]),
    ],
)
def test_a_file_that_is_none_is_refused(
    amicus: Amicus, tmp_path: Path, content: bytes, parts: list[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(content)

    assert_error(amicus("review", "--file", str(file), "--json"), *parts)


def test_a_text_that_is_too_long_is_refused_and_not_cut(amicus: Amicus) -> None:
    assert_error(amicus("review", "-", stdin="long " * 5_000), "25,000", "20,000")
    assert_error(amicus("review", "-", stdin=b"caf\xe9"), "UTF-8")
    assert_error(amicus("review", "-", stdin=""), "needs a text")


def test_a_setting_that_is_impossible_is_named_and_a_key_never_shown(amicus: Amicus) -> None:
    assert_error(amicus("doctor", AMICUS_THREADS="many"), "AMICUS_THREADS", "many")
    assert_error(amicus("doctor", AMICUS_MAX_TEXT_CHARS="0"), "AMICUS_MAX_TEXT_CHARS")
    assert_error(amicus("doctor", AMICUS_URL_LOOKUP="crystal-ball"), "AMICUS_URL_LOOKUP")


def test_a_rulebook_that_does_not_parse_is_named_with_its_line(
    amicus: Amicus, tmp_path: Path
) -> None:
    (tmp_path / "broken.md").write_text("---\nid: broken\ntitle: [\n---\n")

    assert_error(amicus("review", "x", "--policies", str(tmp_path)), "broken.md:")
    lint = amicus("policy", "lint", "--policies", str(tmp_path))
    assert lint.returncode == 1
    assert "broken.md:" in lint.stdout


def test_an_empty_folder_is_no_rulebook(amicus: Amicus, tmp_path: Path) -> None:
    assert_error(amicus("policy", "list", "--policies", str(tmp_path)), str(tmp_path))


def test_a_home_that_cannot_be_used_is_named(amicus: Amicus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    assert_error(amicus("review", "x", AMICUS_HOME=str(tmp_path / "file")), str(tmp_path))


def test_a_database_locked_by_somebody_else_is_told(amicus: Amicus, home: Path) -> None:
    import sqlite3

    amicus("review", "--json", HARMLESS)
    other = sqlite3.connect(home / "amicus.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert_error(amicus("review", "--json", HARMLESS), "another process")
    finally:
        other.close()


def test_a_database_that_is_none_is_told(amicus: Amicus, tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("dear diary " * 500)

    assert_error(amicus("review", "x", AMICUS_DATABASE_URL=f"sqlite:///{file}"), "notes.db")


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Let no file below `path` grow any more, for processes of this user."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a full disk can only be made where tmpfs can be mounted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def test_a_full_disk_is_told_and_nothing_is_half_written(amicus: Amicus, tmp_path: Path) -> None:
    with full_disk(tmp_path):
        (tmp_path / "ballast").write_bytes(b"0" * (5_900 * 1024))
        done = amicus("review", "--json", HARMLESS, AMICUS_HOME=str(tmp_path))

        assert_error(done)
        assert done.stdout == ""


def test_what_is_printed_to_a_closed_pipe_is_no_error(home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -c 'from cli import app; app()' policy list | head -1"],
        env=clean_environment(home),
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Traceback" not in done.stderr


def test_ctrl_c_in_the_middle_of_a_file_loses_nothing(
    amicus: Amicus, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cases.jsonl"
    count = 40
    file.write_text(
        "".join(
            json.dumps({"id": f"k-{n}", "text": f"{HARMLESS} {n}"}) + "\n" for n in range(count)
        )
    )
    # Whoever runs the tests in the background may have told their children to ignore Ctrl-C.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    running = subprocess.Popen(
        [*COMMAND[:2], heeding + COMMAND[2], "review", "--file", str(file), "--json"],
        env=clean_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    first = [running.stdout.readline() for _ in range(3)]
    running.send_signal(signal.SIGINT)
    rest, told = running.communicate(timeout=60)
    before = [json.loads(line)["case_id"] for line in [*first, *rest.splitlines()]]

    assert running.returncode == 130, told
    assert "error: interrupted" in told
    assert "Traceback" not in told

    done = amicus("review", "--file", str(file), "--json")
    ids = [json.loads(line)["case_id"] for line in done.stdout.splitlines()]
    assert ids == [f"k-{n}" for n in range(count)]
    assert ids[: len(before)] == before
    ledger = json.loads(amicus("ledger", "verify", "--json").stdout)
    assert ledger["faults"] == []


def test_your_own_accounts_links_and_precedents_reach_the_verdict(
    amicus: Amicus, tmp_path: Path
) -> None:
    examples = ROOT / "docs" / "examples"
    own = {"AMICUS_HOME": str(tmp_path)}
    for words in (
        ["accounts", "import", str(examples / "accounts.jsonl")],
        ["urls", "import", str(examples / "blocklist.txt")],
        ["precedents", "add", str(examples / "precedents.jsonl")],
    ):
        once = amicus(*words, **own)
        again = amicus(*words, **own)
        assert once.returncode == again.returncode == 0, once.stderr
        assert re.match(r"[1-9]\d* new, 0 changed", once.stdout)
        assert re.match(r"0 new, 0 changed, [1-9]", again.stdout)

    out = tmp_path / "verdicts.jsonl"
    file = examples / "cases.jsonl"
    done = amicus("review", "--file", str(file), "--json", "--out", str(out), **own)
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in out.read_text().splitlines()]
    cases = [json.loads(line) for line in file.read_text().splitlines()]

    assert [v["case_id"] for v in verdicts] == [c["id"] for c in cases]
    for verdict, case in zip(verdicts, cases, strict=True):
        for violation in verdict["violations"]:
            span = violation["content_span"]
            if span is not None:
                assert case["text"][slice(*span)] == violation["content_quote"]
    by_id = {v["case_id"].split("-")[1]: v for v in verdicts}
    assert by_id["3"]["decision"] != "allowed"
    assert any(e["tool"] == "account_history" for e in by_id["5"]["evidence"])
    assert any(v["precedents"] for v in verdicts)

    shown = amicus("replay", cases[0]["id"], "--json", **own)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == verdicts[0]


def test_an_edited_ledger_is_found_out(amicus: Amicus, tmp_path: Path) -> None:
    import sqlite3

    own = {"AMICUS_HOME": str(tmp_path)}
    for text in ("one post about gardens", "another post about gardens"):
        assert amicus("review", "--json", text, **own).returncode == 0
    database = sqlite3.connect(tmp_path / "amicus.db")
    triggers = database.execute("select name from sqlite_master where type = 'trigger'").fetchall()
    for (name,) in triggers:
        database.execute(f"drop trigger {name}")
    database.execute("update ledger set payload = replace(payload, 'gardens', 'harbours')")
    database.commit()
    database.close()

    done = amicus("ledger", "verify", **own)

    assert done.returncode == 1
    assert "record 1" in done.stdout


def test_doctor_opens_everything(amicus: Amicus) -> None:
    done = amicus("doctor", "--json")

    assert done.returncode == 0, done.stderr
    assert {check["name"] for check in json.loads(done.stdout)} >= {"model", "records", "rulebook"}


def test_a_review_takes_seconds_not_minutes_from_cold(amicus: Amicus) -> None:
    amicus("review", "--json", HARMLESS)
    started = time.monotonic()
    amicus("review", "--json", HARMLESS)

    assert time.monotonic() - started < 60
