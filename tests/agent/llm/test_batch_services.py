"""Both batch APIs through the real SDKs: what goes in, what comes back, and what goes wrong."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from agent.llm.batch import AskedDifferentlyError, BatchState, OpenBatch
from agent.llm.batch_wire import LONGEST_LINE
from agent.llm.exchange import (
    CalledTool,
    Message,
    OfferedTool,
    ProviderError,
    RateLimitedError,
    RefusedRequestError,
    Reply,
    Request,
    Tokens,
    UnavailableError,
)
from tests.agent.llm.batch_books import (
    KINDS,
    SERVICES,
    Books,
    Clock,
    Kind,
    asking,
    echo,
    key_of,
    serving,
)
from tests.wire.answers import HANG_UP, NOT_JSON, Answer, Asked, Broken, Refused, calls
from tests.wire.batches import Fate, Job
from tests.wire.loopback import Received

both = pytest.mark.parametrize("kind", KINDS)
THREE = {f"key-{number}": asking(f"case {number}") for number in range(3)}
LOOK_UP = OfferedTool(
    "look_up",
    "Look something up.",
    {
        "type": "object",
        "properties": {"question": {"type": "string"}},
        "required": ["question"],
        "additionalProperties": False,
    },
)
PLANTED = "sk-planted-d0a1c9f3e7"


def ended(service: Any, requests: dict[str, Request] = THREE) -> str:
    """Hand in a batch and look until it has ended; returns its id."""
    batch_id: str = service.submit(requests, label="amicus-1")
    while not service.poll(batch_id).ended:
        pass
    return batch_id


@both
def test_results_come_in_another_order_and_find_their_requests(kind: Kind) -> None:
    with serving(kind, seed=2) as (_, open_service):
        service = open_service()
        results = list(service.results(ended(service)))
    assert [key for key, _ in results] != list(THREE)
    assert {key: result.text for key, result in results if isinstance(result, Reply)} == {
        f"key-{number}": f"re: case {number}\u2028." for number in range(3)
    }


@both
def test_a_batched_reply_is_read_as_one_that_came_at_once(kind: Kind) -> None:
    request = Request(("Rules.",), (Message("user", "a"),), (LOOK_UP,), forced_tool="look_up")
    answer = calls("look_up", question="ß")
    with serving(kind, lambda _: answer) as (server, open_service):
        service = open_service()
        [(key, reply)] = list(service.results(ended(service, {"k": request})))
    assert key == "k"
    assert isinstance(reply, Reply)
    assert reply.finish == "tool_calls"
    assert [(c.name, json.loads(c.arguments)) for c in reply.calls] == [
        ("look_up", {"question": "ß"})
    ]
    assert isinstance(reply.calls[0], CalledTool)
    assert reply.model == "small"
    assert reply.tokens != Tokens()
    assert server.asked[0].forced_tool == "look_up"


@both
def test_a_state_says_how_far_a_batch_is(kind: Kind) -> None:
    with serving(kind, polls=1) as (_, open_service):
        service = open_service()
        batch_id = service.submit(THREE, label="amicus-1")
        assert service.poll(batch_id) == BatchState(ended=False, done=0, total=3)
        assert service.poll(batch_id) == BatchState(ended=True, done=3, total=3)


@both
@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("errored", "answered 500: 'Internal server error'"),
        ("expired", "did not answer: the batch expired"),
        ("canceled", "did not answer: the batch was cancelled"),
    ],
)
def test_what_was_not_answered_is_an_error_to_ask_again_after(
    kind: Kind, fate: Fate, told: str
) -> None:
    with serving(kind, fate=lambda key, _: fate if key == "key-1" else "answered") as (
        _,
        open_service,
    ):
        service = open_service()
        results = dict(service.results(ended(service)))
    error = results.pop("key-1")
    assert isinstance(error, UnavailableError)
    assert told in error.message
    assert all(isinstance(result, Reply) for result in results.values())


@both
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RefusedRequestError), (413, RefusedRequestError), (429, RateLimitedError)],
)
def test_an_error_in_a_batch_is_the_error_that_it_is_outside(
    kind: Kind, status: int, error: type[ProviderError]
) -> None:
    with serving(kind, lambda _: Refused(status, "bad")) as (_, open_service):
        service = open_service()
        results = dict(service.results(ended(service)))
    assert {type(result) for result in results.values()} == {error}


@both
def test_a_batch_can_be_cancelled(kind: Kind) -> None:
    with serving(kind) as (_, open_service):
        service = open_service()
        batch_id = service.submit(THREE, label="amicus-1")
        service.cancel(batch_id)
        while not service.poll(batch_id).ended:
            pass
        results = list(service.results(batch_id))
    assert len(results) == 3
    assert all(isinstance(result, UnavailableError) for _, result in results)


STRAYS = [
    (b"{", "it is no JSON object"),
    (b"[1]", "it is no JSON object"),
    (b"\xff\xfe", "it is no JSON object"),
    (b'{"a": 1, "a": 2}', "it is no JSON object"),
    (b'{"custom_id": 7}', "it names no request"),
    (b'{"result": {}, "response": {}}', "it names no request"),
]
WITHOUT = [
    {},
    {"result": {"type": "succeeded"}, "response": {"status_code": 200}},
    {"result": {"type": "succeeded", "message": {"content": "x"}}},
    {"response": {"status_code": 200, "body": {"choices": []}}},
    {"response": {"status_code": "200", "body": None}, "result": "none"},
]


@both
@pytest.mark.parametrize(("line", "why"), STRAYS)
def test_a_line_that_cannot_be_read_is_refused_by_its_place(
    kind: Kind, line: bytes, why: str
) -> None:
    with serving(kind, strays=lambda _: [line]) as (_, open_service):
        service = open_service()
        results = list(service.results(ended(service)))
    [refused] = [result for key, result in results if not key]
    assert isinstance(refused, ProviderError)
    assert why in refused.message
    assert "line " in refused.message
    assert len(results) == 4


@both
@pytest.mark.parametrize("rest", WITHOUT)
def test_a_line_without_an_answer_is_no_answer(kind: Kind, rest: dict[str, Any]) -> None:
    line = json.dumps({"custom_id": "key-9", **rest}).encode()
    with serving(kind, strays=lambda _: [line]) as (_, open_service):
        service = open_service()
        refused = dict(service.results(ended(service)))["key-9"]
    assert isinstance(refused, UnavailableError)
    assert "holds neither an answer nor an error" in refused.message


@both
def test_foreign_and_contradictory_results_are_refused_by_name(kind: Kind) -> None:
    twice = key_of(asking("0: case 1"))
    answers = {"openai": "response", "anthropic": "result"}

    def strays(job: Job) -> list[bytes]:
        if len(job.ids) < 5:
            return []
        again = {"custom_id": twice, answers[kind]: {}}
        return [json.dumps(line).encode() for line in ({"custom_id": "theirs"}, again)]

    books = Books(questions=1)
    with serving(kind, clock=books.clock, strays=strays) as (server, open_service):
        outcome = books.run(open_service())
    name = server.batching.jobs[0].id
    assert sorted(outcome.tally.notes) == sorted(
        [
            f"batch '{name}' answers 'theirs', which is not in it",
            f"batch '{name}' answers {twice} twice, and differently",
        ]
    )
    assert server.batching.handed_in[5:] == [twice]
    assert len(books.said) == 5


@both
def test_an_answer_garbled_on_its_way_is_asked_for_again(kind: Kind) -> None:
    garbled = iter([Broken(b'{"custom_id": "ab'), Broken(b"")])

    def script(asked: Asked) -> Answer | Broken:
        return next(garbled, None) or echo(asked)

    books = Books(questions=1)
    with serving(kind, script, clock=books.clock) as (server, open_service):
        outcome = books.run(open_service())
    assert books.said == {number: f"re: 0: case {number}\u2028." for number in range(5)}
    assert [len(job.ids) for job in server.batching.jobs] == [5, 2]
    assert len(outcome.tally.notes) == 1


@both
@pytest.mark.parametrize("at", [0, 1, 40, 400])
def test_results_that_break_off_are_fetched_again(kind: Kind, at: int) -> None:
    breaks = iter([at])

    def upset(received: Received) -> Broken | None:
        if not received.path.endswith(("/content", "/results")):
            return None
        cut = next(breaks, None)
        return None if cut is None else Broken(b'{"custom_id": "x"}\n' * 40, cut_at=cut)

    books = Books(questions=1)
    with serving(kind, clock=books.clock, upset=upset) as (server, open_service):
        outcome = books.run(open_service())
    assert len(books.said) == 5
    assert len(server.batching.jobs) == 1
    assert not outcome.tally.notes


def test_results_may_be_larger_than_a_single_answer() -> None:
    line = json.dumps({"custom_id": "k", "pad": "x" * 2**20}).encode()
    with serving("openai", strays=lambda _: [line] * 33) as (_, open_service):
        service = open_service()
        results = list(service.results(ended(service)))
    assert sum(key == "k" for key, _ in results) == 33


def test_a_line_without_an_end_is_not_read_for_ever() -> None:
    with serving("anthropic", strays=lambda _: [b"x" * (LONGEST_LINE + 1)]) as (_, open_service):
        service = open_service()
        batch_id = ended(service)
        with pytest.raises(UnavailableError, match="a line of more than"):
            list(service.results(batch_id))


@pytest.mark.parametrize("key", ["", "a" * 65, "a b", "sha256:ab", "ä"])
@both
def test_keys_that_a_provider_does_not_take_are_never_sent(kind: Kind, key: str) -> None:
    with serving(kind) as (server, open_service):
        with pytest.raises(ValueError, match="keys of 1 to 64"):
            open_service().submit({key: asking("x")}, label="amicus-1")
        assert not server.batching.files


def test_a_parameter_that_the_model_refuses_is_left_out_of_the_next_batch() -> None:
    books = Books(questions=1)
    with serving("openai", clock=books.clock) as (server, open_service):
        outcome = books.run(open_service("gpt-5-thinking"))
    held = [set(job.requests[0][1]) - {"model", "messages"} for job in server.batching.jobs]
    assert held == [
        {"max_tokens", "temperature"},
        {"max_completion_tokens", "temperature"},
        {"max_completion_tokens"},
    ]
    assert (outcome.passes, len(books.said)) == (4, 5)


@pytest.mark.parametrize(
    ("param", "error"),
    [
        ("seed", AskedDifferentlyError),
        ("parallel_tool_calls", AskedDifferentlyError),
        ("messages", RefusedRequestError),
        ("model", RefusedRequestError),
        ("unheard_of", RefusedRequestError),
    ],
)
def test_only_what_can_be_left_out_is_left_out(param: str, error: type[ProviderError]) -> None:
    refused = Refused(400, "not this one", param=param)
    with serving("openai", lambda _: refused) as (_, open_service):
        service = open_service()
        results = dict(service.results(ended(service, {"k": asking("x")})))
    assert isinstance(results["k"], error)


def test_a_server_without_batches_says_so() -> None:
    with (
        serving("openai", upset=lambda _: Refused(404, "no /v1/files here")) as (_, open_service),
        pytest.raises(RefusedRequestError) as raised,
    ):
        open_service().submit(THREE, label="amicus-1")
    assert raised.value.hint == "this server offers no batches"


def test_a_batch_of_openai_is_found_by_its_label_however_many_there_are() -> None:
    clock = Clock()
    with serving("openai", clock=clock) as (server, open_service):
        service = open_service()
        wanted = service.submit(THREE, label="amicus-wanted")
        for _ in range(120):
            server.batching.open("openai", [], metadata={"amicus_batch": "another"})
        batch = OpenBatch("amicus-wanted", service.name, tuple(THREE), clock.now())
        assert service.find(batch, known=()).id == wanted
        missing = OpenBatch("amicus-missing", service.name, tuple(THREE), clock.now())
        assert not service.find(missing, known=()).id


def test_a_batch_of_anthropic_is_found_by_its_size_and_time_and_requests() -> None:
    clock = Clock()
    with serving("anthropic", clock=clock) as (_, open_service):
        service = open_service()
        service.submit(THREE, label="")
        clock.pass_time(3_600.0)
        ended(service, {f"other-{key}": request for key, request in THREE.items()})
        service.submit({"k": asking("x")}, label="")
        known = service.submit(THREE, label="")
        batch = OpenBatch("l", service.name, tuple(THREE), clock.now())
        assert not service.find(batch, known=[known]).id
        assert service.find(batch, known=()).id == known
        assert ended(service) != known
        found = service.find(batch, known=[known])
    assert found.id == "msgbatch_4"
    assert not found.doubt


@both
@pytest.mark.parametrize(
    "mishap",
    [
        Refused(400, f"your header was Bearer {PLANTED}"),
        Refused(401, f"Incorrect API key provided: {PLANTED}"),
        Refused(404, PLANTED),
        Refused(429, PLANTED),
        Refused(500, PLANTED),
        Refused(418, code=PLANTED),
        HANG_UP,
        NOT_JSON,
        Broken(PLANTED.encode()),
        Broken(b'{"id": 1}', cut_at=1),
        Broken(b"{}"),
    ],
    ids=str,
)
def test_a_planted_key_turns_up_nowhere(kind: Kind, mishap: Refused | Broken) -> None:
    with serving(kind, upset=lambda _: mishap) as (server, _):
        server.key = PLANTED
        url = server.openai_url if kind == "openai" else server.anthropic_url
        service = SERVICES[kind]("small", key=PLANTED, base_url=url)
        batch = OpenBatch("l", service.name, ("a",), 0.0)
        ways = [
            lambda: service.submit(THREE, label="amicus-1"),
            lambda: service.poll("batch_1"),
            lambda: list(service.results("batch_1")),
            lambda: service.cancel("batch_1"),
            lambda: service.find(batch, known=()),
        ]
        told = [told_everywhere(way) for way in ways]
        service.close()
    assert any(told)
    assert PLANTED not in f"{told}{service!r}"


@both
def test_a_planted_key_in_a_result_turns_up_nowhere(kind: Kind) -> None:
    refused = Refused(400, f"Bearer {PLANTED}", code=PLANTED)
    with serving(kind, lambda _: refused) as (server, _):
        server.key = PLANTED
        url = server.openai_url if kind == "openai" else server.anthropic_url
        service = SERVICES[kind]("small", key=PLANTED, base_url=url)
        [(_, error)] = list(service.results(ended(service, {"k": asking("x")})))
        service.close()
    assert isinstance(error, ProviderError)
    assert "planted" not in f"{error!r} {vars(error)}"


def told_everywhere(way: Any) -> str:
    """Whatever a failure tells, with the variables of every frame that it came through."""
    raised = None
    try:
        way()
    except ProviderError as error:
        raised = error
    if raised is None:
        return ""
    assert raised.__cause__ is None
    assert raised.__context__ is None
    told = traceback.TracebackException.from_exception(raised, capture_locals=True)
    ours = [line for line in told.format() if "test_batch_services" not in line]
    return "".join([*ours, str(vars(raised))])


@both
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(kind: Kind) -> None:
    for odd in (f"{PLANTED}\n", f"{PLANTED} ", f"{PLANTED}\u00e9"):
        with pytest.raises(RefusedRequestError) as raised:
            SERVICES[kind]("m", key=odd, base_url="http://127.0.0.1:1/v1")
        assert "planted" not in f"{raised.value!r}{raised.value.hint}"
    with pytest.raises(RefusedRequestError, match="no key"):
        SERVICES[kind]("m", key="")
