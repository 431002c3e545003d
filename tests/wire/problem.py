"""What both protocols refuse, before it is put into the words of either."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class ProblemError(Exception):
    """The request is one that the real API refuses."""

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.param = param


def known_only(given: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    """Refuse a field that the API does not know."""
    for name in given:
        if name not in known:
            place = f"{where}.{name}" if where else name
            raise ProblemError(f"Unrecognized request argument supplied: {place}", param=place)


def required(given: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """Return a field that has to be there and to have a type."""
    if name not in given:
        raise ProblemError(f"Missing required parameter: '{name}'.", param=name)
    value = given[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ProblemError(f"Invalid type for '{name}'.", code="invalid_type", param=name)
    return value


def checked_tool_name(name: object, param: str) -> str:
    """Return the name of a tool, if it can be one."""
    if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
        raise ProblemError(
            f"Invalid '{param}': string does not match pattern '^[a-zA-Z0-9_-]+$'.", param=param
        )
    return name


def open_object(schema: object, path: str = "") -> str | None:
    """Return where a schema leaves an object open, or None; strict modes refuse such a schema."""
    if isinstance(schema, list):
        places = [open_object(value, f"{path}[{at}]") for at, value in enumerate(schema)]
        return next((place for place in places if place), None)
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return path or "the root"
    places = [open_object(value, f"{path}/{name}") for name, value in schema.items()]
    return next((place for place in places if place), None)
