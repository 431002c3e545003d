"""The docket as people and pipelines use it: output, exit codes, errors with a way out."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from commands.opening import read_settings, records_for
from records.risk_tables import copies
from records.tables import docket
from tests.triage.scenes import a_case

Amicus = Callable[..., Result]
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "cases.jsonl"


@pytest.fixture
def amicus(home: Path, monkeypatch: pytest.MonkeyPatch) -> Amicus:
    """Run a command of the docket."""
    from commands.triage import app

    for name, value in {"HOME": str(home), "DATABASE_URL": "", "POLICIES": ""}.items():
        monkeypatch.setenv(f"AMICUS_{name}", value)
    home.mkdir()

    def run(*words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, words, input=stdin)

    return run


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Three cases."""
    file = tmp_path / "cases.jsonl"
    told = [a_case(number, text="Your roses look like socks.") for number in range(3)]
    file.write_text("".join(json.dumps(case) + "\n" for case in told), encoding="utf-8")
    return file


def data(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_a_file_is_added_once(amicus: Amicus, cases: Path) -> None:
    assert "3 new, 0 there already" in amicus("add", str(cases)).stdout
    again = data(amicus("add", str(cases), "--json"))
    assert (again["new"], again["known"]) == (0, 3)


def test_standard_input_is_added_too(amicus: Amicus, cases: Path) -> None:
    assert "3 new" in amicus("add", "-", stdin=cases.read_text(encoding="utf-8")).stdout


def test_refused_lines_are_named_and_the_others_are_in(amicus: Amicus, cases: Path) -> None:
    result = amicus("add", "-", stdin=cases.read_text(encoding="utf-8") + "{}\n")

    assert result.exit_code == 1
    assert "standard input:4: a case of kind 'content' needs a text" in result.stderr
    assert "error: 1 lines were refused; the others are in the docket" in result.stderr
    assert data(amicus("status", "--json"))["waiting"] == 3


def test_a_file_that_is_not_there_is_an_error_with_a_hint(amicus: Amicus) -> None:
    result = amicus("add", "nowhere.jsonl")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: nowhere.jsonl: No such file")
    assert "hint: " in result.stderr


def test_a_person_calls_first_then_sees_the_opinion_then_decides(
    amicus: Amicus, cases: Path
) -> None:
    amicus("add", str(cases))

    shown = amicus("next", "--blind", "--as", "ann", stdin="nonsense\nallowed\n")
    assert shown.exit_code == 0, shown.output
    assert "•••• ••••• •••• •••• •••••." in shown.stdout
    assert "nonsense" in shown.stderr
    assert "no machine has looked at it yet" in shown.stdout

    assert amicus("decide", "c-0", "allowed", "--as", "ann").stdout == "c-0: allowed, none\n"
    twice = amicus("decide", "c-0", "allowed", "--as", "bob")
    assert (twice.exit_code, "decided already" in twice.stderr) == (1, True)
    over = amicus("decide", "c-0", "remove:harassment.1", "--overturn", "--as", "bob", "--json")
    assert data(over)["action"] == "remove"


def test_cases_can_be_held_assigned_asked_about_and_released(amicus: Amicus, cases: Path) -> None:
    amicus("add", str(cases))

    assert "comes back to ann" in amicus("hold", "c-0", "--for", "90m", "--as", "ann").stdout
    assert "waits for bob" in amicus("assign", "c-1", "--to", "bob", "--as", "ann").stdout
    assert "waits for eve" in amicus("ask", "c-2", "--to", "eve", "--as", "ann").stdout
    assert "nothing waits" in amicus("next", "--as", "ann").stderr
    taken = data(amicus("next", "--as", "bob", "--json"))
    assert taken["case"] == {"id": "c-1", "text": "Your roses look like socks."}
    assert "anybody" in amicus("release", "c-1", "--as", "bob").stdout
    assert amicus("release", "c-1", "--as", "bob").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("hold", "c-0", "--for", "soon"),
        ("next", "--as", "two words"),
        ("decide", "c-0", "burn"),
        ("decide", "c-0", "remove:nothing.9"),
        ("export", "--golden", "--statements"),
        ("export", "--parquet"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    amicus: Amicus, cases: Path, words: tuple[str, ...]
) -> None:
    amicus("add", str(cases))

    result = amicus(*words)

    assert result.exit_code == 2, result.output
    assert "error: " in result.stderr


def test_the_docket_is_exported_by_line(amicus: Amicus, cases: Path, tmp_path: Path) -> None:
    amicus("add", str(cases))
    amicus("decide", "c-0", "remove:harassment.1")
    out = tmp_path / "out.jsonl"

    assert amicus("export", "--out", str(out)).exit_code == 0
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["state"] for line in lines] == ["decided", "waiting", "waiting"]
    (reasons,) = amicus("export", "--statements").stdout.splitlines()
    assert json.loads(reasons)["statement"]["category"] == "STATEMENT_CATEGORY_CYBER_VIOLENCE"
    assert amicus("export", "--dead").stdout == ""
    amicus("decide", "c-0", "allowed", "--overturn")
    (golden,) = amicus("export", "--golden").stdout.splitlines()
    assert json.loads(golden)["expected"]["decision"] == "allowed"


def test_dead_cases_and_lost_messages_can_be_retried(amicus: Amicus, cases: Path) -> None:
    amicus("add", str(cases))

    assert data(amicus("retry", "--json")) == {"cases": 0, "messages": 0}


@pytest.mark.slow
def test_the_embedded_model_works_a_docket_to_its_end(amicus: Amicus) -> None:
    few = EXAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)[:3]
    assert amicus("add", "-", stdin="".join(few)).exit_code == 0

    tally = data(amicus("run", "--workers", "2", "--json"))

    assert (tally["closed"], tally["to_people"], tally["dead"]) == (0, 3, 0)
    status = data(amicus("status", "--json"))
    assert (status["waiting"], status["leased"]) == (3, 0)
    first = data(amicus("next", "--as", "ann", "--json"))
    assert first["verdict"] is not None
    blind = data(amicus("next", "--as", "ann", "--blind", "--json"))
    assert (blind["verdict"], blind["because"]) == (None, None)


def test_copies_are_decided_once_and_overturned_together(amicus: Amicus) -> None:
    text = (
        "@user{} dear friend, I doubled my savings in a week with the coins of Falcon Trust, "
        "write to me today and I show you how"
    )
    told = [a_case(number, text=text.format(number)) for number in range(6)]
    amicus("add", "-", stdin="".join(json.dumps(case) + "\n" for case in told))

    assert data(amicus("run", "--workers", "1", "--json"))["to_people"] == 6
    with records_for(read_settings()) as records, records.writing() as connection:
        closed = {"state": "decided", "decided_by": "machine", "decision": "allowed"}
        connection.execute(update(docket).values(**closed))  # as if a certificate had allowed it
        noted = set(connection.execute(select(copies.c.case_id)).scalars())

    alone = amicus("decide", "c-0", "remove:fraud.1", "--copies", "--as", "ann")
    over = data(
        amicus("decide", "c-0", "remove:fraud.1", "--overturn", "--copies", "--as", "ann", "--json")
    )

    assert (alone.exit_code, "--copies goes with --overturn" in alone.stderr) == (2, True)
    assert noted
    assert set(over["overturned"]) == {over["original"], *noted}
    after = [json.loads(line) for line in amicus("export").stdout.splitlines()]
    assert {line["case_id"] for line in after if line["overturned"]} == set(over["overturned"])
    assert {line["first_decided_by"] for line in after} == {"machine"}


def test_the_first_signal_finishes_what_is_in_hand_and_the_second_ends_everything() -> None:
    from commands.triage_run import told_to_stop

    before = signal.getsignal(signal.SIGTERM)
    with told_to_stop() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGTERM) is before
