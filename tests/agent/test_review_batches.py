"""A file reviewed in batches: half the price, the same verdicts, nothing asked or paid twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from agent.llm.asking import Line
from agent.llm.batch import LeftOpenError
from agent.llm.batch_passes import BatchOutcome, Progress
from agent.llm.batch_patience import Waiting
from agent.llm.critic import Critic
from agent.llm.language_model import Asking, LanguageModel
from agent.llm.opening import open_provider
from agent.llm.options import Budgets, LanguageOptions
from agent.llm.prices import Price
from agent.llm.purse import Till
from agent.review_batches import review_in_batches
from agent.review_file import check_case_file, review_file
from agent.reviewer import Reviewer
from agent.state import Desk
from errors import RecordsError, UsageError
from policies.rulebook import Rulebook
from records.ledger import entries_of
from records.rulebooks import keep_rulebook
from records.spending import sums
from records.store import Records, open_records
from tests.agent.llm.scripted import TEXT, VERDICT
from tests.wire.answers import Answer, Asked
from tests.wire.batches import Batching, Fate
from tests.wire.language_models import LanguageModels, language_models

PRICE = Price(model="*", input=10, output=10)
AT_ONCE = Waiting(first=0.01, longest=0.02)
CASES = 5

Open = Callable[..., tuple[Reviewer, LanguageOptions]]


def answers(asked: Asked) -> Answer:
    if "argue against" in asked.last_words:
        return Answer("It may be a joke.", input_tokens=1_000, output_tokens=10)
    return Answer(json.dumps(VERDICT), input_tokens=1_000, output_tokens=100)


@pytest.fixture
def records(tmp_path: Path, village: Rulebook) -> Iterator[Records]:
    with open_records(f"sqlite:///{tmp_path / 'r.db'}", home=tmp_path) as opened:
        keep_rulebook(opened, village.id, village.files)
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    lines = [json.dumps({"id": f"c-{n}", "text": f"{TEXT} ({n})"}) for n in range(CASES)]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def opened(desk: Callable[..., Desk], village: Rulebook, records: Records) -> Iterator[Open]:
    """Open a reviewer whose model is on the wire, and say how it is reached."""
    closing: list[Callable[[], None]] = []

    def make(server: LanguageModels, wire: str, **budgets: Any) -> Any:
        options = LanguageOptions(
            keys={wire: server.key},
            urls={"openai": server.openai_url, "anthropic": server.anthropic_url},
            budgets=Budgets(**budgets),
        )
        provider, close = open_provider(f"{wire}:small", options)
        closing.append(close)
        line = Line(provider, PRICE)
        model = LanguageModel(
            line,
            village,
            draw=iter(f"m{n}" for n in range(10_000)).__next__,
            asking=Asking(mode="json", calls_tools=False),
            critic=Critic(line),
        )
        till = Till(records, run="r", budgets=options.budgets)
        return Reviewer(desk(model), records, till=till), options

    yield make
    for close in closing:
        close()


def run(file: Path, reviewer: Reviewer, options: LanguageOptions, **changes: Any) -> list[Any]:
    lines = review_in_batches(
        check_case_file(file, max_text_chars=1_000),
        reviewer=reviewer,
        options=options,
        journals=file.parent / "runs",
        **({"waiting": AT_ONCE} | changes),
    )
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_a_batch_gives_the_verdicts_of_live_questions_for_half_the_price(
    opened: Open, file: Path, wire: str, records: Records
) -> None:
    outcomes: list[BatchOutcome] = []
    with language_models(answers) as server:
        told = run(file, *opened(server, wire), done=outcomes.append)
        live_reviewer, _ = opened(server, wire)
        live_reviewer.till = replace(live_reviewer.till, keep_seconds=0.0)  # type: ignore[type-var]
        checked = check_case_file(file, max_text_chars=1_000)
        journals = file.parent / "live"
        live = [
            json.loads(line)
            for line in review_file(checked, reviewer=live_reviewer, journals=journals)
        ]

    assert [v["case_id"] for v in told] == [f"c-{n}" for n in range(CASES)]
    assert {v["decision"] for v in told} == {"violating"}
    assert told[0]["violations"] == live[0]["violations"]
    assert told[0]["usage"]["cost_usd"] == pytest.approx(live[0]["usage"]["cost_usd"] / 2)
    assert (outcomes[0].passes, outcomes[0].tally.requests) == (3, 2 * CASES)
    assert all(len(entries_of(records, f"c-{n}")) == 2 for n in range(CASES))


def test_a_run_that_is_stopped_goes_on_without_asking_twice(opened: Open, file: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.number == 2 and progress.asked:
            raise KeyboardInterrupt

    with language_models(answers) as server:
        with pytest.raises(LeftOpenError):
            run(file, *opened(server, "openai"), tell=stop)
        told = run(file, *opened(server, "openai"))
        asked = len(server.asked)

    assert len(told) == CASES
    assert asked == 2 * CASES


def test_a_budget_holds_over_a_whole_batch(opened: Open, file: Path, records: Records) -> None:
    with language_models(answers) as server:
        told = run(file, *opened(server, "anthropic", run=0.05))

    reasons = [v["abstain_reason"] for v in told]
    assert "budget" in reasons
    assert None in reasons
    (total,) = sums(records, "run")
    assert 0 < total.cost_usd <= 0.05
    assert total.unsettled == 0


def test_a_request_that_fails_for_good_leaves_its_case_to_a_person(
    opened: Open, file: Path
) -> None:
    doomed: list[str] = []

    def fate(custom_id: str, before: int) -> Fate:
        del before
        doomed.append(custom_id)
        return "errored" if custom_id == doomed[0] else "answered"

    with language_models(answers, batching=Batching(fate=fate)) as server:
        told = run(file, *opened(server, "anthropic"))

    reasons = [v["abstain_reason"] for v in told]
    assert sorted(reasons, key=str) == [None] * (CASES - 1) + ["model_error"]
    assert doomed.count(doomed[0]) == 3


def test_a_model_that_is_on_no_wire_has_no_batches(
    desk: Callable[..., Desk], records: Records, file: Path
) -> None:
    from agent.scripted import ScriptedModel

    with pytest.raises(UsageError, match="--batch needs a language model"):
        run(file, Reviewer(desk(ScriptedModel()), records), LanguageOptions())


def test_two_processes_do_not_work_in_batches_at_once(opened: Open, file: Path) -> None:
    journals = file.parent / "runs"
    journals.mkdir()
    with (
        language_models(answers) as server,
        FileLock(journals / "batches.lock"),
        pytest.raises(RecordsError, match="another amicus"),
    ):
        run(file, *opened(server, "openai"))
