"""What probes have found out about servers, kept in the home folder until the next probe."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from agent.llm.exchange import Mode
from agent.llm.probe import Capabilities, best_mode
from errors import RecordsError

_FILE = "servers.json"


@dataclass(frozen=True)
class KnownServer:
    """What a server can do for a model, and the mode in which it will be asked."""

    mode: Mode
    tools: bool


def known_server(home: Path, model: str, url: str) -> KnownServer | None:
    """Return what was found of a model at an address; None where nobody has probed it.

    A file that cannot be read is as good as none: the next probe writes it anew.
    """
    entry = _entries(home).get(_name(model, url))
    if not isinstance(entry, dict) or entry.get("mode") not in get_args(Mode):
        return None
    return KnownServer(entry["mode"], bool(entry.get("tools")))


def remember_server(home: Path, model: str, url: str, found: Capabilities) -> KnownServer:
    """Keep what a probe has found, and return it.

    Raises:
        RecordsError: The home folder does not let us write.
    """
    known = KnownServer(best_mode(found), found.tools)
    entries = _entries(home) | {_name(model, url): asdict(found) | {"mode": known.mode}}
    draft = home / f"{_FILE}.{os.getpid()}.new"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(json.dumps(entries, indent=2, sort_keys=True), "utf-8")
        draft.replace(home / _FILE)
    except OSError as error:
        raise RecordsError(
            f"{home / _FILE}: {error.strerror}",
            hint="set AMICUS_HOME to a folder that you may write in",
        ) from None
    return known


def _name(model: str, url: str) -> str:
    return f"{model} at {url.rstrip('/')}"


def _entries(home: Path) -> dict[str, object]:
    try:
        entries = json.loads((home / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
