"""OpenAI's batches of chat completions, through the openai SDK: two files and a state."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from agent.llm.batch import (
    AskedDifferentlyError,
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
    objects,
    open_patient_client,
    text_of,
    unreadable_line,
)
from agent.llm.exchange import ProviderError, RefusedRequestError, Request, UnavailableError
from agent.llm.openai_provider import OPENAI_URL, chat_body, read_chat
from agent.llm.transport_errors import Failures, RefusedParameterError
from agent.llm.transport_sdk import Wire, checked_key
from errors import shown

OPENAI_LIMITS: Final = BatchLimits(requests=50_000, bytes=200_000_000)
ENDPOINT: Final = "/v1/chat/completions"
LABELLED: Final = "amicus_batch"
"""The name in a batch's metadata that holds our label."""

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_QUEUE_IS_FULL = "token_limit_exceeded"
"""More tokens than this account may have in all its open batches of a model."""
_CLOCKS_DIFFER = 3600.0  # seconds; a batch older than its intention by more is another one
_GIVEN_BACK: Mapping[str, str] = {
    "batch_expired": "the batch expired before it was answered",
    "batch_cancelled": "the batch was cancelled before it was answered",
}
_NO_SUCH_PLACE = frozenset({404, 405, 501})
_ALL_PARAMETERS = Request(system=(), messages=(), forced_tool="any", seed=0, logprobs=True)
_NEEDED = frozenset({"model", "messages", "tool_choice"})
_ANSWERED, _WRONG = 200, 400
_LENGTHS = frozenset({"max_tokens", "max_completion_tokens"})


class OpenAIBatches:
    """Implements `BatchService` over `/files` and `/batches`, for one model.

    A parameter that the model refuses by name is left out of later batches, as
    `OpenAIProvider` leaves it out of later requests.
    """

    def __init__(
        self,
        model: str,
        *,
        key: str,
        base_url: str = OPENAI_URL,
        limits: BatchLimits = OPENAI_LIMITS,
        patience: float = BATCH_PATIENCE,
    ) -> None:
        """Load the SDK and open a client.

        Args:
            model: The model's name, as the server knows it.
            key: The key; may be empty for a server of one's own.
            base_url: Where the server answers, with the `/v1` at its end.
            limits: What one batch may hold.
            patience: Seconds that an upload, or the next piece of the results, may take.

        Raises:
            RefusedRequestError: The key or the address cannot be one.
        """
        self._name = f"openai:{model}"
        self._model = model
        self._limits = limits
        self._own_server = base_url.rstrip("/") != OPENAI_URL
        if not key and not self._own_server:
            raise RefusedRequestError(
                f"there is no key for {self._name}", hint="set OPENAI_API_KEY"
            )
        self._wire = _open_wire(self._name, checked_key(key, self._name), base_url, patience)
        self._refused: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Name the model, and nothing that is secret."""
        return f"OpenAIBatches({self._model!r})"

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
        return len(self._line(key, request))

    def submit(self, requests: Mapping[str, Request], *, label: str) -> str:
        """Upload the requests as a file, hand it in and return the id of the batch.

        Raises:
            ProviderError: It was refused, or nobody knows whether it was taken.
        """
        checked_keys(requests)
        data = b"".join(self._line(key, request) for key, request in requests.items())
        file = self._uploaded(f"{label}.jsonl", data)
        batch = {
            "input_file_id": id_in(file, self._name),
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {LABELLED: label},
        }
        return id_in(self._wire.send("/batches", batch), self._name)

    def find(self, batch: OpenBatch, *, known: Collection[str]) -> Found:
        """Return the batch that carries our label, if there is one; there is never a doubt.

        Raises:
            ProviderError: The provider did not say.
        """
        del known
        for entry in self._wire.listed("/batches", "after"):
            if count_of(entry.get("created_at")) < batch.submitted_at - _CLOCKS_DIFFER:
                break
            if object_of(entry.get("metadata")).get(LABELLED) == batch.label:
                return Found(id_in(entry, self._name))
        return Found()

    def poll(self, batch_id: str) -> BatchState:
        """Return how far a batch is.

        Raises:
            ProviderError: The provider did not say; status 404 where it knows no such batch.
        """
        batch = self._batch(batch_id)
        counts = object_of(batch.get("request_counts"))
        errors = objects(object_of(batch.get("errors")).get("data"))
        return BatchState(
            ended=batch.get("status") in _ENDED,
            done=count_of(counts.get("completed")) + count_of(counts.get("failed")),
            total=count_of(counts.get("total")),
            problem=self._problem(errors) if batch.get("status") == "failed" else "",
            is_too_much=any(error.get("code") == _QUEUE_IS_FULL for error in errors),
        )

    def results(self, batch_id: str) -> Iterator[tuple[str, Result]]:
        """Yield what the files of answers and of errors hold.

        Raises:
            ProviderError: The results could not be fetched to their end.
        """
        batch = self._batch(batch_id)
        for kind in ("output_file_id", "error_file_id"):
            if file := text_of(batch.get(kind)):
                for number, line in self._wire.lines(f"/files/{in_path(file)}/content"):
                    yield self._result(f"file {shown(file)}", number, line)

    def cancel(self, batch_id: str) -> None:
        """Ask the provider to stop a batch.

        Raises:
            ProviderError: The provider did not take the wish.
        """
        self._wire.send(f"/batches/{in_path(batch_id)}/cancel", {})

    def close(self) -> None:
        """Close the connections."""
        self._wire.wire.client.close()

    def _batch(self, batch_id: str) -> Mapping[str, Any]:
        return self._wire.fetch(f"/batches/{in_path(batch_id)}")

    def _uploaded(self, name: str, data: bytes) -> Mapping[str, Any]:
        try:
            return self._wire.upload("/files", name, data)
        except RefusedRequestError as error:
            if error.status in _NO_SUCH_PLACE:
                error.hint = "this server offers no batches"
            raise

    def _line(self, key: str, request: Request) -> bytes:
        body = chat_body(request, self._model, own_server=self._own_server, refused=self._refused)
        line = {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _problem(self, errors: Sequence[Mapping[str, Any]]) -> str:
        if not errors:
            return f"{self._name} did not say why"
        return self._wire.wire.failures.from_status(400, {"error": errors[0]}, {}).message

    def _result(self, place: str, number: int, line: bytes) -> tuple[str, Result]:
        data = object_in(line)
        if data is None:
            return "", unreadable_line(self._name, place, number, "it is no JSON object")
        key = text_of(data.get("custom_id"))
        if not key:
            return "", unreadable_line(self._name, place, number, "it names no request")
        response = object_of(data.get("response"))
        body = object_of(response.get("body"))
        status, choices = response.get("status_code"), objects(body.get("choices"))
        if status == _ANSWERED and choices:
            request_id = text_of(response.get("request_id")) or text_of(data.get("id"))
            return key, read_chat(body, choices[0], request_id)
        if isinstance(status, int) and status >= _WRONG:
            return key, self._learnt(self._wire.wire.failures.from_status(status, body, {}))
        if error := object_of(data.get("error")):
            why = _GIVEN_BACK.get(text_of(error.get("code")), "it came back with an error")
            return key, UnavailableError(f"{self._name} did not answer: {why}", hint="ask again")
        why = "it holds neither an answer nor an error"
        return key, unreadable_line(self._name, place, number, why)

    def _learnt(self, error: ProviderError) -> ProviderError:
        """The error; if it names a parameter that can be left out, it is left out from now on."""
        if not isinstance(error, RefusedParameterError):
            return error
        refused = self._refused | {error.parameter}
        known = chat_body(_ALL_PARAMETERS, self._model).keys() | _LENGTHS
        if error.parameter not in known - _NEEDED or refused >= _LENGTHS:
            return error
        self._refused = refused
        return AskedDifferentlyError(error.message, hint="it is left out of the next batch")


def _open_wire(name: str, key: str, base_url: str, patience: float) -> BatchWire:
    import httpx
    import openai

    client = openai.OpenAI(
        api_key=key or "none",  # the SDK wants one, servers of one's own often have none
        base_url=base_url,
        max_retries=0,  # agent.llm.batch_passes does that
        timeout=patience,
        http_client=open_patient_client(base_url),
    )
    failures = Failures(name, key)
    return BatchWire(
        Wire(
            openai,
            openai.OpenAIError,
            client,
            httpx.Response,
            failures,
            id_header="x-request-id",
            patience=patience,
        )
    )
