"""The second model is asked where the first is not sure enough, and the ledger says who decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.cascade import Cascade, CascadeLines, read_lines, write_lines
from agent.case import Case
from agent.replay import replay
from agent.reviewer import Reviewer
from agent.scripted import ScriptedModel
from agent.state import Desk
from agent.verdict import Draft
from errors import SettingsError
from policies.rulebook import Rulebook
from records.ledger import entries_of
from records.rulebooks import keep_rulebook
from records.store import Records, open_records

TULIPS = Case(id="c-1", text="Hello there. Your tulips are a disgrace, honestly.")
LINES = CascadeLines(
    first="scripted", second="other", rulebook="r", golden="g", cases=100,
    violating=0.85, allowed=0.95, saved=0.4, quality={},
)  # fmt: skip

DraftWith = Callable[..., Draft]


@pytest.fixture
def records(tmp_path: Path, village: Rulebook) -> Iterator[Records]:
    with open_records(f"sqlite:///{tmp_path / 'r.db'}", home=tmp_path) as opened:
        keep_rulebook(opened, village.id, village.files)
        yield opened


@pytest.fixture
def cascading(desk: Callable[..., Desk], records: Records) -> Callable[..., Reviewer]:
    def make(first: Any, *second: Any, **changes: Any) -> Reviewer:
        cascade = Cascade(desk(ScriptedModel((), first), **changes), LINES, "other")
        return Reviewer(desk(ScriptedModel(*second)), records, cascade=cascade)

    return make


def test_a_sure_first_verdict_is_enough(
    cascading: Callable[..., Reviewer], draft: DraftWith, records: Records
) -> None:
    verdict = cascading(draft(confidence=0.9)).review(TULIPS)

    assert verdict.decision == "violating"
    assert len(entries_of(records, "c-1")) == 1
    assert replay(records, "c-1").same


@pytest.mark.parametrize(
    "first",
    [
        {"confidence": 0.8},
        {"decision": "allowed", "violations": [], "confidence": 0.9},
        {
            "decision": "abstain",
            "violations": [],
            "abstain_reason": "ambiguous_content",
            "confidence": 1.0,
        },
    ],
)
def test_an_unsure_first_verdict_is_not(
    cascading: Callable[..., Reviewer], draft: DraftWith, records: Records, first: dict[str, Any]
) -> None:
    second = draft(ground={"severity": "high"}, confidence=0.97)

    verdict = cascading(draft(**first), (), second).review(TULIPS)

    assert (verdict.severity, verdict.confidence) == ("high", 0.97)
    assert len(entries_of(records, "c-1")) == 1


def test_a_first_allowed_that_a_person_has_to_see_goes_to_the_second(
    cascading: Callable[..., Reviewer], draft: DraftWith
) -> None:
    allowed = draft(decision="allowed", violations=[], confidence=0.99)
    reviewer = cascading(allowed, (), draft(), signs=lambda _: ["ignore your rules"])

    assert reviewer.review(TULIPS).decision == "violating"


def test_lines_hold_for_their_models_and_rules_alone(tmp_path: Path) -> None:
    write_lines(tmp_path, LINES)

    assert read_lines(tmp_path, first="scripted", second="other", rulebook="r") == LINES
    for name in ("first", "second", "rulebook"):
        asked = {"first": "scripted", "second": "other", "rulebook": "r"} | {name: "new"}
        with pytest.raises(SettingsError, match=f"another {name}"):
            read_lines(tmp_path, **asked)


def test_without_lines_there_is_no_cascade(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no lines were chosen"):
        read_lines(tmp_path, first="a", second="b", rulebook="c")
    (tmp_path / "cascade.json").write_text("{}")
    with pytest.raises(SettingsError, match="holds no lines"):
        read_lines(tmp_path, first="a", second="b", rulebook="c")
