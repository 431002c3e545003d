"""The simulated batch APIs, seen through the real SDKs and their own schemas of the answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.wire.answers import Answer, Asked, Refused
from tests.wire.batches import Batching, failing
from tests.wire.language_models import LanguageModels, language_models

USER: Any = {"role": "user", "content": "hello"}
LINE = {
    "custom_id": "a",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "small", "messages": [USER]},
}


def echo(asked: Asked) -> Answer | Refused:
    return Refused(400, "no") if "bad" in asked.last_words else Answer(asked.last_words)


@contextmanager
def openai_client(**batching: Any) -> Iterator[tuple[openai.OpenAI, LanguageModels]]:
    with (
        language_models(echo, batching=Batching(**batching)) as server,
        openai.OpenAI(
            api_key=server.key,
            base_url=server.openai_url,
            max_retries=0,
            _strict_response_validation=True,
        ) as client,
    ):
        yield client, server


@contextmanager
def anthropic_client(**batching: Any) -> Iterator[tuple[anthropic.Anthropic, LanguageModels]]:
    with (
        language_models(echo, batching=Batching(**batching)) as server,
        anthropic.Anthropic(
            api_key=server.key,
            base_url=server.anthropic_url,
            max_retries=0,
            _strict_response_validation=True,
        ) as client,
    ):
        yield client, server


def opened(client: openai.OpenAI, *lines: dict[str, Any]) -> openai.types.Batch:
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    file = client.files.create(file=("requests.jsonl", data), purpose="batch")
    assert file.bytes == len(data)
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"name": "mine"},
    )


def line(custom_id: str, words: str = "hello") -> dict[str, Any]:
    body = {"model": "small", "messages": [{"role": "user", "content": words}]}
    return LINE | {"custom_id": custom_id, "body": body}


def request(custom_id: str, words: str = "hello") -> Any:
    turn = {"role": "user", "content": words}
    return {
        "custom_id": custom_id,
        "params": {"model": "small", "max_tokens": 9, "messages": [turn]},
    }


def test_a_batch_of_openai_goes_through_its_states_to_two_files() -> None:
    with openai_client(polls=2) as (client, _):
        batch = opened(client, line("a"), line("b", "bad"), line("c"))
        states = [batch.status]
        while states[-1] != "completed":
            batch = client.batches.retrieve(batch.id)
            states.append(batch.status)
        assert states == ["validating", "in_progress", "in_progress", "completed"]
        assert batch.metadata == {"name": "mine"}
        files = [batch.output_file_id or "", batch.error_file_id or ""]
        good, bad = (
            [json.loads(line) for line in client.files.content(file).text.splitlines()]
            for file in files
        )
    assert sorted(entry["custom_id"] for entry in good) == ["a", "c"]
    assert [entry["response"]["status_code"] for entry in bad] == [400]
    completion = good[0]["response"]["body"]
    assert openai.types.chat.ChatCompletion.model_validate(completion).choices[0].message.content


def test_batches_of_openai_are_listed_newest_first_and_page_by_page() -> None:
    with openai_client() as (client, _):
        ids = [opened(client, line("a")).id for _ in range(5)]
        assert [batch.id for batch in client.batches.list(limit=2)] == ids[::-1]


def test_a_batch_of_openai_that_is_cancelled_gives_its_requests_back() -> None:
    with openai_client() as (client, _):
        batch = opened(client, line("a"))
        assert client.batches.cancel(batch.id).status == "cancelling"
        while batch.status != "cancelled":
            batch = client.batches.retrieve(batch.id)
        told = json.loads(client.files.content(batch.error_file_id or "").text)
    assert told["error"]["code"] == "batch_cancelled"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "empty_file"),
        ([line("a"), line("a")], "duplicate_custom_id"),
        ([{"custom_id": "a"}], "invalid_json_line"),
        ([line("a") | {"url": "/v1/embeddings"}], "invalid_url"),
        ([line("a"), line("b") | {"body": {"model": "large"}}], "mismatched_model"),
    ],
)
def test_a_file_that_openai_refuses_fails_its_batch(lines: list[Any], code: str) -> None:
    with openai_client() as (client, server):
        batch = client.batches.retrieve(opened(client, *lines).id)
        assert batch.status == "failed"
        assert batch.errors is not None
        assert [error.code for error in batch.errors.data or []] == [code]
        assert not server.asked


@pytest.mark.parametrize(
    "change",
    [
        {"completion_window": "1h"},
        {"endpoint": "/v1/embeddings"},
        {"input_file_id": "file-9"},
        {"metadata": {"a": "x" * 513}},
        {"metadata": {str(number): "x" for number in range(17)}},
        {"unheard_of": 1},
    ],
)
def test_a_batch_that_openai_refuses_is_refused(change: dict[str, Any]) -> None:
    with openai_client() as (client, server):
        file = client.files.create(file=("x.jsonl", b"{}\n"), purpose="batch")
        body = {
            "input_file_id": file.id,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
            client.post("/batches", body=body | change, cast_to=object)
        with pytest.raises(openai.BadRequestError):
            client.files.create(file=("x.jsonl", b"{}\n"), purpose="vision")
        assert not server.batching.jobs


def test_a_batch_of_anthropic_goes_on_until_it_has_ended() -> None:
    with anthropic_client(seed=1) as (client, _):
        asked = [request("a"), request("b", "bad"), request("c")]
        batch = client.messages.batches.create(requests=asked)
        states = [batch.processing_status]
        while states[-1] != "ended":
            batch = client.messages.batches.retrieve(batch.id)
            states.append(batch.processing_status)
        assert states == ["in_progress", "in_progress", "ended"]
        counts = batch.request_counts
        assert (counts.succeeded, counts.errored, counts.processing) == (2, 1, 0)
        results = list(client.messages.batches.results(batch.id))
    assert [result.custom_id for result in results] != ["a", "b", "c"]
    kinds = {result.custom_id: result.result.type for result in results}
    assert kinds == {"a": "succeeded", "b": "errored", "c": "succeeded"}


def test_batches_of_anthropic_are_listed_newest_first_and_page_by_page() -> None:
    with anthropic_client() as (client, _):
        ids = [client.messages.batches.create(requests=[request("a")]).id for _ in range(5)]
        assert [batch.id for batch in client.messages.batches.list(limit=2)] == ids[::-1]


def test_a_batch_of_anthropic_that_is_cancelled_gives_its_requests_back() -> None:
    with anthropic_client() as (client, _):
        batch = client.messages.batches.create(requests=[request("a")])
        assert client.messages.batches.cancel(batch.id).processing_status == "canceling"
        with pytest.raises(anthropic.AnthropicError):
            client.messages.batches.results(batch.id)
        while batch.processing_status != "ended":
            batch = client.messages.batches.retrieve(batch.id)
        [result] = list(client.messages.batches.results(batch.id))
    assert result.result.type == "canceled"


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [request("a"), request("a")],
        [request("")],
        [request("a b")],
        [request("a" * 65)],
        [request("a") | {"method": "POST"}],
        [{"custom_id": "a"}],
    ],
)
def test_a_batch_that_anthropic_refuses_is_refused(requests: list[Any]) -> None:
    with anthropic_client() as (client, server):
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.create(requests=requests)
        assert not server.batching.jobs


def test_a_wrong_key_opens_no_batch() -> None:
    with openai_client() as (client, server), anthropic_client() as (other, _):
        server.key = "another"
        with pytest.raises(openai.AuthenticationError):
            client.batches.retrieve("batch_0")
        other.api_key = "wrong"
        with pytest.raises(anthropic.AuthenticationError):
            other.messages.batches.retrieve("msgbatch_0")


def test_a_share_of_the_requests_fails_and_the_same_ones_every_time() -> None:
    fate = failing(0.25, seed=1)
    drawn = [fate(str(number), 0) for number in range(2_000)]
    assert drawn == [fate(str(number), 0) for number in range(2_000)]
    assert sum(one != "answered" for one in drawn) == pytest.approx(500, rel=0.1)
    assert set(drawn) == {"answered", "errored", "expired", "canceled", "missing"}


def test_batches_are_worked_off_by_the_server_that_contributors_start() -> None:
    command = [sys.executable, "-m", "tests.wire.language_models", "--batch-polls", "0"]
    with subprocess.Popen(
        [*command, "--batch-failures", "1.0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with openai.OpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0) as client:
            batch = client.batches.retrieve(opened(client, line("a")).id)
        assert batch.status in {"completed", "expired"}
        assert batch.request_counts is not None
        assert batch.request_counts.failed == 1
        process.terminate()
