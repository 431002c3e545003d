"""The head of a policy file: YAML between two lines of three dashes.

The YAML is read as a tree with positions and never turned into Python objects: a problem knows
its line, a key given twice is seen, and a version such as `2026-11-01` or `1.10` stays the text
that the writer typed instead of becoming a date or the number 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import yaml

from errors import shown
from policies.problem import Problems
from policies.rulebook import ACTIONS, SEVERITIES, SIGNALS, Action, Severity, Signal

FENCE = "---"
FIRST_LINE = 2
"""The line of the file on which the YAML starts, after the opening fence."""
KEYS = ("id", "title", "version", "signals", "enforcement", "never_auto", "floor", "retired")
REQUIRED = ("id", "title", "version", "enforcement")
POLICY_ID = re.compile(r"[a-z][a-z0-9_-]{0,63}")
SECTION_ID = re.compile(r"(?P<policy>[a-z][a-z0-9_-]{0,63})\.(?P<number>[1-9][0-9]{0,3})")

_TAG = "tag:yaml.org,2002:"
_EXAMPLES = {
    "id": "id: hate",
    "title": "title: Hateful conduct",
    "version": "version: 2026-11-01",
    "signals": "signals: [hate]",
    "enforcement": "enforcement: {low: label, medium: limit, high: remove, critical: remove}",
    "never_auto": "never_auto: false",
    "floor": "floor: 0.9",
    "retired": "retired: [hate.3]",
}
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True)
class FrontMatter:
    """What the head says; None where it says nothing that can be used."""

    id: str | None = None
    title: str | None = None
    version: str | None = None
    signals: tuple[Signal, ...] = ()
    enforcement: Mapping[Severity, Action] | None = None
    never_auto: bool = False
    floor: float | None = None
    retired: tuple[str, ...] = ()


def split_front_matter(lines: list[str], problems: Problems) -> tuple[list[str], int]:
    """Return the lines of the head, and the index in `lines` at which the body starts."""
    if not lines or lines[0].rstrip() != FENCE:
        problems.add(
            1, "there is no front matter", f"start the file with {FENCE}, the keys, and {FENCE}"
        )
        return [], 0
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return lines[1:index], index + 1
    problems.add(1, "the front matter is not closed", f"write {FENCE} on a line below the last key")
    return [], len(lines)


def read_front_matter(lines: list[str], problems: Problems) -> FrontMatter:
    """Return what the head says, and note everything in it that cannot be used."""
    fields = _fields("\n".join(lines), problems)
    if fields is None:
        return FrontMatter()
    for key in REQUIRED:
        if key not in fields:
            problems.add(
                1, f"the front matter has no {key!r}", f"write for example {_example(key)}"
            )
    policy = _policy_id(fields.get("id"), problems)
    return FrontMatter(
        id=policy,
        title=_text("title", fields.get("title"), problems),
        version=_text("version", fields.get("version"), problems),
        signals=_signals(fields.get("signals"), problems),
        enforcement=_enforcement(fields.get("enforcement"), problems),
        never_auto=_flag("never_auto", fields.get("never_auto"), problems),
        floor=_floor(fields.get("floor"), problems),
        retired=_retired(fields.get("retired"), policy, problems),
    )


def _fields(text: str, problems: Problems) -> dict[str, yaml.Node] | None:
    root = _compose(text, problems)
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode):
        problems.add(_line(root), "the front matter is not a list of keys", _example("id"))
        return None
    fields: dict[str, yaml.Node] = {}
    for key_node, value in root.value:
        key = _scalar(key_node) or ""
        if key not in KEYS:
            hint = f"known keys: {', '.join(KEYS)}"
            problems.add(_line(key_node), f"unknown key {shown(key)}", hint)
        elif key in fields:
            problems.add(_line(key_node), f"the key {key!r} is given twice", "keep one of them")
        else:
            fields[key] = value
    return fields


def _compose(text: str, problems: Problems) -> yaml.Node | None:
    """Parse `text`; an empty head is an empty mapping, a broken one is noted and None."""
    hint = 'quote a value that holds a colon or a quote, such as title: "Spam: what it is"'
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = FIRST_LINE + (mark.line if mark else 0)
        problems.add(line, f"the front matter is not YAML: {error.problem or error.context}", hint)
        return None
    except yaml.reader.ReaderError as error:
        line = FIRST_LINE + text.count("\n", 0, error.position)
        problems.add(line, f"the front matter is not YAML: {error.reason}", hint)
        return None
    except RecursionError:
        problems.add(FIRST_LINE, "the front matter is nested too deeply", _example("signals"))
        return None
    return root or yaml.MappingNode(_TAG + "map", [])


def _text(key: str, node: yaml.Node | None, problems: Problems) -> str | None:
    """One line of text, as the writer typed it: dates and numbers are text too."""
    if node is None:
        return None
    text = _scalar(node, "str", "int", "float", "timestamp")
    value = " ".join((text or "").split())
    if not value:
        problems.add(_line(node), f"{key!r} is not a text", f"write for example {_example(key)}")
        return None
    return value


def _policy_id(node: yaml.Node | None, problems: Problems) -> str | None:
    value = _text("id", node, problems)
    if node is None or value is None:
        return None
    if not POLICY_ID.fullmatch(value):
        hint = "lower-case letters, digits, - and _, starting with a letter: id: self-harm"
        problems.add(_line(node), f"{shown(value)} cannot be the id of a policy", hint)
        return None
    return value


def _flag(key: str, node: yaml.Node | None, problems: Problems) -> bool:
    if node is None:
        return False
    value = _scalar(node, "bool")
    if value is None:
        problems.add(_line(node), f"{key!r} is neither true nor false", _example(key))
    return (value or "").lower() in {"true", "yes", "on"}


def _floor(node: yaml.Node | None, problems: Problems) -> float | None:
    """A probability; None where it says none."""
    if node is None:
        return None
    try:
        value = float(_scalar(node, "int", "float") or "")
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        hint = f"write a probability from 0 to 1, such as {_example('floor')}"
        problems.add(_line(node), "'floor' is not a probability", hint)
        return None
    return value


def _signals(node: yaml.Node | None, problems: Problems) -> tuple[Signal, ...]:
    signals: list[Signal] = []
    for item in _items("signals", node, problems):
        value = _one_of(SIGNALS, item)
        if value is None:
            hint = f"known signals: {', '.join(SIGNALS)}"
            message = f"unknown signal {shown(_as_written(item))}"
            problems.add(_line(item), message, hint, rule="unknown-signal")
        elif value in signals:
            problems.add(_line(item), f"the signal {value!r} is listed twice", "keep one of them")
        else:
            signals.append(value)
    return tuple(signals)


def _enforcement(node: yaml.Node | None, problems: Problems) -> Mapping[Severity, Action] | None:
    """The table from severity to action; None if any of it is wrong, so that no error follows."""
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(_line(node), "'enforcement' is not a table", _example("enforcement"))
        return None
    table: dict[Severity, Action] = {}
    before = len(problems.found)
    for key, value in node.value:
        severity, action = _one_of(SEVERITIES, key), _one_of(ACTIONS, value)
        if severity is None:
            hint = f"known severities: {', '.join(SEVERITIES)}"
            problems.add(_line(key), f"unknown severity {shown(_as_written(key))}", hint)
        elif severity in table:
            problems.add(
                _line(key), f"the severity {severity!r} is given twice", "keep one of them"
            )
        if action is None:
            hint = f"known actions: {', '.join(ACTIONS)}"
            problems.add(_line(value), f"unknown action {shown(_as_written(value))}", hint)
        if severity is not None and action is not None:
            table[severity] = action
    return table if len(problems.found) == before else None


def _retired(node: yaml.Node | None, policy: str | None, problems: Problems) -> tuple[str, ...]:
    retired: list[str] = []
    for item in _items("retired", node, problems):
        value = _as_written(item)
        match = SECTION_ID.fullmatch(value)
        if match is None or (policy is not None and match["policy"] != policy):
            hint = f"name sections of this policy: {_example('retired')}"
            problems.add(_line(item), f"{shown(value)} is not a section of this policy", hint)
        else:
            retired.append(value)
    return tuple(retired)


def _items(key: str, node: yaml.Node | None, problems: Problems) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        problems.add(_line(node), f"{key!r} is not a list", f"write for example {_example(key)}")
        return []
    return list(node.value)


def _scalar(node: yaml.Node, *kinds: str) -> str | None:
    """The text of a scalar as it was typed, if it is of one of `kinds` (any, if none is named)."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if kinds and node.tag not in {_TAG + kind for kind in kinds}:
        return None
    return str(node.value)


def _one_of(words: Collection[_Word], node: yaml.Node) -> _Word | None:
    value = _scalar(node)
    return next((word for word in words if word == value), None)


def _as_written(node: yaml.Node) -> str:
    value = _scalar(node)
    if value is None:
        return "a table" if isinstance(node, yaml.MappingNode) else "a list"
    return value


def _line(node: yaml.Node) -> int:
    return FIRST_LINE + node.start_mark.line


def _example(key: str) -> str:
    return _EXAMPLES[key]
