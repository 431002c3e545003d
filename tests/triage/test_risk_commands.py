from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agent.case import Case
from commands import calibrate
from commands.group import group
from policies.reading import load_rulebook
from records.certificates import keep_certificate
from records.store import Records, open_records
from tests.triage.scenes import a_case, opinion_on, verdict_on
from triage.crew import Orders, Post, work
from triage.intake import Reading, add_cases
from triage.priority import read_priority
from triage.risk.brakes import Brakes
from triage.risk.certificate import Certificate, CertifiedClaim
from triage.risk.closing import CertifiedClosing
from triage.ruling import Bench

app = group("Triage.")
app.command("calibrate")(calibrate.calibrate)
app.command("audit")(calibrate.audit)
app.command("switch")(calibrate.switch)

Amicus = Callable[..., Result]
GROUND = {"section": "spam.1"}


@pytest.fixture
def amicus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Amicus:
    """Run a command in a home of its own."""
    monkeypatch.setenv("AMICUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AMICUS_DATABASE_URL", raising=False)

    def run(*words: str, said: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=said)

    return run


@pytest.fixture
def records(tmp_path: Path, amicus: Amicus) -> Iterator[Records]:
    """The records of that home."""
    from settings import load_settings

    del amicus  # it says where home is
    url = load_settings().records_url
    with open_records(url, home=tmp_path / "home") as opened:
        yield opened


def certify(records: Records) -> None:
    now = time.time()
    claim = CertifiedClaim(
        policies=("spam",),
        direction="violating",
        limit=0.05,
        verdicts=500,
        mistakes_among_all=3,
        risk=0.05,
        line=0.8,
    )
    made = Certificate(
        golden="sha256:1",
        cases=500,
        rulebook="sha256:0",
        model="quick",
        prompts="-",
        tools={},
        confidence=0.95,
        claims=(claim,),
        made_at=now,
        until=now + 1_000,
    )
    keep_certificate(records, made.id, made.body, made_at=made.made_at, until=made.until)


def close_some(records: Records, number: int) -> None:
    """Let a machine close cases, all of which are drawn for an audit."""
    import io
    import threading

    from triage.reading_lines import Lines

    rulebook = load_rulebook(None)
    priority = read_priority(None, rulebook)
    told = "".join(json.dumps(a_case(n)) + "\n" for n in range(number))
    lines = Lines(io.BytesIO(told.encode()), "cases.jsonl")
    add_cases(records, lines, Reading(priority, time.time, max_text_chars=1_000))
    brakes = Brakes(audit_share=1.0, most_waiting_audits=100)
    closing = CertifiedClosing(records, rulebook, brakes, clock=time.time, monotonic=time.monotonic)

    def opinion(case: Case) -> Any:
        return opinion_on(case, verdict_on(case, ground=GROUND))

    post = Post(records, opinion, Bench(closing, priority), Orders("crew", workers=2))
    assert work(post, threading.Event()).closed == number


def test_an_audit_shows_the_case_and_hides_the_verdict_until_the_call(
    amicus: Amicus, records: Records
) -> None:
    certify(records)
    close_some(records, 1)

    done = amicus("audit", "--as", "ann", "--reveal", said="violating:spam.1\n")

    assert done.exit_code == 0
    before, _, after = done.output.partition("Your call")
    assert "is a disgrace" in before
    assert "violating" not in before
    assert "the machine said violating; you agree" in after


def test_nobody_calls_a_case_unseen(amicus: Amicus, records: Records) -> None:
    certify(records)
    close_some(records, 1)

    unseen = amicus("audit", "--as", "ann", "--call", "allowed")
    seen = amicus("audit", "--as", "ann", "--call", "allowed", "--json")

    assert unseen.exit_code == 2
    assert json.loads(seen.stdout)["agrees"] is False


def test_when_audits_disagree_closing_stops_and_the_command_says_so(
    amicus: Amicus, records: Records
) -> None:
    certify(records)
    close_some(records, 5)
    said = ""
    for _ in range(5):
        said += amicus("audit", "--as", "ann", said="allowed\n").output
        if "AUTOMATIC CLOSING HAS STOPPED" in said:
            break

    assert "AUTOMATIC CLOSING HAS STOPPED: drift" in said
    state = json.loads(amicus("audit", "--status", "--json").stdout)
    assert state["stopped"].startswith("drift")
    assert state["claims"][0]["evidence"] >= state["claims"][0]["stops_at"]


def test_without_a_certificate_there_is_nothing_to_audit(amicus: Amicus) -> None:
    assert "no certificate" in amicus("audit", "--status").output
    assert "no closure waits" in amicus("audit").output


def test_the_switch_is_turned_with_a_name_and_a_reason(amicus: Amicus, records: Records) -> None:
    from records.certificates import closing_state

    assert amicus("switch", "off", "--why", "odd", "--as", "ann").exit_code == 0
    assert closing_state(records)[1].why == "odd"
    assert amicus("switch", "sideways").exit_code == 2
    assert amicus("switch", "on", "--as", "ann").exit_code == 0
    assert not closing_state(records)[1].off


def test_cases_that_fitted_the_model_are_refused_before_anything_is_reviewed(
    amicus: Amicus,
) -> None:
    dev = Path(__file__).parents[2] / "evals" / "sets" / "dev.jsonl"

    done = amicus("calibrate", "--golden", str(dev))

    assert done.exit_code == 1
    assert "fitted the model" in done.output
