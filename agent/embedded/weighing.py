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

from agent.embedded.evidence import CASE_FEATURES, FEATURES
from errors import RecordsError

WEIGHTS_FILE = "weights.json"


class WeightsFile(BaseModel):
    """What `training.embedded` writes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    section: dict[str, float]
    case: dict[str, float]
    intercept: float
    violating_line: float = Field(ge=0, le=1)
    allowed_line: float = Field(ge=0, le=1)
    about: str


@dataclass(frozen=True)
class Weighing:
    """Two linear models over named terms: plain numbers, so that a verdict can be explained.

    The first says which section is the likeliest to be broken, the second whether any is.
    """

    version: str
    section: Mapping[str, float]
    case: Mapping[str, float]
    intercept: float
    violating_line: float
    """From this probability on a case is held to break its likeliest section."""
    allowed_line: float
    """Under this probability a case is held to be allowed."""

    def nearness(self, features: Mapping[str, float]) -> float:
        """Return what the evidence on a section adds up to; the highest is the likeliest."""
        return sum(self.section[name] * features[name] for name in FEATURES)

    def probability(self, features: Mapping[str, float], nearness: float) -> float:
        """Return the probability that a case breaks its likeliest section."""
        told = {**features, "nearness": nearness}
        total = self.intercept + sum(self.case[name] * told[name] for name in CASE_FEATURES)
        return 1.0 / (1.0 + exp(-total))

    def terms(
        self, features: Mapping[str, float], case_features: Mapping[str, float]
    ) -> dict[str, float]:
        """Return what each term adds to the log-odds that this section is broken."""
        weight = self.case["nearness"]
        added = {name: weight * self.section[name] * features[name] for name in FEATURES}
        for name in ("reader", "posture", "loudest"):
            added[name] = added.get(name, 0.0) + self.case[name] * case_features[name]
        return added


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
    known = set(read.section) == set(FEATURES) and set(read.case) == set(CASE_FEATURES)
    if not known or read.allowed_line > read.violating_line:
        raise RecordsError(f"{file} was made for other terms than this version has", hint=hint)
    return Weighing(
        version=hashlib.sha256(data).hexdigest()[:12],
        section=read.section,
        case=read.case,
        intercept=read.intercept,
        violating_line=read.violating_line,
        allowed_line=read.allowed_line,
    )
