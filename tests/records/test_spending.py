"""Ceilings hold whoever pays at the same time, and every dollar is found again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from records.spending import Ceilings, Refusal, Spend, hold_in, settle_in, spent_on, sums
from records.store import Records
from records.together import Together

NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC


def a_spend(number: int, cost: float = 1.0, **changes: object) -> Spend:
    fields: dict[str, object] = {
        "id": f"s-{number}",
        "run": "r",
        "case_id": f"c-{number}",
        "model": "openai:small",
        "at": NOON,
        "cost_usd": cost,
    }
    return Spend(**(fields | changes))  # type: ignore[arg-type]


def hold(records: Records, spend: Spend, **ceilings: float) -> Refusal | None:
    with records.writing() as connection:
        return hold_in(connection, spend, Ceilings(**ceilings))


def settle(records: Records, spend: Spend) -> None:
    with records.writing() as connection:
        settle_in(connection, spend)


def test_a_ceiling_counts_what_is_held_until_it_is_settled(records: Records) -> None:
    assert hold(records, a_spend(1, 6.0), run=10.0) is None
    refused = hold(records, a_spend(2, 6.0), run=10.0)
    settle(records, a_spend(1, 2.5, input_tokens=40))

    assert refused == Refusal("run", 10.0, 6.0)
    assert hold(records, a_spend(3, 6.0), run=10.0) is None
    assert spent_on(records, "r") == pytest.approx(8.5)


def test_a_day_is_full_for_every_run(records: Records) -> None:
    assert hold(records, a_spend(1, 3.0, run="one"), day=5.0, run=100.0) is None
    refused = hold(records, a_spend(2, 3.0, run="two"), day=5.0, run=100.0)

    assert refused == Refusal("day", 5.0, 3.0)
    assert spent_on(records, "two") == 0.0
    tomorrow = a_spend(3, 3.0, run="two", at=NOON + 86_400)
    assert hold(records, tomorrow, day=5.0) is None


def test_many_threads_together_do_not_step_over_a_ceiling(records: Records) -> None:
    together = Together(records)
    refusals: list[Refusal | None] = []

    def spend_some(first: int) -> None:
        for number in range(first, first + 10):
            holding = partial(hold_in, most=a_spend(number, 1.0), ceilings=Ceilings(run=25.0))
            refusals.append(together.run(holding))

    threads = [threading.Thread(target=spend_some, args=(n * 10,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == 80
    assert refusals.count(None) == 25
    assert spent_on(records, "r") == pytest.approx(25.0)


def test_what_was_never_settled_counts_in_full_and_is_told(records: Records) -> None:
    hold(records, a_spend(1, 4.0), day=10.0)
    settle(records, a_spend(2, 1.0, input_tokens=100, cached_tokens=90, output_tokens=7))

    (day,) = sums(records, "day")
    assert (day.name, day.exchanges, day.unsettled) == ("2026-11-22", 2, 1)
    assert (day.input_tokens, day.cached_tokens, day.output_tokens) == (100, 90, 7)
    assert day.cost_usd == pytest.approx(5.0)


def test_spending_is_summed_by_case_the_costliest_first(records: Records) -> None:
    for number, cost in enumerate([0.5, 3.0, 1.0]):
        settle(records, a_spend(number, cost))

    assert [row.name for row in sums(records, "case_id")] == ["c-1", "c-2", "c-0"]
    assert sums(records, "day", since="2026-11-23") == []


def test_work_that_fails_takes_nobody_with_it(records: Records) -> None:
    together = Together(records)
    barrier = threading.Barrier(8)
    failed: list[int] = []

    def one(number: int) -> None:
        def write(connection: object) -> None:
            settle_in(connection, a_spend(number))  # type: ignore[arg-type]
            if number % 2:
                raise ValueError(number)

        barrier.wait()
        try:
            together.run(write)
        except ValueError as error:
            failed.append(error.args[0])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(failed) == [1, 3, 5, 7]
    assert {row.name for row in sums(records, "case_id")} == {"c-0", "c-2", "c-4", "c-6"}


def test_threads_that_wait_share_a_commit(records: Records) -> None:
    together, begun, commits = Together(records), threading.Event(), []
    writing: Callable[..., object] = records.writing

    def counted() -> object:
        commits.append(1)
        return writing()

    records.writing = counted  # type: ignore[method-assign,assignment]

    def slow(_: object) -> None:
        begun.set()
        waiting.wait(10)

    waiting = threading.Event()
    threads = [threading.Thread(target=together.run, args=(slow,))]
    threads[0].start()
    begun.wait(10)
    threads += [threading.Thread(target=together.run, args=(lambda _: None,)) for _ in range(20)]
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < 20:  # noqa: SLF001 (to know that all twenty wait)
        pass
    waiting.set()
    for thread in threads:
        thread.join()

    assert len(commits) == 2
