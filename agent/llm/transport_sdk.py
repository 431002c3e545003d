"""The way through an SDK and back: one POST, the plain data of the answer, no retries.

An SDK's typed methods walk every message of a request by its annotations, which costs up to a
millisecond of the one interpreter lock; `post` with a raw response is the documented way around it
in both SDKs. Authorisation, headers, time-outs and errors remain theirs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.llm.exchange import Deadline, OutOfTimeError, RefusedRequestError
from agent.llm.transport_errors import Failures

PATIENCE = 120.0
"""Seconds that one answer may take."""


@dataclass(frozen=True)
class Answered:
    """The JSON object that came back, and the id of the request for the provider's support."""

    data: Mapping[str, Any]
    request_id: str


@dataclass(frozen=True)
class Wire:
    """One client of an SDK, and how what it raises becomes ours. Safe to share between threads."""

    sdk: Any
    errors: type[Exception]
    """The root of the errors of the SDK."""
    client: Any
    raw: type
    """The class of response that the SDK hands through as it came."""
    failures: Failures
    id_header: str
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic

    def post(self, path: str, body: Mapping[str, Any], deadline: Deadline | None) -> Answered:
        """Return what the provider answered to one request.

        Raises:
            ProviderError: There is no answer, or it is no JSON object, or it is late.
        """
        allowed = self._allowed(deadline)
        try:
            response = self.client.post(
                path, cast_to=self.raw, body=body, options={"timeout": allowed}
            )
        except self.errors as error:
            failure = self.failures.from_sdk(self.sdk, error)
        else:
            return self._read(response)
        # Raised out here, because in there the SDK's error would be its context, and hold the key.
        if deadline is not None and self.clock() >= deadline.at:
            raise self._late()
        raise failure

    def _allowed(self, deadline: Deadline | None) -> float:
        if deadline is None:
            return self.patience
        left = deadline.at - self.clock()
        if left <= 0:
            raise self._late()
        return min(self.patience, left)

    def _late(self) -> OutOfTimeError:
        return OutOfTimeError(
            f"the time for this case was over before {self.failures.who} answered",
            hint="allow more time, or ask a faster model",
        )

    def _read(self, response: Any) -> Answered:
        why = "it is no JSON"
        try:
            data = json.loads(response.content, object_pairs_hook=_named_once)
        except (ValueError, RecursionError):
            data = None
        else:
            why = "it is no JSON object"
        if not isinstance(data, dict):
            raise self.failures.unreadable(why)
        return Answered(data, response.headers.get(self.id_header, ""))


def _named_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object, if no name stands in it twice: which of the two would the model have meant?"""
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return named


def checked_key(key: str, who: str) -> str:
    """Return `key`, if it can stand in a header.

    Raises:
        RefusedRequestError: It holds white space or letters that no key has; it is not repeated.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise RefusedRequestError(
            f"the key for {who} holds white space or letters that no key has",
            hint="copy the key again; is there a line break at its end?",
        )
    return key


def on_the_wire(text: str) -> str:
    r"""Return `text` without halves of characters, which a model can write and UTF-8 cannot.

    >>> on_the_wire("a\ud800b")
    'a?b'
    """
    return text.encode("utf-8", "replace").decode("utf-8")
