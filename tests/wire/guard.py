"""A guard that fails a test as soon as anything tries to leave this machine or resolve a name."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_RESOLVING = frozenset(
    {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
)
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class LeftTheHouseError(BaseException):
    """Not an Exception: no code under test can catch it by accident."""


_watched: ContextVar[bool] = ContextVar("watched", default=False)


@contextmanager
def stays_home() -> Iterator[None]:
    """Within this, a connection beyond this machine, or any look-up of a name, is an error."""
    token = _watched.set(True)
    try:
        yield
    finally:
        _watched.reset(token)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched.get():
        return
    if event in _RESOLVING and not _is_this_machine(arguments[0]):
        raise LeftTheHouseError(f"{event}: {arguments!r}")
    if event in _SENDING:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_this_machine(address[0]):
            raise LeftTheHouseError(f"{event}: {address!r}")


def _is_this_machine(host: object) -> bool:
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


# An audit hook sees what C code does as well; it cannot be taken out again, only told to look away.
sys.addaudithook(_hook)
