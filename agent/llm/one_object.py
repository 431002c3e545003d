"""Read the one JSON object of an answer, or say why there is none.

Nothing is guessed. What surrounds one complete object (white space, prose, a code fence, a closed
thinking block) is taken off, since that cannot change what the object says. Whatever could be read
in two ways is refused: a cut object, two objects, a key given twice, a number out of all bounds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from agent.llm.unusable import UnusableReplyError
from errors import shown

LONGEST = 60_000
"""Characters of an answer; a verdict with every field full has about a third of it."""

LONGEST_NUMBER = 40
DEEPEST = 12
_THINKING = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_CLOSES_THINKING = re.compile(r"</think(?:ing)?>")
_OTHER_JSON = re.compile(r'[{}]|"\s*:|<think(?:ing)?>')
"""What may not stand around the object: a brace, a key, a thought that was not ended."""
_OPEN_BEFORE = ("[", "]", ",", '"')
_OPEN_AFTER = ("[", "]", ",", '"', ":")
_FENCE = re.compile(r"(?:```|~~~)(?:json)?")
_MISTAKEN = ("latin-1", "cp1252", "cp437")
_REPLACEMENT = "\ufffd"


def one_object(text: str, *, alone: bool = False) -> dict[str, Any]:
    """Return the one JSON object that `text` holds.

    Raises:
        UnusableReplyError: There is none, more than one, or one that is cut, ambiguous or absurd.
    """
    return parsed(object_text(text, alone=alone))


def object_text(text: str, *, alone: bool = False) -> str:
    """Return the part of `text` from its first to its last brace, where nothing clings to it.

    Args:
        text: What was said.
        alone: Whether there may be no prose around it, as in the arguments of a call.

    Raises:
        UnusableReplyError: There is no such part, or it stands inside of something that was cut.
    """
    if len(text) > LONGEST:
        raise UnusableReplyError("too_long", limit=LONGEST)
    spoken = _without_thinking(text).strip("\ufeff \t\r\n")
    if not spoken.strip():
        raise UnusableReplyError("empty")
    start, end = spoken.find("{"), spoken.rfind("}") + 1
    if start < 0:
        raise UnusableReplyError("no_object")
    if end <= start:
        return spoken[start:]
    before, after = spoken[:start].rstrip(), spoken[end:].lstrip()
    if alone and _FENCE.sub("", before + after).strip():
        raise UnusableReplyError("not_alone")
    clings = before.endswith(_OPEN_BEFORE) or after.startswith(_OPEN_AFTER)
    if clings or _OTHER_JSON.search(before) or _OTHER_JSON.search(after):
        raise UnusableReplyError("not_alone")
    return spoken[start:end]


def _without_thinking(text: str) -> str:
    """Take off one closed thinking block at the start; two of them could be anything."""
    if len(_CLOSES_THINKING.findall(text)) != 1:
        return text
    return _THINKING.sub("", text, count=1) if _THINKING.match(text) else text


def parsed(text: str) -> dict[str, Any]:
    """Return the JSON object that `text` is, from its first character to its last.

    Raw line ends inside of strings are read as line ends: they cannot mean anything else.

    Raises:
        UnusableReplyError: It is not exactly one object, or holds what an answer may not hold.
    """
    try:
        value = json.loads(
            text,
            strict=False,
            object_pairs_hook=_no_key_twice,
            parse_int=_bounded_int,
            parse_float=_bounded_float,
            parse_constant=_refused_number,
        )
    except RecursionError:
        raise UnusableReplyError("depth", limit=DEEPEST) from None
    except json.JSONDecodeError as error:
        raise UnusableReplyError("not_json", detail=f"{error.msg} at {error.pos}") from None
    if not isinstance(value, dict):
        raise UnusableReplyError("no_object")
    _check_strings(value)
    return value


def _no_key_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UnusableReplyError("duplicate_key", key=shown(key))
        found[key] = value
    return found


def _bounded_int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        _refused_number(digits)
    return int(digits)


def _bounded_float(digits: str) -> float:
    number = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    if not math.isfinite(number):
        _refused_number(digits)
    return number


def _refused_number(digits: str) -> NoReturn:
    raise UnusableReplyError("number", number=shown(digits, 24))


def _check_strings(value: object) -> None:
    """Refuse half characters, which no file and no wire can carry, and endless nesting."""
    for depth, string in _strings(value):
        if depth > DEEPEST:
            raise UnusableReplyError("depth", limit=DEEPEST)
        if any("\ud800" <= character <= "\udfff" for character in string):
            raise UnusableReplyError("encoding")


def _strings(value: object) -> Iterator[tuple[int, str]]:
    """Every string with its depth, keys included; something at every depth, so that all count."""
    waiting: list[tuple[int, object]] = [(1, value)]
    while waiting:
        depth, item = waiting.pop()
        if isinstance(item, str):
            yield depth, item
            continue
        yield depth, ""
        if isinstance(item, dict):
            waiting += [(depth, key) for key in item]
            waiting += [(depth + 1, child) for child in item.values()]
        elif isinstance(item, list):
            waiting += [(depth + 1, child) for child in item]


def is_mangled(text: str) -> bool:
    """Whether `text` was decoded with the wrong character set, or lost characters on the way.

    Text that is sound UTF-8 once more when it is written as Latin-1, Windows-1252 or code page 437
    is UTF-8 that was read as one of them; by chance that happens to a few letters at most.
    """
    if _REPLACEMENT in text:
        return True
    return any(_reads_as_utf8(text, charset) for charset in _MISTAKEN)


def _reads_as_utf8(text: str, charset: str) -> bool:
    try:
        return text.encode(charset).decode("utf-8") != text
    except UnicodeError:
        return False
