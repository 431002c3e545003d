"""Read cases from JSON lines; what is wrong is named with field, file and line (DESIGN 3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.case import Case
from errors import InputError, shown

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A line longer than this is not a case; reading stops before it fills the memory."""

Row = TypeVar("Row", bound=BaseModel)


def case_id_for(fields: Mapping[str, Any]) -> str:
    """Return the id of a case that came without one: the same content gets the same id."""
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)
    return "c-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def read_case(fields: Mapping[str, Any], *, max_text_chars: int, where: str = "the case") -> Case:
    """Return the case that `fields` describe.

    Raises:
        InputError: A field is unknown, missing, of the wrong type, or too long.
    """
    refuse_half_characters(fields, where=where)
    filled = dict(fields)
    filled.setdefault("id", case_id_for(fields))
    case = checked(Case, filled, where=where)
    refuse_long_texts(case, max_text_chars=max_text_chars, where=where)
    return case


def read_cases(path: Path, *, max_text_chars: int) -> Iterator[tuple[int, Case]]:
    """Yield the line number and the case of every line of a JSONL file; blank lines are skipped.

    The file is read as it is asked for, so that its size does not matter.

    Raises:
        InputError: The file cannot be read or a line is no case; names `file:line`.
    """
    first_line_of: dict[str, int] = {}
    for number, fields in json_lines(path):
        where = f"{path}:{number}"
        case = read_case(fields, max_text_chars=max_text_chars, where=where)
        earlier = first_line_of.setdefault(case.id, number)
        if earlier != number:
            raise InputError(
                f"{where}: the id {shown(case.id)} was already used on line {earlier}",
                hint="give every case an id of its own, or leave the id out",
            )
        yield number, case
    if not first_line_of:
        raise InputError(f"{path}: no case in this file", hint="write one JSON object a line")


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the object of every line of a JSONL file.

    Raises:
        InputError: The file cannot be read, is not UTF-8, or a line is not one JSON object.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(_bounded_lines(file, path), start=1):
                line = _decoded(raw, f"{path}:{number}").strip()
                if line:
                    yield number, json_object(line, where=f"{path}:{number}")
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}", hint="name a JSONL file that you may read"
        ) from None


def _bounded_lines(file: Any, path: Path) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise InputError(
                f"{path}:{number}: a line of more than {MAX_LINE_BYTES:,} bytes",
                hint="write one case a line; is this a JSONL file?",
            )
        yield line


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode("utf-8-sig" if where.endswith(":1") else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: not UTF-8 (byte {raw[error.start]:#04x}, {error.start} bytes into the line)",
            hint="save the file as UTF-8, for example: iconv -f latin1 -t utf-8 old > new",
        ) from None


def json_object(line: str, *, where: str) -> dict[str, Any]:
    """Return the JSON object that `line` holds.

    Raises:
        InputError: It is not JSON, not an object, names a field twice, or nests too deep.
    """
    try:
        value = json.loads(line, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except _DoubleFieldError as error:
        raise InputError(
            f"{where}: the field {shown(str(error))} stands twice", hint="keep one of the two"
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}: not JSON ({error.msg} at column {error.colno}: {shown(line[:40])})",
            hint="every line must be one whole JSON object",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not JSON that can be read ({shown(str(error))})",
            hint="every line must be one plain JSON object",
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: a {type(value).__name__}, not an object: {shown(line[:40])}",
            hint='write a case as {"text": "…"}',
        )
    return value


class _DoubleFieldError(ValueError):
    """A JSON object names a field twice: which of the two was meant?"""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubleFieldError(next(name for name in names if names.count(name) > 1))
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def checked(model: type[Row], fields: Mapping[str, Any], *, where: str) -> Row:
    """Return `fields` as a `model`.

    Raises:
        InputError: The first field that does not fit, by its path, with its value.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InputError(
                f"{where}: unknown field {shown(place)}",
                hint="put data of your own under meta; the fields of a case are: "
                + ", ".join(model.model_fields),
            ) from None
        raise InputError(_misfit(where, place, first), hint=_remedy(first["type"])) from None


def _misfit(where: str, place: str, error: Any) -> str:
    if not place:
        return f"{where}: {error['msg'].removeprefix('Value error, ')}"
    if error["type"] == "missing":
        return f"{where}: the field {shown(place)} is missing"
    return f"{where}: {place}={shown(error['input'])}: {error['msg']}"


def _remedy(kind: str) -> str:
    if kind == "timezone_aware":
        return "write times with their zone, such as 2026-11-01T10:00:00Z"
    return 'a case is a JSON object such as {"text": "the words to judge", "account_id": "u-9"}'


def refuse_half_characters(fields: Mapping[str, Any], *, where: str) -> None:
    """Refuse text that no file can hold: half of a surrogate pair, or bytes that are no UTF-8.

    Raises:
        InputError: Names the field.
    """
    for name, value in fields.items():
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
        except UnicodeEncodeError as error:
            code = ord(error.object[error.start])
            raise InputError(
                f"{where}: {shown(name)} holds half of a character (U+{code:04X})",
                hint="write the text as UTF-8; a JSON escape such as \\ud83d needs its other half",
            ) from None


def refuse_long_texts(case: Case, *, max_text_chars: int, where: str) -> None:
    """Refuse a case whose text, context or links together are over the limit; nothing is cut.

    Raises:
        InputError: Names the field, its length and the setting.
    """
    sizes = {
        "text": len(case.text),
        "context": sum(len(item.text) for item in case.context),
        "links": sum(map(len, case.links)),
    }
    for name, size in sizes.items():
        if size > max_text_chars:
            raise InputError(
                f"{where}: {name} has {size:,} characters, the limit is {max_text_chars:,}",
                hint="split the content, or raise AMICUS_MAX_TEXT_CHARS",
            )
