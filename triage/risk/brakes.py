"""What no threshold overrides: the page `brakes.toml`, which says what each figure means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.verdict import Verdict
from errors import InputError, shown
from policies.rulebook import Action, Severity

_SHIPPED = "brakes.toml"


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Floors(_Page):
    """What goes to a person in any case."""

    severities: tuple[Severity, ...] = ()
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5

    def hit(self, verdict: Verdict) -> str:
        """Return which floor a verdict lies under, or nothing."""
        if verdict.severity in self.severities:
            return f"a {verdict.severity} violation goes to a person"
        if verdict.confidence < self.confidence:
            return f"below a confidence of {self.confidence:g} nothing is closed"
        return ""


class Brakes(_Page):
    """The page, as it is written."""

    audit_share: Annotated[float, Field(gt=0, le=1)]
    most_waiting_audits: Annotated[int, Field(ge=1)]
    quotas: Mapping[Action, Annotated[int, Field(ge=0)]] = {}
    floors: Floors = Floors()


def read_brakes(path: Path | None = None) -> Brakes:
    """Return a page of brakes; the shipped one where none is named.

    Raises:
        InputError: It cannot be read, or says something that is none of ours.
    """
    where = str(path) if path is not None else _SHIPPED
    try:
        text = (path or files("triage") / "risk" / _SHIPPED).read_text(encoding="utf-8")
        return Brakes.model_validate(tomllib.loads(text))
    except OSError as error:
        raise InputError(
            f"{where}: {error.strerror or error}", hint="name a file that you may read"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{where}: no TOML: {shown(str(error), 120)}", hint="begin with a copy of brakes.toml"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where}: {place}: {first['msg']}", hint="brakes.toml says what each figure means"
        ) from None
