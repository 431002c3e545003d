"""Nothing is paid for twice, no budget is stepped over, and the record holds every exchange."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.llm.asking import Line
from agent.llm.exchange import (
    Deadline,
    Message,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
)
from agent.llm.openai_provider import OpenAIProvider
from agent.llm.options import Budgets
from agent.llm.prices import Price
from agent.llm.purse import Purse, Till, exchange_key
from agent.model import NoConclusionError
from records.spending import spent_on, sums
from records.store import Records, open_records
from tests.agent.llm.scripted import ScriptedProvider, says
from tests.wire.answers import Answer
from tests.wire.language_models import LanguageModels, language_models

PRICE = Price(model="*", input=10, output=10)
"""A cent for a thousand tokens."""
ANSWER = says("fine")
"""100 tokens in and 10 out: 0.0011 dollars."""

TillWith = Callable[..., Till]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with open_records(f"sqlite:///{tmp_path / 'r.db'}", home=tmp_path) as opened:
        yield opened


@pytest.fixture
def till(records: Records) -> TillWith:
    def make(**changes: Any) -> Till:
        return Till(records, **({"run": "r"} | changes))

    return make


def asked(marker: str, text: str = "hello") -> Request:
    return Request(
        system=("Rules.\n", f"The marker is {marker}."),
        messages=(Message("user", f"<{marker}>{text}</{marker}>"),),
        max_output_tokens=100,
    )


def line_to(*steps: Any) -> tuple[Line, ScriptedProvider]:
    provider = ScriptedProvider(*steps)
    return Line(provider, PRICE), provider


def ask(purse: Purse, line: Line, marker: str = "m1", text: str = "hello") -> Any:
    return purse.exchange(line, asked(marker, text), marker=marker)


def test_the_same_question_is_asked_once_whatever_its_marker(till: TillWith) -> None:
    line, provider = line_to(ANSWER)

    first = ask(till().purse("c-1"), line, "m1")
    again = ask(till(run="other").purse("c-2"), line, "m2")

    assert again.reply == first.reply == ANSWER
    assert first.usage.cost_usd == pytest.approx(0.0011)
    assert again.usage.model_calls == 0
    provider.done()


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"temperature": 0.5},
        {"max_output_tokens": 99},
        {"mode": "json"},
        {"system": ("Rules!\n", "The marker is m1.")},
        {"messages": (Message("user", "<m1>hallo</m1>"),)},
    ],
)
def test_another_parameter_prompt_or_case_is_another_question(changes: dict[str, Any]) -> None:
    one, other = asked("m1"), replace(asked("m1"), **changes)

    assert exchange_key("a:b", one, "m1") != exchange_key("a:b", other, "m1")
    assert exchange_key("a:b", one, "m1") != exchange_key("a:c", one, "m1")


def test_what_one_server_answered_is_not_taken_for_the_answer_of_another(till: TillWith) -> None:
    """Who has tried out a model's name on a simulated server must not meet its answers again."""

    def words(server: LanguageModels) -> str:
        provider = OpenAIProvider("m", key=server.key, base_url=server.openai_url)
        text: str = ask(till().purse("c-1"), Line(provider, server=server.openai_url)).reply.text
        provider.close()
        return text

    with language_models([Answer("mocked")]) as one, language_models([Answer("real")]) as other:
        assert [words(one), words(other), words(one)] == ["mocked", "real", "mocked"]


@pytest.mark.parametrize(
    "uncounted",
    [
        Answer("fine", has_usage=False),
        Answer("fine", input_tokens=0, output_tokens=0),
        Answer("fine", input_tokens=100, output_tokens=0),
    ],
)
def test_an_answer_whose_tokens_the_server_does_not_count_costs_the_most_it_can(
    till: TillWith, uncounted: Answer
) -> None:
    most = PRICE.most(asked("m1"))
    with language_models([uncounted]) as server:
        provider = OpenAIProvider("m", key=server.key, base_url=server.openai_url)
        booked = till(budgets=Budgets(run=1.5 * most))
        paid = ask(booked.purse("c-1"), Line(provider, PRICE))
        with pytest.raises(NoConclusionError, match="budget"):
            ask(booked.purse("c-2"), Line(provider, PRICE), text="another")
        provider.close()

    assert paid.usage.cost_usd == pytest.approx(most)


def test_what_a_run_paid_before_it_was_killed_still_counts_as_its_cost(till: TillWith) -> None:
    line, _ = line_to(ANSWER)
    ask(till().purse("c-1"), line)

    again = ask(till().purse("c-1"), line)

    assert again.usage.cost_usd == pytest.approx(0.0011)
    assert spent_on(till().records, "r") == pytest.approx(0.0011)


def test_answers_that_are_too_old_are_asked_for_again(till: TillWith) -> None:
    line, provider = line_to(ANSWER, says("changed my mind"))
    ask(till(now=lambda: 0.0).purse("c-1"), line)

    later = till(now=lambda: 100.0, keep_seconds=50.0).purse("c-1")

    assert ask(later, line).reply.text == "changed my mind"
    provider.done()


def test_without_keeping_every_question_is_asked(till: TillWith) -> None:
    line, provider = line_to(ANSWER, ANSWER)
    for _ in range(2):
        ask(till(keep_seconds=0.0).purse("c-1"), line)

    provider.done()


@pytest.mark.parametrize("scope", ["case", "run", "day"])
def test_a_budget_that_has_no_room_stops_the_question_before_it_is_sent(
    till: TillWith, scope: str
) -> None:
    line, provider = line_to(ANSWER)
    most = PRICE.most(asked("m1"))
    purse = till(budgets=Budgets(**{scope: most + 0.0005})).purse("c-1")

    ask(purse, line)
    with pytest.raises(NoConclusionError, match=f"for the {scope}") as stopped:
        ask(purse, line, text="and another thing")

    assert stopped.value.reason == "budget"
    provider.done()
    assert purse.exchanges[-1]["error"] == stopped.value.message


def test_a_budget_holds_however_many_threads_spend_it(till: TillWith, records: Records) -> None:
    class Slow:
        name = "openai:slow"

        def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
            del request, deadline
            pause.wait(0.01)
            return replace(ANSWER, tokens=Tokens(input=60, output=100))

    pause, line = threading.Event(), Line(Slow(), PRICE)
    shared = till(budgets=Budgets(run=0.05))

    def spend(number: int) -> bool:
        try:
            ask(shared.purse(f"c-{number}"), line, text=f"case {number}")
        except NoConclusionError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        answered = sum(pool.map(spend, range(100)))

    assert 20 <= answered <= 31
    assert spent_on(records, "r") == pytest.approx(answered * 0.0016)
    assert spent_on(records, "r") <= 0.05


def test_a_refusal_costs_nothing_but_a_silence_may_have_been_charged(
    till: TillWith, records: Records
) -> None:
    refused = RefusedRequestError("no such model", status=404)
    line, _ = line_to(refused, UnavailableError("no answer in time"))
    purse = till(budgets=Budgets(day=1.0)).purse("c-1")

    with pytest.raises(RefusedRequestError):
        ask(purse, line)
    assert spent_on(records, "r") == pytest.approx(0.0)
    with pytest.raises(UnavailableError):
        ask(purse, line)

    assert spent_on(records, "r") == pytest.approx(PRICE.most(asked("m1")))
    assert sums(records, "day")[0].unsettled == 1


def test_a_batch_costs_its_share_of_the_price(till: TillWith) -> None:
    line, _ = line_to(ANSWER)

    assert ask(till(discount=True).purse("c"), line).usage.cost_usd == pytest.approx(0.00055)


def test_a_review_has_one_deadline_for_all_its_questions(till: TillWith) -> None:
    seen: list[Deadline | None] = []

    class Watching(ScriptedProvider):
        def send(self, request: Request, *, deadline: Deadline | None = None) -> Reply:
            seen.append(deadline)
            return super().send(request, deadline=deadline)

    line = Line(Watching(ANSWER, ANSWER), PRICE)
    clock = iter([50.0, 99.0])
    purse = till(seconds=10.0, clock=lambda: next(clock)).purse("c")
    for text in ("one", "two"):
        ask(purse, line, text=text)

    assert seen == [Deadline(60.0), Deadline(60.0)]


def test_the_record_of_an_exchange_is_whole_and_names_the_rules_by_hash(till: TillWith) -> None:
    line, _ = line_to(ANSWER)
    purse = till().purse("c-1")
    ask(purse, line)
    (noted,) = purse.exchanges

    assert json.loads(json.dumps(noted)) == json.loads(json.dumps(noted))
    assert noted["request"]["messages"][0]["text"] == "<{marker}>hello</{marker}>"
    assert [purse.texts[name] for name in noted["request"]["system"]] == [
        "Rules.\n",
        "The marker is {marker}.",
    ]
    assert (noted["marker"], noted["kept"], noted["reply"]["text"]) == ("m1", False, "fine")
