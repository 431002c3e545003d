from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from errors import SettingsError
from records.outbox import next_due, outbox_counts, send_again
from records.store import Records
from tests.triage.scenes import NOW, Clock, a_case
from triage.webhooks import FIRST_WAIT, MOST_TRIES, deliver, keep_delivering, receiver

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of a good secret").decode()


@dataclass
class Heard:
    """What a receiver heard, and what it answers."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    """The first answers; 200 afterwards."""
    seconds: float = 0.0
    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.messages]


@contextmanager
def listening(heard: Heard) -> Iterator[Heard]:
    """A receiver on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.messages.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(heard.seconds)
            self.send_response(heard.answers.pop(0) if heard.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def decided(sqlite_records: Records, add: Callable[..., Any], run: Callable[..., Any]) -> Records:
    """Three cases that a machine has decided."""
    add(sqlite_records, *(a_case(number) for number in range(3)))
    run(sqlite_records)
    return sqlite_records


@pytest.fixture
def later(clock: Clock) -> Clock:
    """A clock that is past every decision."""
    clock.now = max(time.time(), NOW) + 10
    return clock


def test_a_receiver_can_prove_who_sent_what_and_when(decided: Records, later: Clock) -> None:
    with listening(Heard()) as heard:
        done = deliver(decided, receiver(heard.url, SECRET), clock=later)

    assert (done.sent, done.failed) == (3, 0)
    headers, body = heard.messages[0]
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    proof = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{proof}"
    assert int(headers["webhook-timestamp"]) == int(later())
    said = json.loads(body)
    assert (said["type"], said["decision"], said["decided_by"]) == (
        "case.decided",
        "violating",
        "machine",
    )
    assert said["record_hash"] == headers["webhook-id"]
    assert outbox_counts(decided) == {"due": 0, "sent": 3, "given up": 0}


def test_what_was_not_taken_is_sent_again_later_under_the_same_key(
    decided: Records, later: Clock
) -> None:
    with listening(Heard(answers=[500, 404, 200])) as heard:
        to = receiver(heard.url, SECRET)
        first = deliver(decided, to, clock=later)
        at_once = deliver(decided, to, clock=later)
        later.now += FIRST_WAIT
        second = deliver(decided, to, clock=later)

    assert (first.sent, first.failed, at_once.sent, second.sent) == (1, 2, 0, 2)
    keys = heard.keys()
    assert sorted(keys[3:]) == sorted(keys[:2])
    assert outbox_counts(decided)["sent"] == 3


def test_a_receiver_that_is_down_or_slow_loses_nothing(decided: Records, later: Clock) -> None:
    with listening(Heard()) as heard:
        url = heard.url
    down = deliver(decided, receiver(url, SECRET), clock=later)
    later.now += FIRST_WAIT
    with listening(Heard(seconds=0.5)) as slow:
        late = deliver(decided, receiver(slow.url, SECRET, seconds=0.1), clock=later)

    assert (down.sent, down.failed, late.sent, late.failed) == (0, 3, 0, 3)
    assert outbox_counts(decided)["due"] == 3


def test_the_waits_grow_and_end_and_somebody_can_start_anew(decided: Records, later: Clock) -> None:
    with listening(Heard()) as heard:
        to = receiver(heard.url, SECRET)
    waits = []
    while (due := next_due(decided)) is not None:
        waits.append(max(0.0, due - later.now))
        later.now += waits[-1]
        assert deliver(decided, to, clock=later).sent == 0
    assert len(waits) == MOST_TRIES
    assert waits[1:5] == pytest.approx([5, 10, 20, 40])
    assert max(waits) == pytest.approx(3_600)

    assert outbox_counts(decided)["given up"] == 3
    assert send_again(decided, now=later()) == 3
    with listening(Heard()) as heard:
        assert deliver(decided, receiver(heard.url, SECRET), clock=later).sent == 3


def test_a_redirect_is_not_followed(decided: Records, later: Clock) -> None:
    with listening(Heard(answers=[302, 307, 308])) as heard:
        done = deliver(decided, receiver(heard.url, SECRET), clock=later)

    assert (done.sent, done.failed, len(heard.messages)) == (0, 3, 3)


def test_two_couriers_send_each_message_once(decided: Records, later: Clock) -> None:
    with listening(Heard(seconds=0.05)) as heard:
        to = receiver(heard.url, SECRET)
        threads = [
            threading.Thread(target=deliver, args=(decided, to), kwargs={"clock": later})
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(set(heard.keys())) == sorted(heard.keys())
    assert len(heard.keys()) == 3


def test_nothing_is_sent_before_a_decision(
    sqlite_records: Records, add: Callable[..., Any], later: Clock
) -> None:
    add(sqlite_records, a_case(1))
    with listening(Heard()) as heard:
        assert deliver(sqlite_records, receiver(heard.url, SECRET), clock=later).sent == 0


def test_a_courier_sends_what_is_left_when_the_run_is_over(decided: Records) -> None:
    stop = threading.Event()
    stop.set()
    with listening(Heard()) as heard:
        keep_delivering(decided, receiver(heard.url, SECRET), stop)

    assert outbox_counts(decided)["sent"] == 3


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("ftp://example.org", SECRET, "WEBHOOK_URL"),
        ("nonsense", SECRET, "WEBHOOK_URL"),
        ("http://[::bad", SECRET, "WEBHOOK_URL"),
        ("https://example.org/hook", "", "WEBHOOK_SECRET"),
        ("https://example.org/hook", "short", "WEBHOOK_SECRET"),
        ("https://example.org/hook", "whsec_!!!", "WEBHOOK_SECRET"),
    ],
)
def test_a_receiver_without_address_or_secret_is_refused(url: str, secret: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        receiver(url, secret)
