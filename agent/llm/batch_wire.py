"""The way to a provider's files of batches: uploads, states, and results line by line.

The transport of single exchanges reads an answer as a whole, of 32 MiB at most; a file of results
may be larger than that, so it comes through a client that hands on what has arrived.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from agent.llm.exchange import ProviderError, UnavailableError
from agent.llm.transport_sdk import Wire

BATCH_PATIENCE = 600.0
"""Seconds that the upload of a batch, or the next piece of its results, may take."""
LONGEST_READING = 3600.0
"""Seconds that a whole file of results may take."""
LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of one result; more is no answer of a language model."""
_PER_PAGE = 100
_LINE_END = b"\n"


@dataclass(frozen=True)
class BatchWire:
    """One client of an SDK for everything that is not a single exchange."""

    wire: Wire
    clock: Callable[[], float] = time.monotonic

    def send(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the JSON object that answers a POST.

        Raises:
            ProviderError: There is none.
        """
        return self.wire.post(path, body, None).data

    def upload(self, path: str, name: str, data: bytes) -> Mapping[str, Any]:
        """Return the JSON object that answers the upload of a file of JSON lines for a batch.

        Raises:
            ProviderError: There is none.
        """
        return self._object(
            lambda: self.wire.client.post(
                path,
                cast_to=self.wire.raw,
                body={"purpose": "batch"},
                files=[("file", (name, data, "application/jsonl"))],
                options={"headers": {"Content-Type": "multipart/form-data"}},
            )
        )

    def fetch(self, path: str, **query: object) -> Mapping[str, Any]:
        """Return the JSON object that answers a GET.

        Raises:
            ProviderError: There is none.
        """
        return self._object(
            lambda: self.wire.client.get(
                path, cast_to=self.wire.raw, options={"params": query} if query else {}
            )
        )

    def listed(self, path: str, after: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a list holds, page by page, newest first.

        Args:
            path: The list.
            after: The provider's word for the id that the next page starts behind.

        Raises:
            ProviderError: A page did not come.
        """
        query: dict[str, object] = {"limit": _PER_PAGE}
        while True:
            page = self.fetch(path, **query)
            entries = objects(page.get("data"))
            yield from entries
            if page.get("has_more") is not True or not entries:
                return
            query[after] = text_of(entries[-1].get("id"))

    def lines(self, path: str) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of a file with their numbers, from 1, without blank ones.

        Lines end in a line feed and in nothing else: JSON text may hold the other separators that
        Unicode knows.

        Raises:
            ProviderError: The file did not come, or not to its end.
        """
        response = self._asked(
            lambda: self.wire.client.get(path, cast_to=self.wire.raw, stream=True)
        )
        try:
            for number, line in enumerate(self._cut(response.iter_bytes()), 1):
                if line.strip():
                    yield number, line
        finally:
            response.close()

    def _cut(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        give_up = self.clock() + LONGEST_READING
        left: list[bytes] = []
        size = 0
        while (chunk := self._next(chunks)) is not None:
            if self.clock() > give_up:
                raise self._broken_off("it never came to its end")
            for at, piece in enumerate(chunk.split(_LINE_END)):
                if at:
                    yield b"".join(left)
                    left, size = [], 0
                left.append(piece)
                size += len(piece)
                if size > LONGEST_LINE:
                    raise self._broken_off(f"a line of more than {LONGEST_LINE} bytes")
        yield b"".join(left)

    def _next(self, chunks: Iterator[bytes]) -> bytes | None:
        import httpx2

        try:
            return next(chunks, None)
        except httpx2.HTTPError as error:
            why = type(error).__name__
        # Raised out here: in there the library's error, which holds the key, would be its context.
        raise self._broken_off(why)

    def _broken_off(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self.wire.failures.who} broke off in the results of a batch ({why})",
            hint="try again later; what was answered is kept there for weeks",
        )

    def _object(self, ask: Callable[[], Any]) -> Mapping[str, Any]:
        found = object_in(self._asked(ask).content)
        if found is None:
            raise self.wire.failures.unreadable("it is no JSON object")
        return found

    def _asked(self, ask: Callable[[], Any]) -> Any:
        failure: ProviderError
        try:
            return ask()
        except self.wire.errors as error:
            failure = self.wire.failures.from_sdk(self.wire.sdk, error)
        raise failure  # out here, so that the SDK's error is not its context


def open_patient_client(base_url: str) -> Any:
    """Return the HTTP client for an SDK that reads files of results as they arrive.

    Raises:
        RefusedRequestError: The address is none.
    """
    import httpx2

    from agent.llm.transport import open_http_client

    open_http_client(base_url).close()  # refuses what is no address, and quietens the SDKs
    return httpx2.Client(follow_redirects=False)  # a key goes where it was told to go


def object_in(data: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object that `data` is, or None; a name that stands twice makes it none.

    >>> object_in(b'{"a": 1, "a": 2}') is None
    True
    """
    try:
        value = json.loads(data, object_pairs_hook=_named_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _named_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return named


def unreadable_line(who: str, place: str, number: int, why: str) -> UnavailableError:
    """Return the error for a line of results that cannot be used."""
    return UnavailableError(
        f"line {number} of {place} from {who} is refused: {why}",
        hint="what it should have answered is asked for again",
    )


def object_of(value: object) -> Mapping[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in `value`, if it is a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Return `value` if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def count_of(value: object) -> int:
    """Return `value` if it is a number of things, else 0."""
    return value if isinstance(value, int) and value > 0 else 0


def id_in(data: Mapping[str, Any], who: str) -> str:
    """Return the id of what a provider made.

    Raises:
        UnavailableError: There is none.
    """
    found = text_of(data.get("id"))
    if not found.strip():
        raise UnavailableError(
            f"{who} made something and did not say its id",
            hint="is the base address that of a language model?",
        )
    return found


def in_path(identity: str) -> str:
    """Return an id as it may stand in an address.

    >>> in_path("batch_1/../files")
    'batch_1%2F..%2Ffiles'
    """
    return quote(identity, safe="")
