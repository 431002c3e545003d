"""Cases worked through in batches, from the first question to the last, whatever happens."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from agent.llm.batch import (
    AwaitingBatchError,
    BatchLimits,
    LeftOpenError,
    OpenBatch,
    RefusedBatchError,
)
from agent.llm.exchange import ProviderError, RefusedRequestError
from errors import AmicusError
from tests.agent.llm.batch_books import (
    KINDS,
    Books,
    Fuse,
    KilledError,
    Kind,
    asking,
    echo,
    key_of,
    serving,
)
from tests.wire.answers import HANG_UP, Answer, Asked, Broken, Refused
from tests.wire.batches import Fate, failing
from tests.wire.loopback import Received

both = pytest.mark.parametrize("kind", KINDS)


def said(number: int) -> str:
    return f"re: 1: re: 0: case {number}\u2028.\u2028."


@both
def test_every_case_comes_to_its_end_one_question_a_pass(kind: Kind) -> None:
    books = Books()
    with serving(kind, clock=books.clock, seed=3) as (server, open_service):
        outcome = books.run(open_service())
    assert books.said == {number: said(number) for number in range(5)}
    assert (outcome.passes, outcome.tally.batches, outcome.tally.replies) == (3, 2, 10)
    assert not outcome.tally.notes
    assert not books.journal.batches
    assert len(server.asked) == 10


@both
def test_nobody_is_asked_twice_for_the_same_answer(kind: Kind) -> None:
    books = Books(questions=1)
    with serving(kind, clock=books.clock) as (server, open_service):
        books.run(open_service())
        outcome = books.run(open_service())
    assert outcome.passes == 1
    assert len(server.batching.jobs) == 1


@both
def test_batches_are_split_at_the_limits_of_the_provider(kind: Kind) -> None:
    books = Books(questions=1)
    with serving(kind, clock=books.clock) as (server, open_service):
        books.run(open_service(limits=BatchLimits(2, 10_000)))
        weight = open_service().weight("a" * 64, asking("0: heavy 0"))
        heavy = Books(questions=1, name="heavy", clock=books.clock)
        heavy.run(open_service(limits=BatchLimits(100, 3 * weight)))
    assert [len(job.ids) for job in server.batching.jobs] == [2, 2, 1, 3, 2]


@both
def test_a_request_that_fits_into_no_batch_fails_and_the_others_do_not(kind: Kind) -> None:
    with serving(kind) as (server, open_service):
        limit = BatchLimits(100, open_service().weight("a" * 64, asking("0: case 0")))
        books = Books(questions=1)
        with pytest.raises(RefusedRequestError, match="larger than a batch"):
            books.run(open_service(limits=limit), cases=11)
    assert sorted(books.said) == list(range(10))
    assert len(server.asked) == 10


@both
def test_a_failure_is_asked_again_and_nothing_is_lost(kind: Kind) -> None:
    books = Books()
    bad = failing(0.4)

    def fate_of(custom_id: str, before: int) -> Fate:
        return bad(custom_id, before) if before < 2 else "answered"

    with serving(kind, clock=books.clock, fate=fate_of) as (server, open_service):
        outcome = books.run(open_service(), cases=30)
    assert books.said == {number: said(number) for number in range(30)}
    assert outcome.tally.failures > 15
    assert outcome.tally.replies == len(server.asked) == 60


@both
@pytest.mark.parametrize("fate", ["errored", "expired", "canceled", "missing"])
def test_what_fails_three_times_is_the_failure_of_its_case(kind: Kind, fate: Fate) -> None:
    bad = key_of(asking("0: case 0"))
    books = Books(questions=1)

    def fate_of(custom_id: str, _: int) -> Fate:
        return fate if custom_id == bad else "answered"

    with (
        serving(kind, clock=books.clock, fate=fate_of) as (server, open_service),
        pytest.raises(ProviderError),
    ):
        books.run(open_service())
    assert [len(job.ids) for job in server.batching.jobs] == [5, 1, 1]
    assert not books.journal.batches


@both
def test_a_refused_request_is_not_asked_again(kind: Kind) -> None:
    def refusing(asked: Asked) -> Answer | Refused:
        return Refused(400, "no") if "case 0" in asked.last_words else echo(asked)

    books = Books()
    with (
        serving(kind, refusing, clock=books.clock) as (server, open_service),
        pytest.raises(RefusedRequestError, match="400"),
    ):
        books.run(open_service())
    assert [len(job.ids) for job in server.batching.jobs] == [5]


@both
def test_a_case_that_never_ends_fails_in_the_end(kind: Kind) -> None:
    books = Books(questions=100)
    with (
        serving(kind, clock=books.clock, polls=0) as (_, open_service),
        pytest.raises(ProviderError, match="came to no end"),
    ):
        books.run(open_service(), cases=1)


@both
def test_a_question_that_is_another_one_every_time_is_not_paid_for_ever(kind: Kind) -> None:
    numbers = itertools.count()

    class Forgetful(Books):
        @property
        def name(self) -> str:
            return f"try {next(numbers)} of case"

        @name.setter
        def name(self, _: str) -> None: ...

    books = Forgetful()
    with (
        serving(kind, clock=books.clock) as (server, open_service),
        pytest.raises(ProviderError, match="no case asked again"),
    ):
        books.run(open_service())
    assert len(server.batching.jobs) == 1


def test_two_models_are_asked_side_by_side() -> None:
    books = Books()
    with serving("openai", clock=books.clock) as (server, open_service):
        outcome = books.run(open_service("small"), open_service("large"))
    assert books.said[4] == said(4)
    assert {job.requests[0][1]["model"] for job in server.batching.jobs} == {"small", "large"}
    assert outcome.tally.batches == 2


@both
def test_pauses_grow_to_a_minute_and_progress_is_told(kind: Kind) -> None:
    books = Books(questions=1)
    with serving(kind, clock=books.clock, polls=10) as (_, open_service):
        books.run(open_service())
    assert books.clock.slept[:4] == [5.0, 7.5, 11.25, 16.875]
    assert books.clock.slept[-1] == 60.0
    last = books.progress[-1]
    assert (last.number, last.cases, last.finished) == (2, 5, 5)
    assert {(step.asked, step.answered) for step in books.progress} == {(0, 0), (5, 0), (5, 5)}


@both
def test_a_provider_that_is_away_for_a_while_is_waited_for(kind: Kind) -> None:
    books = Books()
    trouble = random.Random(4)

    def upset(_: Received) -> Refused | Broken | None:
        return trouble.choice([HANG_UP, Refused(503), None, None, None])

    with serving(kind, clock=books.clock, upset=upset) as (server, open_service):
        outcome = books.run(open_service())
    assert books.said[4] == said(4)
    assert len(server.batching.handed_in) == 10
    assert not outcome.tally.notes


@both
def test_a_batch_that_was_taken_without_a_word_is_found_again(kind: Kind) -> None:
    books = Books()

    def upset(received: Received) -> Broken | None:
        submitted = received.method == "POST" and received.path.endswith("batches")
        return HANG_UP if submitted else None

    options: dict[str, Any] = {"upset": upset, "acts_though_upset": True}
    with serving(kind, clock=books.clock, **options) as (server, open_service):
        outcome = books.run(open_service(limits=BatchLimits(4, 100_000)))
    assert books.said == {number: said(number) for number in range(5)}
    assert sorted(server.batching.handed_in) == sorted(set(server.batching.handed_in))
    assert not outcome.tally.notes


@both
def test_killed_at_any_instant_and_started_again_nothing_is_asked_twice(kind: Kind) -> None:
    kills = 0
    clock = Books().clock
    with serving(kind, clock=clock) as (server, open_service):
        service = open_service(limits=BatchLimits(2, 100_000))
        for kill_at in itertools.count(1):
            clock.pass_time(4_000.0)  # what is older can be none of ours
            books = Books(name=f"killed at {kill_at}, case", clock=clock, questions=1)
            try:
                books.run(service, cases=3, fuse=Fuse(kill_at))
                break
            except KilledError:
                kills += 1
            outcome = books.run(service, cases=3)
            assert books.said[2] == f"re: 0: {books.name} 2\u2028."
            assert not books.journal.batches
            assert not outcome.tally.notes
    assert kills > 30
    assert len(server.batching.handed_in) == len(set(server.batching.handed_in)) == 3 * (kills + 1)


def test_where_two_batches_could_be_the_lost_one_the_outcome_says_so() -> None:
    books = Books(questions=1)
    keys = tuple(key_of(asking(f"0: case {number}")) for number in range(2))
    with serving("anthropic", clock=books.clock) as (server, open_service):
        service = open_service()
        service.submit({"a": asking("x"), "b": asking("y")}, label="")
        service.submit({"c": asking("x"), "d": asking("y")}, label="")
        books.journal.opened(OpenBatch("lost", service.name, keys, books.clock.now()))
        outcome = books.run(service, cases=2)
    assert "2 requests to anthropic:small may be paid twice" in outcome.tally.notes[0]
    assert "msgbatch_1, msgbatch_0" in outcome.tally.notes[0]
    assert len(server.batching.jobs) == 3


def test_another_programs_batch_that_is_taken_for_ours_gives_no_answers() -> None:
    books = Books(questions=1)
    keys = tuple(key_of(asking(f"0: case {number}")) for number in range(2))
    with serving("anthropic", clock=books.clock) as (_, open_service):
        service = open_service()
        service.submit({"a": asking("x"), "b": asking("y")}, label="")
        books.journal.opened(OpenBatch("lost", service.name, keys, books.clock.now()))
        outcome = books.run(service, cases=2)
    assert books.said[1] == "re: 0: case 1\u2028."
    assert sorted(outcome.tally.notes) == [
        "batch 'msgbatch_0' answers 'a', which is not in it",
        "batch 'msgbatch_0' answers 'b', which is not in it",
    ]


@both
def test_a_batch_that_the_provider_has_forgotten_is_asked_again_and_said(kind: Kind) -> None:
    books = Books(questions=1)
    keys = tuple(key_of(asking(f"0: case {number}")) for number in range(5))
    with serving(kind, clock=books.clock) as (_, open_service):
        service = open_service()
        books.journal.opened(OpenBatch("l", service.name, keys, books.clock.now(), "gone"))
        outcome = books.run(service)
    assert books.said[4] == "re: 0: case 4\u2028."
    assert "knows no batch 'gone' any more" in outcome.tally.notes[0]


def test_a_batch_that_was_refused_while_nobody_looked_is_said_and_asked_again() -> None:
    books = Books(questions=1)
    keys = tuple(key_of(asking(f"0: case {number}")) for number in range(5))
    problems = iter([("empty_file", "The input file is empty.")])
    with serving("openai", clock=books.clock, problem=lambda _: next(problems, None)) as (
        _,
        open_service,
    ):
        service = open_service()
        left = service.submit({"a": asking("x")}, label="l")
        books.journal.opened(OpenBatch("l", service.name, keys, books.clock.now(), left))
        outcome = books.run(service)
    assert books.said[4] == "re: 0: case 4\u2028."
    assert "The input file is empty" in outcome.tally.notes[0]


@both
def test_what_ended_in_the_meantime_is_taken_up_before_anything_is_asked(kind: Kind) -> None:
    books = Books(questions=1)
    requests = {key_of(asking(f"0: case {n}")): asking(f"0: case {n}") for n in range(5)}
    with serving(kind, clock=books.clock, polls=0) as (server, open_service):
        service = open_service()
        batch_id = service.submit(requests, label="l")
        left = OpenBatch("l", service.name, tuple(requests), books.clock.now(), batch_id)
        books.journal.opened(left)
        assert books.run(service).passes == 1
    assert len(server.batching.jobs) == 1


@both
def test_batches_of_another_model_are_left_alone(kind: Kind) -> None:
    books = Books(questions=1)
    other = OpenBatch("l", "embedded:x", ("a",), 0.0, "batch_9")
    books.journal.opened(other)
    with serving(kind, clock=books.clock) as (_, open_service):
        books.run(open_service())
    assert books.journal.open_batches() == [other]


@both
def test_ctrl_c_leaves_the_batches_open_and_says_so(kind: Kind) -> None:
    books = Books()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with serving(kind, clock=books.clock) as (server, open_service):
        rested, books.clock.sleep = books.clock.sleep, interrupted
        with pytest.raises(LeftOpenError) as raised:
            books.run(open_service())
        name = server.batching.jobs[0].id
        assert f"'{name}' (5 requests)" in raised.value.message
        assert "run the same command again" in raised.value.hint
        books.clock.sleep = rested
        books.run(open_service())
    assert books.said[4] == said(4)
    assert len(server.batching.jobs) == 2


def test_a_full_queue_is_asked_for_less_at_once() -> None:
    def full(job: Any) -> tuple[str, str] | None:
        over = len(job.ids) > 3
        return ("token_limit_exceeded", "Enqueued token limit reached") if over else None

    books = Books()
    with serving("openai", clock=books.clock, problem=full) as (server, open_service):
        books.run(open_service(), cases=10)
    assert books.said == {number: said(number) for number in range(10)}
    assert [len(job.ids) for job in server.batching.jobs] == [10, 5, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    assert len(server.asked) == 20


def test_a_batch_that_is_refused_as_a_whole_stops_the_work() -> None:
    books = Books()
    problem = ("model_not_found", "The provided model is not supported by the Batch API.")
    with (
        serving("openai", clock=books.clock, problem=lambda _: problem) as (server, open_service),
        pytest.raises(RefusedBatchError, match="not supported by the Batch API"),
    ):
        books.run(open_service())
    assert len(server.batching.jobs) == 1
    assert not books.journal.batches


def test_awaiting_is_no_error_that_a_review_makes_a_verdict_of() -> None:
    assert not issubclass(AwaitingBatchError, AmicusError)
