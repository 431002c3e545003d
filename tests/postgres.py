"""A throw-away PostgreSQL server: on a socket in a folder of its own, gone after the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_NOBODY = "65534"
_SETTINGS = {
    "listen_addresses": "",  # the socket only
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
}
# What a measurement needs: every commit waits for the disk, as it does anywhere else.
_DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}
# The role `guest` is asked for a password, everybody else is let in.
_WHO_MAY_ENTER = "local all guest scram-sha-256\nlocal all all trust\n"


@dataclass(frozen=True)
class Server:
    """A running server; its socket lies in `folder`."""

    folder: Path

    def url(self, schema: str = "public", user: str = "postgres") -> str:
        """The address of a schema: to whoever uses it, a database of its own, and made faster."""
        return f"postgresql://{user}@/postgres?host={self.folder}&options=-csearch_path%3D{schema}"

    def run(self, statement: str) -> None:
        """Run one statement as the owner of everything."""
        with psycopg.connect(f"host={self.folder} user=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def throw_away_server(*, durable: bool = False) -> Iterator[Server]:
    """Start a server, and stop it afterwards; only a durable one waits for the disk."""
    initdb, postgres = _program("initdb"), _program("postgres")
    assert initdb is not None
    assert postgres is not None
    # Short, because the path of a socket may have some hundred characters at most.
    folder = Path(tempfile.mkdtemp(prefix="amicus-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, int(_NOBODY), int(_NOBODY))
        options = ["--auth=trust", "--username=postgres", "--no-sync", "--locale=C", "-E", "UTF8"]
        data = folder / "data"
        subprocess.run(
            [*_as_nobody(), initdb, "-D", data, *options], check=True, capture_output=True
        )
        (data / "pg_hba.conf").write_text(_WHO_MAY_ENTER, encoding="ascii")
        wanted = _SETTINGS | (_DURABLE if durable else {})
        settings = [f"-c{name}={value}" for name, value in wanted.items()]
        command = [*_as_nobody(), postgres, "-D", str(data), "-k", str(folder), *settings]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                _wait(folder, process)
                yield Server(folder)
            finally:
                process.send_signal(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def what_is_missing() -> str:
    """Return what keeps a server from being started here, or nothing."""
    for name in ("initdb", "postgres"):
        if _program(name) is None:
            return f"{name} is neither in PATH nor in /usr/lib/postgresql/*/bin"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "it refuses to run as root, and there is no setpriv"
    return ""


def _program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [None, *map(str, folders)]
    return next((found for place in places if (found := shutil.which(name, path=place))), None)


def _as_nobody() -> list[str]:
    """Return what makes a command die with us, and run as nobody: PostgreSQL refuses root."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    ids = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    return [setpriv, *(ids if os.geteuid() == 0 else []), "--pdeathsig=QUIT"]


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"host={folder} user=postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text(encoding="utf-8")) from None
            time.sleep(0.05)
        else:
            return
