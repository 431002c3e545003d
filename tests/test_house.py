"""The house: locks with hashes and no addresses, names that nobody else owns, no phoning home."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    "agent", "cli", "commands", "errors", "evals", "models", "policies", "records", "retrieval",
    "settings", "tools", "triage", "training",
}  # fmt: skip


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_everything_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")

    assert "://" not in text
    pins = re.findall(r"^([a-z0-9][\w.\-]*(?:\[[\w,\-]+\])?)([=<>!~]=?)", text, flags=re.MULTILINE)
    assert len(pins) > 50
    assert {operator for _, operator in pins} == {"=="}
    assert text.count("--hash=sha256:") >= len(pins)


def test_no_dependency_owns_a_name_of_ours() -> None:
    taken = {
        name: owners
        for name, owners in importlib.metadata.packages_distributions().items()
        if name in OURS and set(owners) != {"amicus"}
    }

    assert not taken


def test_every_layer_can_be_imported_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import errors, policies.reading, settings, tools.tool"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_libraries_are_silenced_before_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from settings import stay_home

    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "ORT_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "true" if "TRACING" in name else "0")
    stay_home()

    import os

    assert os.environ["LANGSMITH_TRACING"] == os.environ["LANGCHAIN_TRACING_V2"] == "false"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_key_in_the_settings_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from settings import load_settings

    monkeypatch.setenv("AMICUS_LEDGER_KEY", "planted-secret")
    monkeypatch.setenv("AMICUS_WEBRISK_API_KEY", "planted-secret")

    assert "planted-secret" not in repr(load_settings())
