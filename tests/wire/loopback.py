"""A small HTTP/1.1 server on 127.0.0.1 that can also do what a good server never does.

One thread, asyncio, no framework: an answer may be late, cut short, garbled or missing, and
hundreds of connections cost next to nothing, so that a measurement measures the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

_LARGEST_HEAD = 64 * 1024
_LARGEST_BODY = 32 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Sent:
    """What goes back over the connection."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0
    """Seconds before the first byte."""
    cut_at: int | None = None
    """Close the connection after so many bytes of the body; the headers promise all of it."""
    drip: float = 0.0
    """Seconds between two bytes of the body, for a server that never quite stops."""
    reset: bool = False
    """Break the connection instead of answering."""


Answering = Callable[[Received], Awaitable[Sent]]


@contextlib.contextmanager
def listening(answering: Answering, *, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 from a thread of its own; yields the address, with no slash behind."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    addresses: list[str] = []
    stop = asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(_serve(answering, port, addresses, ready, stop))
        loop.close()

    thread = threading.Thread(target=run, name="loopback", daemon=True)
    thread.start()
    ready.wait()
    if not addresses:
        raise OSError(f"cannot listen on 127.0.0.1:{port}")
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(
    answering: Answering,
    port: int,
    addresses: list[str],
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    open_now: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            open_now.add(task)
            task.add_done_callback(open_now.discard)
        # A client that hangs up, and a server that closes, are how tests end.
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await _converse(answering, reader, writer)
        writer.transport.abort()

    try:
        server = await asyncio.start_server(
            connected, "127.0.0.1", port, limit=_LARGEST_HEAD, backlog=1024
        )
        addresses.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        ready.set()
    await stop.wait()
    server.close()
    for task in open_now:
        task.cancel()
    await asyncio.gather(*open_now, return_exceptions=True)


async def _converse(
    answering: Answering, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        received = await _receive(reader)
        sent = await answering(received)
        if sent.after > 0:
            await asyncio.sleep(sent.after)
        if sent.reset:
            # Linger of zero seconds turns the close into a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        await _send(sent, writer)
        if sent.cut_at is not None:
            return


async def _receive(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", "0"))
    if length > _LARGEST_BODY:
        raise EOFError
    return Received(method, path, headers, await reader.readexactly(length))


async def _send(sent: Sent, writer: asyncio.StreamWriter) -> None:
    headers = {
        "content-type": "application/json",
        **{k.lower(): v for k, v in sent.headers.items()},
    }
    headers.setdefault("content-length", str(len(sent.body)))
    phrase = HTTPStatus(sent.status).phrase if sent.status in _KNOWN else "Unknown"
    head = f"HTTP/1.1 {sent.status} {phrase}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers.items()
    )
    body = sent.body if sent.cut_at is None else sent.body[: sent.cut_at]
    if not sent.drip:
        writer.write(head.encode("latin-1") + b"\r\n" + body)
        await writer.drain()
        return
    writer.write(head.encode("latin-1") + b"\r\n")
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(sent.drip)


_KNOWN = frozenset(status.value for status in HTTPStatus)
