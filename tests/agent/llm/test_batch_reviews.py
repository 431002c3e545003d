"""Whole reviews in batches: the graph, the purse and both real SDKs, against the simulated APIs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.case import Case
from agent.graph import judge
from agent.llm.asking import Line
from agent.llm.batch import BatchService
from agent.llm.batch_office import BatchOffice
from agent.llm.batch_passes import BatchOutcome, work_in_batches
from agent.llm.batch_patience import Waiting
from agent.llm.batched import BatchDesk
from agent.llm.critic import Critic
from agent.llm.exchange import Deadline, Reply, Request
from agent.llm.language_model import LanguageModel
from agent.llm.purse import Till
from agent.state import Desk
from agent.verdict import Verdict
from policies.rulebook import Rulebook
from records.store import Records, open_records
from tests.agent.llm.batch_books import KINDS, Clock, Journal, Kept, Kind, serving
from tests.agent.llm.scripted import TEXT, VERDICT, line_to
from tests.wire.answers import Answer, Asked, Call, calls
from tests.wire.batches import Fate
from tools.search_policy import search_policy

CASES = [Case(id=f"c-{number}", text=f"{TEXT} {'Truly! ' * number}") for number in range(4)]
OBJECTION = "Between neighbours that may be a joke."


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with open_records(f"sqlite:///{tmp_path / 'r.db'}", home=tmp_path) as opened:
        yield opened


def answers(asked: Asked) -> Answer:
    """Ask one question, then conclude; object where an objection is wanted."""
    if "argue against" in asked.last_words:
        return Answer(OBJECTION)
    if asked.forced_tool == "verdict":
        return Answer(None, calls=(Call("verdict", json.dumps(VERDICT)),))
    known = "search_policy]]" in asked.last_words
    return Answer("READY") if known else calls("search_policy", question="wells?")


class Nobody:
    """A provider that must not be asked at once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
        raise AssertionError(f"{self.name} was asked at once: {request} {deadline}")


@pytest.fixture
def review_all(
    desk: Callable[..., Desk], village: Rulebook, records: Records
) -> Callable[..., tuple[list[Verdict], BatchOutcome]]:
    """Review every case in batches."""
    numbers = itertools.count(1)

    def run(service: BatchService, clock: Clock) -> tuple[list[Verdict], BatchOutcome]:
        batch_desk = BatchDesk(Kept())
        office = BatchOffice(service, Journal(), Waiting(sleep=clock.sleep, now=clock.now))

        def send(line: Line, key: str, request: Request, _: Deadline | None) -> Reply:
            return batch_desk.answer(line.provider.name, key, request)

        till = Till(records, run="r", discount=True, send=send)
        line = line_to(Nobody(service.name))
        model = LanguageModel(line, village, lambda: f"m{next(numbers)}", critic=Critic(line))
        tools = (search_policy(lambda _: village.sections[2:], version="1"),)
        verdicts: dict[int, Verdict] = {}

        def attempt(number: int) -> None:
            case = CASES[number]
            paid = replace(desk(model, tools=tools), model=model.paid_by(till.purse(case.id)))
            verdicts[number] = judge(case, paid)

        outcome = work_in_batches(len(CASES), attempt, desk=batch_desk, offices=[office])
        return [verdicts[number] for number in range(len(CASES))], outcome

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_reviews_in_batches_come_to_verdicts_question_by_question(
    review_all: Callable[..., Any], kind: Kind
) -> None:
    clock = Clock()
    with serving(kind, answers, clock=clock) as (server, open_service):
        verdicts, outcome = review_all(open_service(), clock)
    assert {verdict.decision for verdict in verdicts} == {"violating"}
    assert {verdict.counterargument for verdict in verdicts} == {OBJECTION}
    assert [verdict.usage.model_calls for verdict in verdicts] == [4] * 4
    assert (outcome.passes, outcome.tally.requests, len(server.asked)) == (5, 16, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_that_no_batch_answers_goes_to_a_person_and_the_others_do_not_wait(
    review_all: Callable[..., Any], kind: Kind
) -> None:
    clock = Clock()
    lost: set[str] = set()

    def fate(custom_id: str, _: int) -> Fate:
        if not lost:
            lost.add(custom_id)
        return "expired" if custom_id in lost else "answered"

    with serving(kind, answers, clock=clock, fate=fate) as (_, open_service):
        verdicts, _ = review_all(open_service(), clock)
    assert sorted(verdict.decision for verdict in verdicts) == ["abstain", *["violating"] * 3]
    [abstained] = [verdict for verdict in verdicts if verdict.decision == "abstain"]
    assert abstained.abstain_reason == "model_error"
    assert abstained.needs_human


@pytest.mark.parametrize("kind", KINDS)
def test_an_unusable_answer_is_repaired_in_the_next_batch(
    review_all: Callable[..., Any], kind: Kind
) -> None:
    clock = Clock()

    def careless(asked: Asked) -> Answer:
        if asked.forced_tool == "verdict" and "It cannot be used:" not in asked.last_words:
            return Answer(None, calls=(Call("verdict", "{"),))
        return answers(asked)

    with serving(kind, careless, clock=clock) as (_, open_service):
        verdicts, outcome = review_all(open_service(), clock)
    assert {verdict.decision for verdict in verdicts} == {"violating"}
    assert [verdict.usage.model_calls for verdict in verdicts] == [5] * 4
    assert outcome.passes == 6
