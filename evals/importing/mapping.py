"""A map from the labels of another set to the sections of a rulebook: one TOML file a set.

The shipped maps lie in `maps/`; a file of one's own has the same form. What a map says:

```toml
name = "ours"                    # goes before the ids
source = "where the set is from, and its licence"
unknown = "leave out"            # or "no": what a label that a row does not have means
without_label = "why"            # if a row without any label need not be harmless

[columns]                        # a dot goes into an object; of several names the first counts
text = ["text", "prompt"]
id = "id"                        # without one, the number of the line

[slices]                         # columns that say what kind of case a row is
kind = "type"

[labels.threat]
columns = ["labels.threat", "T"]
at_least = 0.5                   # or: is = "yes"
sections = ["violence.1"]        # none: the label has no section here, and its rows are left out
loses = "what the label does not tell"
```
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from agent.case import Frozen
from errors import InputError, shown
from policies.rulebook import Rulebook

_MAPS = "evals.importing.maps"


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
"""Names that a column may have; the first that a row has counts."""
Values = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Fields(Frozen):
    """Where a row keeps what makes a case."""

    text: Columns
    id: Columns | None = None
    context: Columns | None = None
    language: Columns | None = None
    cluster: Columns | None = None


class Label(Frozen):
    """What one label becomes."""

    columns: Columns
    at_least: float | None = None
    """The label holds from this value on; 1 where neither this nor `is` is said."""
    is_: Values | None = Field(default=None, alias="is")
    """The label holds where the column has one of these words."""
    where: Mapping[str, Values] = Field(default_factory=dict)
    """The label is about rows whose other columns have one of these words, and about no others."""
    part_of: str | None = None
    """Where that other label does not hold, this one does not either, even if nobody said so."""
    sections: tuple[str, ...] = ()
    leave_out: str | None = None
    """Why rows with this label are not taken at all."""
    loses: str = ""

    @model_validator(mode="after")
    def _one_way_to_hold(self) -> Label:
        if self.at_least is not None and self.is_ is not None:
            raise ValueError("a label holds by `at_least` or by `is`, not by both")
        if not self.sections and not self.loses and not self.leave_out:
            raise ValueError("a label without sections says in `loses` or `leave_out` why")
        return self


class SetMap(Frozen):
    """How a set is read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    source: str = Field(min_length=1)
    unknown: Literal["leave out", "no"] = "leave out"
    without_label: str | None = None
    """Why a row on which no label holds is left out, where that does not make it harmless."""
    loses: str = ""
    """What is lost whatever the label."""
    columns: Fields
    slices: Mapping[str, Columns] = Field(default_factory=dict)
    labels: Mapping[str, Label] = Field(min_length=1)

    @model_validator(mode="after")
    def _parts_are_of_labels(self) -> SetMap:
        for name, label in self.labels.items():
            if label.part_of is not None and label.part_of not in self.labels:
                raise ValueError(f"labels.{name}: there is no label {label.part_of!r}")
        return self


def known_maps() -> list[str]:
    """Return the names of the shipped maps."""
    return sorted(f.name.removesuffix(".toml") for f in _shipped() if f.name.endswith(".toml"))


def read_map(wanted: str, rulebook: Rulebook) -> tuple[SetMap, str]:
    """Return a shipped map by its name, or the map in a file, and the hash of its text.

    Raises:
        InputError: There is no such map, it does not parse, or it names a section that is not in
            `rulebook`; names the file and what is wrong in it.
    """
    where, raw = _text_of(wanted)
    try:
        fields = tomllib.loads(raw)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not TOML ({error})", hint="correct that line") from None
    try:
        mapping = SetMap.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the map"
        raise InputError(
            f"{where}: {place}: {first['msg'].removeprefix('Value error, ')}",
            hint="evals/importing/mapping.py shows what a map says",
        ) from None
    _check_sections(mapping, rulebook, where)
    return mapping, "sha256:" + hashlib.sha256(raw.encode("utf-8")).hexdigest()


def _shipped() -> list[Traversable]:
    return list(files(_MAPS).iterdir())


def _text_of(wanted: str) -> tuple[str, str]:
    if wanted in known_maps():
        return f"the map {wanted}", (files(_MAPS) / f"{wanted}.toml").read_text("utf-8")
    path = Path(wanted)
    try:
        return str(path), path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"there is no map {shown(wanted)}: {getattr(error, 'strerror', None) or error}",
            hint=f"name a TOML file, or one of: {', '.join(known_maps())}",
        ) from None


def _check_sections(mapping: SetMap, rulebook: Rulebook, where: str) -> None:
    for name, label in mapping.labels.items():
        for section in label.sections:
            if rulebook.section(section) is None:
                raise InputError(
                    f"{where}: labels.{name}: the rulebook has no section {shown(section)}",
                    hint="map the label to sections of this rulebook, with a map of your own",
                )
