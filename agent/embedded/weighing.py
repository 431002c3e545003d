"""The shipped weights over the evidence, and the lines between allowed, doubt and violating."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import exp

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.embedded.evidence import FEATURES
from errors import RecordsError

WEIGHTS_FILE = "weights.json"


class WeightsFile(BaseModel):
    """What `training.embedded` writes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    intercept: float
    weights: dict[str, float]
    violating_line: float = Field(ge=0, le=1)
    allowed_line: float = Field(ge=0, le=1)
    about: str


@dataclass(frozen=True)
class Weighing:
    """A logistic model over named terms: plain numbers, so that every verdict can be explained."""

    version: str
    intercept: float
    weights: Mapping[str, float]
    violating_line: float
    """From this probability on a section is held to be broken."""
    allowed_line: float
    """Under this probability for every section a case is held to be allowed."""

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability that a section with this evidence is broken."""
        total = self.intercept + sum(self.terms(features).values())
        return 1.0 / (1.0 + exp(-total))

    def terms(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return what each term adds to the log-odds."""
        return {name: self.weights[name] * features[name] for name in FEATURES}


@lru_cache(maxsize=4)
def shipped_weighing(folder: Traversable | None = None) -> Weighing:
    """Return the weights that ship.

    Raises:
        RecordsError: The file is missing, damaged, or made for other terms.
    """
    file = (folder or files("models") / "embedded") / WEIGHTS_FILE
    hint = "restore models/embedded: reinstall, or make it again with python -m training.embedded"
    try:
        data = file.read_bytes()
        read = WeightsFile.model_validate_json(data)
    except OSError as error:
        raise RecordsError(f"{file}: {error.strerror or error}", hint=hint) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise RecordsError(f"{file} is damaged: {first['msg']}", hint=hint) from None
    if set(read.weights) != set(FEATURES) or read.allowed_line > read.violating_line:
        raise RecordsError(f"{file} was made for other terms than this version has", hint=hint)
    return Weighing(
        version=hashlib.sha256(data).hexdigest()[:12],
        intercept=read.intercept,
        weights=read.weights,
        violating_line=read.violating_line,
        allowed_line=read.allowed_line,
    )
