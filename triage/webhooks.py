"""Tell another system what was decided: signed, at least once, and never before the decision.

The form is that of Standard Webhooks (standardwebhooks.com, version 1): the headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`, an HMAC-SHA256 over the three parts of the message.
The id is the same on every try, so that a receiver can drop what comes twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from errors import SettingsError
from records.outbox import Letter, collect, delivered, not_delivered
from records.refusals import PassingRefusalError
from records.store import Records

FIRST_WAIT = 5.0
LONGEST_WAIT = 3_600.0
MOST_TRIES = 40
"""After so many tries, in a day and a half, a message is given up, until somebody retries it."""
TOGETHER = 16
LEAST_KEY = 16
"""Bytes of a secret that is worth the name."""
_SPARE_SECONDS = 60.0


@dataclass(frozen=True)
class Receiver:
    """Who is told."""

    url: str
    secret: bytes
    seconds: float = 10.0
    """How long one try may take."""


@dataclass
class Delivery:
    """What became of the messages that were due."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def receiver(url: str, secret: str, *, seconds: float = 10.0) -> Receiver:
    """Return a receiver.

    Args:
        url: Where it listens.
        secret: Shared with it; `whsec_` and base64, as Standard Webhooks has it, or any text.
        seconds: How long one try may take.

    Raises:
        SettingsError: The address is none, or the secret is missing or too short.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SettingsError(
            "AMICUS_WEBHOOK_URL is no web address", hint="write it as https://host/path"
        )
    key = _key(secret)
    if len(key) < LEAST_KEY:
        raise SettingsError(
            "AMICUS_WEBHOOK_SECRET is missing or too short: nobody could trust the messages",
            hint="make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return Receiver(url, key, seconds)


def signature(secret: bytes, key: str, timestamp: int, body: str) -> str:
    """Return the signature of a message: `v1,` and the base64 of its HMAC."""
    told = f"{key}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(secret, told, hashlib.sha256).digest()).decode()


class Courier:
    """Carries messages to one receiver, over one open client."""

    def __init__(
        self,
        records: Records,
        to: Receiver,
        client: httpx.Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._to = to
        self._client = client
        self._clock = clock

    def deliver(self) -> Delivery:
        """Send what is due, once; what fails is due again later, each time after a longer wait."""
        done = Delivery()
        spare = TOGETHER * self._to.seconds + _SPARE_SECONDS
        while True:
            now = self._clock()
            letters = collect(self._records, limit=TOGETHER, now=now, busy_until=now + spare)
            if not letters:
                return done
            for letter in letters:
                self._carry(letter, done)

    def _carry(self, letter: Letter, done: Delivery) -> None:
        fault = _post(self._to, letter, self._client, int(self._clock()))
        if not fault:
            delivered(self._records, letter)
            done.sent += 1
            return
        given_up = letter.tries >= MOST_TRIES
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (letter.tries - 1))
        next_at = None if given_up else self._clock() + wait
        not_delivered(self._records, letter, fault=fault, next_at=next_at)
        done.given_up += given_up
        done.failed += not given_up


def deliver(records: Records, to: Receiver, *, clock: Callable[[], float] = time.time) -> Delivery:
    """Send what is due, once."""
    with _client(to) as client:
        return Courier(records, to, client, clock).deliver()


def keep_delivering(
    records: Records, to: Receiver, stop: threading.Event, *, every: float = 1.0
) -> None:
    """Deliver until `stop`, and once more then; what a full disk keeps back goes the next time."""
    with _client(to) as client:
        courier = Courier(records, to, client)
        while not stop.wait(every):
            with suppress(PassingRefusalError):
                courier.deliver()
        courier.deliver()


def _client(to: Receiver) -> httpx.Client:
    # No redirects: whoever was meant to hear of a decision is whoever was named.
    return httpx.Client(timeout=to.seconds, follow_redirects=False)


def _post(to: Receiver, letter: Letter, client: httpx.Client, timestamp: int) -> str:
    """Send a message; return why the receiver does not have it, or nothing."""
    headers = {
        "content-type": "application/json",
        "webhook-id": letter.key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(to.secret, letter.key, timestamp, letter.body),
    }
    try:
        answer = client.post(to.url, content=letter.body.encode(), headers=headers)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.is_success else f"HTTP {answer.status_code}"


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return b""
    return secret.encode()
