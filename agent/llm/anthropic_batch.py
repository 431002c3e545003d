"""Anthropic's batches of messages, through the anthropic SDK."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from agent.llm.anthropic_provider import ANTHROPIC_URL, messages_body, read_message
from agent.llm.batch import (
    BatchLimits,
    BatchState,
    Found,
    OpenBatch,
    Result,
    checked_keys,
)
from agent.llm.batch_wire import (
    BATCH_PATIENCE,
    BatchWire,
    count_of,
    id_in,
    in_path,
    object_in,
    object_of,
    open_patient_client,
    text_of,
    unreadable_line,
)
from agent.llm.exchange import RefusedRequestError, Request, UnavailableError
from agent.llm.transport_errors import Failures
from agent.llm.transport_sdk import Wire, checked_key
from errors import shown

ANTHROPIC_LIMITS: Final = BatchLimits(requests=100_000, bytes=250_000_000)
"""256 MB are allowed for the whole body; the rest is for what stands around the requests."""

_BATCHES = "/v1/messages/batches"
_COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
_CLOCKS_DIFFER = 60.0  # seconds; a batch older than its intention by more is another one
_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_GIVEN_BACK: Mapping[str, str] = {
    "expired": "the batch expired before it was answered",
    "canceled": "the batch was cancelled before it was answered",
}


class AnthropicBatches:
    """Implements `BatchService` over `/v1/messages/batches`, for one model."""

    def __init__(
        self,
        model: str,
        *,
        key: str,
        base_url: str = ANTHROPIC_URL,
        limits: BatchLimits = ANTHROPIC_LIMITS,
        patience: float = BATCH_PATIENCE,
    ) -> None:
        """Load the SDK and open a client.

        Args:
            model: The model's name.
            key: The key.
            base_url: Where the server answers, without `/v1`.
            limits: What one batch may hold.
            patience: Seconds that an upload, or the next piece of the results, may take.

        Raises:
            RefusedRequestError: The key or the address cannot be one.
        """
        self._name = f"anthropic:{model}"
        self._model = model
        self._limits = limits
        if not key:
            raise RefusedRequestError(
                f"there is no key for {self._name}", hint="set ANTHROPIC_API_KEY"
            )
        self._wire = _open_wire(self._name, checked_key(key, self._name), base_url, patience)

    def __repr__(self) -> str:
        """Name the model, and nothing that is secret."""
        return f"AnthropicBatches({self._model!r})"

    @property
    def name(self) -> str:
        """Provider and model."""
        return self._name

    @property
    def limits(self) -> BatchLimits:
        """What one batch may hold."""
        return self._limits

    def weight(self, key: str, request: Request) -> int:
        """Return how many bytes a request takes of a batch."""
        entry = json.dumps(self._entry(key, request), ensure_ascii=False)
        return len(entry.encode())

    def submit(self, requests: Mapping[str, Request], *, label: str) -> str:
        """Hand in a batch and return its id; this API has no place for the label.

        Raises:
            ProviderError: It was refused, or nobody knows whether it was taken.
        """
        del label
        checked_keys(requests)
        entries = [self._entry(key, request) for key, request in requests.items()]
        return id_in(self._wire.send(_BATCHES, {"requests": entries}), self._name)

    def find(self, batch: OpenBatch, *, known: Collection[str]) -> Found:
        """Return the batch of the same size and time, if exactly one can be it.

        This API keeps no label, but the results of a batch that has ended name its requests, so
        only one that is still going on can be taken for another's. If it is, its results are
        refused as foreign, and ours are asked for again.

        Raises:
            ProviderError: The provider did not say.
        """
        likely = [entry for entry in self._since(batch) if self._may_be(entry, batch)]
        ids = [name for entry in likely if (name := id_in(entry, self._name)) not in known]
        if len(ids) == 1:
            return Found(ids[0])
        return Found(doubt=f"{', '.join(ids)} of {len(batch.keys)} requests each" if ids else "")

    def poll(self, batch_id: str) -> BatchState:
        """Return how far a batch is.

        Raises:
            ProviderError: The provider did not say; status 404 where it knows no such batch.
        """
        batch = self._wire.fetch(f"{_BATCHES}/{in_path(batch_id)}")
        total = _size(batch)
        going_on = count_of(object_of(batch.get("request_counts")).get("processing"))
        return BatchState(batch.get("processing_status") == "ended", total - going_on, total)

    def results(self, batch_id: str) -> Iterator[tuple[str, Result]]:
        """Yield the results of a batch that has ended.

        They come from the base address, not from the address that the batch names: a key goes
        where it was told to go.

        Raises:
            ProviderError: The results could not be fetched to their end.
        """
        for number, line in self._wire.lines(f"{_BATCHES}/{in_path(batch_id)}/results"):
            yield self._result(f"the results of {shown(batch_id)}", number, line)

    def cancel(self, batch_id: str) -> None:
        """Ask the provider to stop a batch.

        Raises:
            ProviderError: The provider did not take the wish.
        """
        self._wire.send(f"{_BATCHES}/{in_path(batch_id)}/cancel", {})

    def close(self) -> None:
        """Close the connections."""
        self._wire.wire.client.close()

    def _entry(self, key: str, request: Request) -> dict[str, Any]:
        return {"custom_id": key, "params": messages_body(request, self._model)}

    def _since(self, batch: OpenBatch) -> Iterator[Mapping[str, Any]]:
        for entry in self._wire.listed(_BATCHES, "after_id"):
            if _created(entry) < batch.submitted_at - _CLOCKS_DIFFER:
                return
            yield entry

    def _may_be(self, entry: Mapping[str, Any], batch: OpenBatch) -> bool:
        if _size(entry) != len(batch.keys):
            return False
        if entry.get("processing_status") != "ended":
            return True
        named = (key for key, _ in self.results(id_in(entry, self._name)))
        return next(named, "") in batch.keys

    def _result(self, place: str, number: int, line: bytes) -> tuple[str, Result]:
        data = object_in(line)
        if data is None:
            return "", unreadable_line(self._name, place, number, "it is no JSON object")
        key = text_of(data.get("custom_id"))
        if not key:
            return "", unreadable_line(self._name, place, number, "it names no request")
        result = object_of(data.get("result"))
        kind, message = text_of(result.get("type")), object_of(result.get("message"))
        if kind == "succeeded" and isinstance(message.get("content"), list):
            return key, read_message(message, text_of(message.get("id")))
        if kind == "errored":
            told = object_of(result.get("error"))
            said = text_of(object_of(told.get("error")).get("type"))
            return key, self._wire.wire.failures.from_status(_STATUSES.get(said, 500), told, {})
        if kind in _GIVEN_BACK:
            why = _GIVEN_BACK[kind]
            return key, UnavailableError(f"{self._name} did not answer: {why}", hint="ask again")
        why = "it holds neither an answer nor an error"
        return key, unreadable_line(self._name, place, number, why)


def _size(batch: Mapping[str, Any]) -> int:
    counts = object_of(batch.get("request_counts"))
    return sum(count_of(counts.get(name)) for name in _COUNTS)


def _created(batch: Mapping[str, Any]) -> float:
    """Seconds since the epoch; the far future where the batch does not say, so that it counts."""
    try:
        return datetime.fromisoformat(text_of(batch.get("created_at"))).timestamp()
    except ValueError:
        return float("inf")


def _open_wire(name: str, key: str, base_url: str, patience: float) -> BatchWire:
    import anthropic
    import httpx2

    client = anthropic.Anthropic(
        api_key=key,
        base_url=base_url,
        max_retries=0,  # agent.llm.batch_passes does that
        timeout=patience,
        open_telemetry=False,  # spans would carry the content of cases to whoever collects them
        http_client=open_patient_client(base_url),
    )
    return BatchWire(
        Wire(
            anthropic,
            anthropic.AnthropicError,
            client,
            httpx2.Response,
            Failures(name, key),
            id_header="request-id",
            patience=patience,
        )
    )
