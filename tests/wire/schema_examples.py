"""Small values that a JSON schema allows, so that a simulated model can obey any schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SIMPLE: Mapping[str, Any] = {
    "string": "example",
    "integer": 1,
    "number": 0.5,
    "boolean": True,
    "null": None,
    "array": [],
}


def example_of(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return the plainest value that `schema` allows.

    >>> example_of({"type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]})
    {'a': 'x'}
    """
    root = schema if root is None else root
    if "$ref" in schema:
        return example_of(_resolved(schema["$ref"], root), root)
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return example_of(schema[choice][0], root)
    if "const" in schema or schema.get("enum"):
        return schema.get("const", (schema.get("enum") or [None])[0])
    return _plain(schema, root)


def _plain(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if schema.get("type") == "object" or "properties" in schema:
        fields = schema.get("properties", {})
        return {name: example_of(fields[name], root) for name in schema.get("required", fields)}
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), root)] * schema.get("minItems", 0)
    kind = schema.get("type", "string")
    return _SIMPLE[kind[0] if isinstance(kind, list) else kind]


def _resolved(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found if isinstance(found, Mapping) else {}
