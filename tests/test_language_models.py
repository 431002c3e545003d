"""Reviews by language models from the command line: the real SDKs against a server of this machine.

What a provider can do wrong is tested in tests/agent/llm; here it is what a user sees of it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from policies.reading import load_rulebook
from tests.test_cli import assert_error
from tests.wire.answers import Answer, Asked, Refused
from tests.wire.language_models import LanguageModels, language_models

KEY = "sk-planted-6f1d0c9b8a7e5f43"
POST = "Send me your password tonight and I will double your coins."
QUOTED = "Send me your password"
OBJECTION = "It may be a joke among friends."

Amicus = Callable[..., SimpleNamespace]


def verdict(**changes: Any) -> str:
    rule = load_rulebook(None).section("phishing.1")
    assert rule is not None
    ground = {
        "section": rule.id,
        "policy_quote": rule.rule.split(".")[0],
        "content_quote": QUOTED,
        "why": "It asks for a password.",
        "severity": rule.severities[0],
        "confidence": 0.9,
    }
    fields = {
        "rationale": "It asks for a password and promises money.",
        "violations": [ground],
        "decision": "violating",
        "abstain_reason": None,
        "confidence": 0.9,
        "counterargument": "None that I see.",
    }
    return json.dumps(fields | changes)


def reviewing(asked: Asked) -> Answer | Refused:
    """Conclude at once; object where an objection is wanted; greet a probe."""
    if "argue against" in asked.last_words:
        return Answer(OBJECTION, input_tokens=9_000, cached_tokens=8_000, output_tokens=20)
    if "Before you conclude" in asked.last_words:
        return Answer("READY", input_tokens=9_000, output_tokens=2)
    return Answer(verdict(), input_tokens=9_000, cached_tokens=8_000, output_tokens=150)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the module, so that the index is built once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageModels]:
    """A server that knows one key, and tells what it was asked."""
    with language_models(reviewing, key=KEY) as running:
        yield running


@pytest.fixture
def amicus(shared_home: Path, server: LanguageModels) -> Amicus:
    """Run a command in this process, with an environment that knows the server and its key."""

    def run(*words: str, home: Path = shared_home, **environment: str) -> SimpleNamespace:
        known = {
            "AMICUS_HOME": str(home),
            "AMICUS_OPENAI_BASE_URL": server.openai_url,
            "AMICUS_ANTHROPIC_BASE_URL": server.anthropic_url,
            "OPENAI_API_KEY": KEY,
            "ANTHROPIC_API_KEY": KEY,
            "AMICUS_PROMPT_LAYOUT": "whole",
            "AMICUS_ANSWER_MODE": "json",
        }
        return run_command(*words, **(known | environment))

    return run


def run_command(*words: str, **environment: str) -> SimpleNamespace:
    from cli import app

    without: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("AMICUS_")
    }
    done = CliRunner().invoke(app, words, env=without | environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_review_by_a_language_model_is_checked_paid_and_replayed(
    amicus: Amicus, wire: str
) -> None:
    model = "openai:gpt-5-mini" if wire == "openai" else "anthropic:claude-haiku-4-5"
    done = amicus("review", POST, "--model", model, "--json", "--fresh")
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (told["decision"], told["violations"][0]["section"]) == ("violating", "phishing.1")
    assert told["counterargument"] == OBJECTION
    assert told["provenance"]["model"] == f"{model}@whole,json,critic"
    assert (told["usage"]["model_calls"], told["usage"]["cached_tokens"]) == (3, 16_000)
    assert 0 < told["usage"]["cost_usd"] < 0.05
    assert amicus("replay", told["case_id"]).returncode == 0


def test_the_same_review_again_asks_nobody_and_costs_nothing(
    amicus: Amicus, server: LanguageModels
) -> None:
    words = ("review", POST + " Hurry!", "--model", "openai:gpt-5-mini", "--json")
    first = json.loads(amicus(*words).stdout)
    asked = len(server.asked)
    again = json.loads(amicus(*words).stdout)

    assert len(server.asked) == asked
    assert first["usage"]["cost_usd"] > 0.0 == again["usage"]["cost_usd"]
    assert again["violations"] == first["violations"]


def test_a_key_appears_in_no_output_no_file_and_no_error(
    amicus: Amicus, tmp_path: Path, server: LanguageModels
) -> None:
    home = tmp_path / "home"
    said = []
    for words in (
        ("review", POST, "--model", "openai:gpt-5-mini", "--json"),
        ("review", POST, "--model", "anthropic:claude-haiku-4-5"),
        ("doctor", "--probe", "--model", "openai:gpt-5-mini", "--json"),
        ("doctor", "--probe", "--model", "anthropic:claude-haiku-4-5"),
        ("ledger", "cost", "--by", "model"),
    ):
        done = amicus(*words, home=home)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout + done.stderr)
    wrong = amicus("review", POST, "--model", "openai:m", home=home, OPENAI_API_KEY=KEY + "x")
    broken = amicus(
        "review", POST, "--model", "openai:m", home=home, AMICUS_OPENAI_BASE_URL="http://[oops"
    )
    said += [wrong.stdout + wrong.stderr, broken.stdout + broken.stderr]

    assert any(asked.headers.get("authorization") == f"Bearer {KEY}" for asked in server.asked)
    assert not any(KEY in text for text in said)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_wrong_key_ends_in_an_abstention_and_never_in_allowed(amicus: Amicus) -> None:
    done = amicus("review", POST, "--model", "openai:m", "--json", OPENAI_API_KEY="sk-other")
    told = json.loads(done.stdout)

    assert (told["decision"], told["abstain_reason"]) == ("abstain", "model_error")
    assert told["needs_human"]
    assert "sk-other" not in done.stdout + done.stderr


def test_without_a_key_the_command_says_which_variable_to_set(amicus: Amicus) -> None:
    done = amicus(
        "review", POST, "--model", "anthropic:m", ANTHROPIC_API_KEY="",
        AMICUS_ANTHROPIC_BASE_URL="",
    )  # fmt: skip

    assert_error(done, "no key for anthropic:m")
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_a_spent_budget_leaves_the_rest_to_people(amicus: Amicus, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    lines = [json.dumps({"id": f"c-{n}", "text": f"{POST} ({n})"}) for n in range(12)]
    file.write_text("\n".join(lines))

    done = amicus(
        "review", "--file", str(file), "--json", "--workers", "6", "--budget", "0.3",
        "--model", "openai:gpt-4.1",
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    spent = sum(verdict["usage"]["cost_usd"] for verdict in told)

    assert done.returncode == 0, done.stderr
    assert [verdict["case_id"] for verdict in told] == [f"c-{n}" for n in range(12)]
    assert {v["abstain_reason"] for v in told if v["decision"] == "abstain"} == {"budget"}
    assert "violating" in {verdict["decision"] for verdict in told}
    assert 0 < spent <= 0.3


def test_a_critic_that_is_no_language_model_is_named(amicus: Amicus) -> None:
    done = amicus("review", POST, "--model", "openai:m", AMICUS_CRITIC_MODEL="gpt-5")

    assert_error(done, "the critic 'gpt-5'")


def test_a_budget_is_refused_where_nobody_knows_the_price(amicus: Amicus) -> None:
    done = amicus(
        "review", POST, "--model", "openai:unheard-of", "--budget", "1",
        AMICUS_OPENAI_BASE_URL="https://api.openai.com/v1",
    )  # fmt: skip

    assert_error(done, "'openai:unheard-of'", "price")


def test_samples_that_differ_end_in_unstable(amicus: Amicus) -> None:
    turn = iter(range(100))
    lock = threading.Lock()

    def changing(asked: Asked) -> Answer | Refused:
        if "Now conclude" not in asked.last_words:
            return reviewing(asked)
        with lock:
            number = next(turn)
        return Answer(verdict() if number % 2 else verdict(violations=[], decision="allowed"))

    with language_models(changing, key=KEY) as changeable:
        done = amicus(
            "review", "Give me your password now.", "--model", "openai:m", "--json",
            "--samples", "4", AMICUS_OPENAI_BASE_URL=changeable.openai_url,
        )  # fmt: skip
    told = json.loads(done.stdout)

    assert (told["decision"], told["abstain_reason"]) == ("abstain", "unstable")


def test_content_can_be_forgotten_and_the_ledger_stays_whole(
    amicus: Amicus, tmp_path: Path
) -> None:
    apart = {"home": tmp_path / "home", "AMICUS_LEDGER_CONTENT": "apart"}
    told = json.loads(amicus("review", POST, "--model", "openai:m", "--json", **apart).stdout)
    case = told["case_id"]
    assert amicus("replay", case, **apart).returncode == 0

    assert amicus("ledger", "forget", case, **apart).returncode == 0

    assert amicus("ledger", "verify", **apart).returncode == 0
    assert_error(amicus("replay", case, **apart), "was forgotten")
    database = b"".join(path.read_bytes() for path in tmp_path.rglob("amicus.db*"))
    assert b"double your coins" not in database


def test_a_probe_finds_out_how_verdicts_will_be_asked_for(amicus: Amicus, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = amicus("doctor", "--probe", "--model", "openai:m", home=home, AMICUS_ANSWER_MODE="auto")
    told = json.loads(
        amicus(
            "review", POST, "--model", "openai:m", "--json", home=home, AMICUS_ANSWER_MODE="auto"
        ).stdout
    )

    assert "verdicts will be asked for in the mode" in done.stdout
    mode = done.stdout.split("in the mode ")[1].split()[0]
    assert f",{mode}," in told["provenance"]["model"]
