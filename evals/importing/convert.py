"""A row of another set as a golden case, or why it is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errors import InputError, shown
from evals.importing.mapping import Columns, Label, SetMap
from evals.importing.rows import Row, cell


@dataclass(frozen=True)
class Taken:
    """A row that became a golden case, as its fields; `by` are the labels that decided it."""

    fields: Mapping[str, Any]
    by: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """A row that did not, and why."""

    why: str


def convert(row: Row, mapping: SetMap, *, where: str, longest: int) -> Taken | Left:
    """Return what a row becomes.

    A row is violating where a label holds that has a section, and allowed where no label holds and
    each is known. All else is left out: a label without a section, a label that nobody gave, an
    empty text. Nothing becomes allowed for want of knowledge.

    Raises:
        InputError: A cell holds what its column cannot mean; names `where`.
    """
    text = cell(row.fields, mapping.columns.text)
    if not isinstance(text, str) or not text.strip():
        return Left("the text is empty")
    if len(text) > longest:
        return Left(f"the text has more than {longest:,} characters")
    found = _answer(row, mapping, where)
    if isinstance(found, Left):
        return found
    sections = dict.fromkeys(s for name in found for s in mapping.labels[name].sections)
    decision = "violating" if found else "allowed"
    fields = {
        "id": f"{mapping.name}-{_id(row, mapping, where)}",
        "text": text,
        **_about(row, mapping),
        "expected": {"decision": decision, "sections": list(sections)},
        "slices": _slices(row, mapping),
        "source": mapping.source,
    }
    cluster = _word(row, mapping.columns.cluster)
    return Taken(fields | ({"cluster": cluster} if cluster else {}), found)


def _answer(row: Row, mapping: SetMap, where: str) -> tuple[str, ...] | Left:
    """The labels that hold and have sections; none is an allowed case."""
    labels = {name: one for name, one in mapping.labels.items() if _is_about(one, row)}
    if not labels:
        return Left("no label is about this row")
    held = _held(row, labels, where)
    holding = tuple(name for name, holds in held.items() if holds)
    refused = [name for name in holding if labels[name].leave_out]
    if refused:
        return Left(f"{refused[0]}: {labels[refused[0]].leave_out}")
    violating = tuple(name for name in holding if labels[name].sections)
    if holding and not violating:
        return Left(f"no section for the label {holding[0]}")
    unknown = [name for name, holds in held.items() if holds is None]
    if not holding and unknown and mapping.unknown == "leave out":
        return Left(f"nobody said whether {unknown[0]} holds")
    if not holding and mapping.without_label is not None:
        return Left(mapping.without_label)
    return violating


def _held(row: Row, labels: Mapping[str, Label], where: str) -> dict[str, bool | None]:
    """Which labels hold; where the whole does not, neither does its part."""
    held = {name: _holds(row, label, f"{where}: {name}") for name, label in labels.items()}
    for name, label in labels.items():
        if held[name] is None and label.part_of is not None and held.get(label.part_of) is False:
            held[name] = False
    return held


def _is_about(label: Label, row: Row) -> bool:
    return all(str(cell(row.fields, [name])) in words for name, words in label.where.items())


def _holds(row: Row, label: Label, where: str) -> bool | None:
    """Whether a label holds, or None where the row does not say."""
    value = cell(row.fields, label.columns)
    if value is None:
        return None
    if label.is_ is not None:
        return str(value) in label.is_
    number = _number(value, where)
    return number >= (1.0 if label.at_least is None else label.at_least)


def _number(value: Any, where: str) -> float:
    """A score or a yes: 1, 0.7, "0.7", true, "False"."""
    if isinstance(value, str):
        value = {"true": 1.0, "false": 0.0}.get(value.strip().lower(), value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise InputError(
            f"{where}: {shown(str(value))} is no number",
            hint="write the label as a number, or give the map its words with `is`",
        )
    return number


def _id(row: Row, mapping: SetMap, where: str) -> str:
    if mapping.columns.id is None:
        return str(row.line)
    named = _word(row, mapping.columns.id)
    if not named:
        raise InputError(
            f"{where}: no {' or '.join(mapping.columns.id)}",
            hint="give every row an id, or take `id` out of the map",
        )
    return "-".join(named.split())[:150]


def _about(row: Row, mapping: SetMap) -> dict[str, Any]:
    """The language and the context, where the row has them."""
    fields: dict[str, Any] = {}
    language = _word(row, mapping.columns.language)
    if language:
        fields["language"] = language
    said = cell(row.fields, mapping.columns.context or ())
    texts = said if isinstance(said, list) else [said]
    context = [{"text": text} for text in texts if isinstance(text, str) and text.strip()]
    return fields | ({"context": context} if context else {})


def _slices(row: Row, mapping: SetMap) -> dict[str, str]:
    found = {name: _word(row, columns) for name, columns in mapping.slices.items()}
    return {name: word for name, word in found.items() if word}


def _word(row: Row, columns: Columns | Sequence[str] | None) -> str:
    value = cell(row.fields, columns or ())
    return "" if value is None else str(value).strip()
