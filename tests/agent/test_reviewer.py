"""What stands on the ledger can be replayed to the byte; a file of cases is never lost half-way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.model import ToolCall
from agent.own_call import own_call
from agent.replay import replay
from agent.review_file import check_case_file, review_file, write_whole
from agent.reviewer import Reviewer, verdict_data
from agent.scripted import ScriptedModel
from agent.state import Desk
from agent.verdict import Draft
from errors import InputError, ModelError, RecordsError, ToolError, UsageError
from policies.rulebook import Rulebook
from records.ledger import append, entries_of
from records.rulebooks import keep_rulebook
from records.store import Records, open_records
from tools.list import use_tool
from tools.tool import Arguments, Result, tool

DeskWith = Callable[..., Desk]
DraftWith = Callable[..., Draft]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TULIPS = Case(id="c-1", text="Hello there. Your tulips are a disgrace, honestly.")


@pytest.fixture
def records(tmp_path: Path, village: Rulebook) -> Iterator[Records]:
    with closing(open_records(f"sqlite:///{tmp_path / 'r.db'}", home=tmp_path)) as opened:
        keep_rulebook(opened, village.id, village.files)
        yield opened


@pytest.fixture
def reviewer(records: Records, desk: DeskWith) -> Callable[..., Reviewer]:
    def make(*steps: Any, **changes: Any) -> Reviewer:
        return Reviewer(desk(ScriptedModel(*steps), **changes), records, now=lambda: NOON)

    return make


def as_bytes(verdict: object) -> bytes:
    return json.dumps(verdict, ensure_ascii=False, sort_keys=True).encode()


def test_a_verdict_is_replayed_byte_for_byte_without_model_tools_or_index(
    reviewer: Callable[..., Reviewer], records: Records, draft: DraftWith
) -> None:
    class Question(Arguments):
        about: str

    def answer(asked: Question) -> Result:
        """Answer."""
        if asked.about == "nothing":
            raise ToolError("nothing is known")
        return Result(finding="seen before")

    tools = (tool("memory", answer, arguments=Question),)
    calls = (ToolCall("memory", {"about": "it"}), ToolCall("memory", {"about": "nothing"}))
    wrong = draft(ground={"policy_quote": "Be kind to every plant you see."})
    used = reviewer(calls, (), wrong, draft(), tools=tools, use=use_tool(tools))

    verdict = used.review(TULIPS)
    again = replay(records, "c-1")

    assert again.same
    assert as_bytes(verdict_data(again.replayed)) == as_bytes(verdict_data(verdict))
    assert [e.finding for e in again.replayed.evidence] == [
        "seen before",
        "no answer: nothing is known",
    ]


@pytest.mark.parametrize("error", [ModelError("cut off"), RecordsError("locked")])
def test_an_abstention_is_replayed_as_well(
    reviewer: Callable[..., Reviewer], records: Records, error: Exception
) -> None:
    if isinstance(error, ModelError):
        reviewer((), error).review(TULIPS)
    else:

        def broken(_name: str, _arguments: object) -> dict[str, object]:
            raise error

        reviewer((ToolCall("memory", {}),), use=broken).review(TULIPS)

    assert replay(records, "c-1").same


def test_a_replay_says_how_the_verdict_stood_to_the_own_call(
    reviewer: Callable[..., Reviewer], records: Records, draft: DraftWith, village: Rulebook
) -> None:
    verdict = reviewer((), draft()).review(TULIPS, own=own_call("remove:garden.2", village))

    assert verdict.agreement is not None
    assert verdict.agreement.differs_on == ("action", "section")
    assert replay(records, "c-1").same


def test_a_record_with_another_verdict_is_found_out(
    reviewer: Callable[..., Reviewer], records: Records, draft: DraftWith
) -> None:
    reviewer((), draft()).review(TULIPS)
    payload = json.loads(json.dumps(dict(entries_of(records, "c-1")[0].payload)))
    payload["verdict"]["action"] = "none"
    append(records, "verdict", "c-1", payload, at=NOON)

    assert not replay(records, "c-1").same
    assert replay(records, "#1").same


def test_a_replay_of_nothing_says_so(records: Records) -> None:
    with pytest.raises(InputError, match="no verdict on 'c-404'"):
        replay(records, "c-404")


def test_a_record_that_fits_other_code_is_refused(
    reviewer: Callable[..., Reviewer], records: Records, draft: DraftWith
) -> None:
    reviewer((), draft()).review(TULIPS)
    payload = json.loads(json.dumps(dict(entries_of(records, "c-1")[0].payload)))
    del payload["tape"][3]
    append(records, "verdict", "c-1", payload, at=NOON)

    with pytest.raises(InputError, match="asks for 'sections'") as refused:
        replay(records, "c-1")

    assert "another version" in refused.value.hint


@pytest.mark.parametrize(
    ("said", "differs_on"),
    [
        ("label:garden.1", []),
        ("violating:garden.1", []),
        ("violating", []),
        ("violating:garden.2,garden.1", []),
        ("remove:garden.1", ["action"]),
        ("violating:garden.2", ["section"]),
        ("allowed", ["decision"]),
        ("none", ["decision", "action"]),
        ("escalate", ["decision", "action"]),
    ],
)
def test_a_persons_own_call_is_compared_with_the_verdict(
    reviewer: Callable[..., Reviewer],
    draft: DraftWith,
    village: Rulebook,
    said: str,
    differs_on: list[str],
) -> None:
    verdict = reviewer((), draft()).review(TULIPS, own=own_call(said, village))

    assert verdict_data(verdict)["agreement"] == {
        "with": said,
        "agrees": not differs_on,
        "differs_on": differs_on,
    }


@pytest.mark.parametrize("said", ["delete", "remove:garden.9", "allowed:garden.1", "", ":garden.1"])
def test_a_call_that_makes_no_sense_is_refused(village: Rulebook, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        own_call(said, village)

    assert refused.value.hint


def case_file(folder: Path, count: int) -> Path:
    path = folder / "cases.jsonl"
    lines = [json.dumps({"id": f"c-{n}", "text": TULIPS.text}) for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_gives_one_verdict_a_case_in_its_order(
    reviewer: Callable[..., Reviewer], draft: DraftWith, tmp_path: Path
) -> None:
    file = check_case_file(case_file(tmp_path, 3), max_text_chars=100)
    used = reviewer(*[(), draft()] * 3)

    lines = list(review_file(file, reviewer=used, journals=tmp_path / "runs"))

    assert [json.loads(line)["case_id"] for line in lines] == ["c-0", "c-1", "c-2"]
    assert not list((tmp_path / "runs").glob("*.jsonl"))


def test_an_interrupted_file_goes_on_and_repeats_nothing(
    reviewer: Callable[..., Reviewer], draft: DraftWith, tmp_path: Path
) -> None:
    file = check_case_file(case_file(tmp_path, 4), max_text_chars=100)

    def interrupted(_: object) -> Draft:
        raise KeyboardInterrupt

    first = reviewer((), draft(), (), draft(), (), interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(review_file(file, reviewer=first, journals=tmp_path / "runs"))

    second = ScriptedModel((), draft(), (), draft())
    rest = Reviewer(replace(first.desk, model=second), first.records, now=lambda: NOON)
    lines = list(review_file(file, reviewer=rest, journals=tmp_path / "runs"))
    second.done()

    assert [json.loads(line)["case_id"] for line in lines] == ["c-0", "c-1", "c-2", "c-3"]


def test_a_torn_last_line_of_the_journal_is_reviewed_again(
    reviewer: Callable[..., Reviewer], draft: DraftWith, tmp_path: Path
) -> None:
    file = check_case_file(case_file(tmp_path, 2), max_text_chars=100)
    first = reviewer((), draft(), (), draft())
    lines = review_file(file, reviewer=first, journals=tmp_path / "runs")
    next(lines)
    lines.close()
    journal = next((tmp_path / "runs").glob("*.jsonl"))
    journal.write_text(journal.read_text()[:-30])

    second = ScriptedModel((), draft(), (), draft())
    rest = Reviewer(replace(first.desk, model=second), first.records, now=lambda: NOON)
    assert len(list(review_file(file, reviewer=rest, journals=tmp_path / "runs"))) == 2
    second.done()


def test_two_runs_over_the_same_file_do_not_meet(
    reviewer: Callable[..., Reviewer], draft: DraftWith, tmp_path: Path
) -> None:
    file = check_case_file(case_file(tmp_path, 2), max_text_chars=100)
    used = reviewer(*[(), draft()] * 4)
    running = review_file(file, reviewer=used, journals=tmp_path / "runs")
    next(running)

    with pytest.raises(RecordsError, match="another amicus"):
        next(review_file(file, reviewer=used, journals=tmp_path / "runs"))
    running.close()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("before\n")

    def failing() -> Iterator[str]:
        yield "half"
        raise RecordsError("the disk is full")

    with pytest.raises(RecordsError):
        write_whole(target, failing())

    assert target.read_text() == "before\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]
