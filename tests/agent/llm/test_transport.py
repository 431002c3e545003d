from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest

from agent.llm.transport import LARGEST_ANSWER, SocketTransport, open_http_client
from tests.wire.loopback import Received, Sent, listening

Telling = Callable[[Received], Sent]


@contextmanager
def talking_to(telling: Telling) -> Iterator[tuple[httpx2.Client, str]]:
    async def answering(received: Received) -> Sent:
        return telling(received)

    with listening(answering) as url, open_http_client(url) as client:
        yield client, url


def test_a_request_arrives_as_it_was_made() -> None:
    seen: list[Received] = []

    def telling(received: Received) -> Sent:
        seen.append(received)
        return Sent(200, {"x-request-id": "r-1"}, b'{"a": 1}')

    with talking_to(telling) as (client, url):
        response = client.post(f"{url}/v1/x?y=1", content=b"body")
    assert response.json() == {"a": 1}
    assert response.headers["x-request-id"] == "r-1"
    assert (seen[0].method, seen[0].path, seen[0].body) == ("POST", "/v1/x?y=1", b"body")
    assert seen[0].headers["host"] == url.removeprefix("http://")


def test_threads_use_connections_of_their_own_and_leave_them_for_later() -> None:
    with talking_to(lambda received: Sent(body=received.body, after=0.02)) as (client, url):

        def ask(number: int) -> bytes:
            return client.post(url, content=str(number).encode()).content

        for _ in range(3):
            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(ask, range(24)))
            assert answers == [str(number).encode() for number in range(24)]


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    bodies = [Sent(body=b"first", headers={"connection": "close"}), Sent(body=b"second")]
    with talking_to(lambda _: bodies.pop(0)) as (client, url):
        assert client.get(url).content == b"first"
        assert client.get(url).content == b"second"


def test_a_server_that_went_away_in_between_is_found_again() -> None:
    async def answering(_: Received) -> Sent:
        return Sent(body=b"here")

    with httpx2.Client(transport=SocketTransport()) as client:
        with listening(answering) as url:
            port = int(url.rpartition(":")[2])
            assert client.get(url).content == b"here"
        with listening(answering, port=port):
            assert client.get(url).content == b"here"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (Sent(reset=True), httpx2.ReadError),
        (Sent(body=b"0123456789", cut_at=4), httpx2.RemoteProtocolError),
        (Sent(body=b"x" * 100, drip=0.05), httpx2.ReadTimeout),
        (Sent(body=b"late", after=2.0), httpx2.ReadTimeout),
        (Sent(body=b"plain", headers={"content-encoding": "gzip"}), httpx2.DecodingError),
    ],
)
def test_what_goes_wrong_on_the_way_is_told(sent: Sent, error: type[Exception]) -> None:
    with talking_to(lambda _: sent) as (client, url), pytest.raises(error):
        client.get(url, timeout=0.3)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    endless = Sent(body=b"\n" * (LARGEST_ANSWER + 1))
    with talking_to(lambda _: endless) as (client, url), pytest.raises(httpx2.ReadError):
        client.get(url, timeout=30)


def test_nobody_listening_is_told_at_once() -> None:
    with talking_to(lambda _: Sent()) as (client, url):
        pass
    with open_http_client(url) as client, pytest.raises(httpx2.ConnectError):
        client.get(url)


def test_a_redirect_is_not_followed_because_the_key_would_go_with_it() -> None:
    elsewhere = Sent(307, {"location": "http://127.0.0.1:9/"})
    with talking_to(lambda _: elsewhere) as (client, url):
        assert client.post(url, headers={"authorization": "Bearer k"}).status_code == 307


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def telling(received: Received) -> Sent:
        seen.append(received.path)
        return Sent(body=b"by the proxy")

    with talking_to(telling) as (_, proxy):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with open_http_client("http://models.example/v1") as client:
            assert client.get("http://models.example/v1").content == b"by the proxy"
    assert seen == ["http://models.example/v1"]


def test_the_sdks_do_not_log_what_is_sent() -> None:
    with talking_to(lambda _: Sent()):
        for name in ("openai", "anthropic", "httpx2", "httpcore2"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
