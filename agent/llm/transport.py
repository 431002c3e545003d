"""The HTTP below both SDKs: plain sockets, one connection a thread in flight, no shared pool.

Chosen by measurement, see docs/decisions/0002-http-transport.md. Imported only by what opens a
client, because httpx2 takes its time to load.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import select
import socket
import ssl
import time
import weakref
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from agent.llm.exchange import RefusedRequestError
from errors import shown

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of one answer; more is no answer of a language model."""
LONGEST_IDLE = 60.0
"""Seconds that a connection is kept for the next request."""
_SURELY_OPEN = 5.0  # seconds; for platforms where nobody can ask a socket
_CHUNK = 64 * 1024
Origin = tuple[str, str, int]
"""Scheme, host and port."""
_TALKATIVE = ("openai", "anthropic", "httpx", "httpx2", "httpcore", "httpcore2")


def open_http_client(base_url: str) -> httpx2.Client:
    """Return the client that an SDK is to use for `base_url`; safe to share between threads.

    It follows no redirects: a key goes where it was told to go. Where the environment names a
    proxy for the address, httpx2's own transport is used, which speaks with every kind of proxy.

    Raises:
        RefusedRequestError: The address is none.
    """
    parts = _checked(base_url)
    quieten_the_sdks()
    if getproxies().get(parts.scheme) and not proxy_bypass(parts.hostname or ""):
        return httpx2.Client(limits=httpx2.Limits(max_connections=None), follow_redirects=False)
    return httpx2.Client(transport=SocketTransport(), trust_env=False, follow_redirects=False)


@dataclass(frozen=True)
class _Address:
    scheme: str
    hostname: str | None


def _checked(base_url: str) -> _Address:
    hint = "an address looks like http://127.0.0.1:8000/v1"
    try:
        parts = urlsplit(base_url)
        httpx2.URL(base_url)
    except (ValueError, httpx2.InvalidURL):
        raise RefusedRequestError("the base address is no URL", hint=hint) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RefusedRequestError(
            f"the base address {shown(parts.scheme + '://')}… is not one of a web server", hint=hint
        )
    if parts.username or parts.password:
        raise RefusedRequestError(
            "the base address holds a user name or a password",
            hint="give the key in the variable for keys; addresses are shown and recorded",
        )
    return _Address(parts.scheme, parts.hostname)


def quieten_the_sdks() -> None:
    """Keep what the SDKs log at DEBUG, which is the content of cases, out of every log."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class SocketTransport(httpx2.BaseTransport):
    """HTTP/1.1 from the standard library below an httpx2 client.

    Every thread in flight holds a connection of its own; idle ones wait in a stack, the warmest on
    top. Appending and popping need no lock, so hundreds of threads do not queue for one.

    The time to read is the time for the whole answer, not for the next byte: a server that sends
    one byte a second cannot hold a thread.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[Origin, deque[_Connection]] = defaultdict(deque)
        # Whoever forgets to close a provider should not leave open sockets behind.
        weakref.finalize(self, _close_all, self._idle)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request and read its answer to the end.

        Raises:
            httpx2.TransportError: There is no whole answer; never sent twice.
        """
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        with _translated():
            connection = self._connected(request.url, limits.get("connect"))
            try:
                response, body = connection.exchange(request, limits.get("read"))
            except BaseException:
                connection.close()
                raise
        if response.will_close:
            connection.close()
        else:
            self._idle[connection.origin].append(connection)
        return httpx2.Response(response.status, headers=response.getheaders(), content=body)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()

    def close(self) -> None:
        """Close the connections that wait."""
        _close_all(self._idle)

    def _connected(self, url: httpx2.URL, patience: float | None) -> _Connection:
        secure = url.scheme == "https"
        origin = (url.scheme, url.host, url.port or (443 if secure else 80))
        stack = self._idle[origin]
        with contextlib.suppress(IndexError):
            while True:
                connection = stack.pop()
                if connection.is_fresh():
                    return connection
                connection.close()
        return _Connection(origin, self._context if secure else None, patience)


class _Connection:
    """One connection, used by one thread at a time."""

    def __init__(
        self, origin: Origin, context: ssl.SSLContext | None, patience: float | None
    ) -> None:
        self.origin = origin
        self._used = time.monotonic()
        _, host, port = origin
        self._http: HTTPConnection = (
            HTTPSConnection(host, port, timeout=patience, context=context)
            if context is not None
            else HTTPConnection(host, port, timeout=patience)
        )
        try:
            self._http.connect()
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"no connection within {patience} s") from error
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        # A model thinks for minutes without a byte; this keeps routers from forgetting us.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def _socket(self) -> socket.socket:
        return self._http.sock

    def is_fresh(self) -> bool:
        """Whether the server still listens: a quiet connection has nothing to say."""
        idle = time.monotonic() - self._used
        if idle > LONGEST_IDLE:
            return False
        if not hasattr(select, "poll"):
            return idle < _SURELY_OPEN
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def exchange(
        self, request: httpx2.Request, patience: float | None
    ) -> tuple[HTTPResponse, bytes]:
        give_up = None if patience is None else time.monotonic() + patience
        self._socket.settimeout(patience)
        self._http.putrequest(
            request.method,
            request.url.raw_path.decode("ascii"),
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in request.headers.raw:
            self._http.putheader(name.decode("ascii"), value)
        self._http.endheaders(request.read())
        response = self._http.getresponse()
        body = b"".join(self._chunks(response, give_up))
        response.close()
        self._used = time.monotonic()
        return response, body

    def _chunks(self, response: HTTPResponse, give_up: float | None) -> Iterator[bytes]:
        left = response.length  # None where the server did not say
        size = 0
        while left != 0 and (chunk := response.read1(min(_CHUNK, left or _CHUNK))):
            size += len(chunk)
            left = None if left is None else left - len(chunk)
            if size > LARGEST_ANSWER:
                raise httpx2.ReadError(f"an answer of more than {LARGEST_ANSWER} bytes")
            yield chunk
            self._wait_at_most(give_up)
        if left:
            raise httpx2.RemoteProtocolError(f"{left} bytes of the answer are missing")

    def _wait_at_most(self, give_up: float | None) -> None:
        if give_up is None:
            return
        left = give_up - time.monotonic()
        if left <= 0:
            raise httpx2.ReadTimeout("the answer never came to its end")
        if self._socket is not None:  # closed by http.client behind the last byte
            self._socket.settimeout(left)

    def close(self) -> None:
        self._http.close()


def _close_all(idle: Mapping[Origin, deque[_Connection]]) -> None:
    for stack in list(idle.values()):
        with contextlib.suppress(IndexError):
            while True:
                stack.pop().close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what the standard library raises into what an SDK understands."""
    try:
        yield
    except TimeoutError as error:
        raise httpx2.ReadTimeout("no answer in time") from error
    except OSError as error:
        raise httpx2.ReadError(str(error)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise httpx2.RemoteProtocolError(type(error).__name__) from error
