"""What a stated confidence is worth: fitted on golden cases, applied to every later verdict.

A language model that says .95 may be right in .8 of such cases. A line is fitted to the logit of
what it says (Platt 1999; Guo et al. 2017, "On calibration of modern neural networks"), which never
turns the order of two confidences round, and needs few cases.
"""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.verdict import Draft
from errors import SettingsError

_FILE = "confidence.json"
_EDGE = 0.001
"""Nothing is more certain than this far from 0 or 1."""


class Calibration(BaseModel):
    """A line over logits, for one model and the golden cases that it was fitted on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    golden: str
    """Hash of the golden cases."""
    cases: int = Field(ge=1)
    slope: float = Field(ge=0.0, allow_inf_nan=False)
    offset: float = Field(allow_inf_nan=False)
    error_before: float
    """Expected calibration error of what the model says."""
    error_after: float
    """The same of what the line makes of it, on cases that did not fit the line."""

    def of(self, stated: float) -> float:
        """Return what a stated confidence is worth.

        >>> line = Calibration(model="m", golden="g", cases=9, slope=0.5, offset=0.0,
        ...     error_before=0.2, error_after=0.1)
        >>> line.of(0.9), line.of(0.5)
        (0.75, 0.5)
        """
        return round(1 / (1 + math.exp(-self.slope * logit(stated) - self.offset)), 4)

    def applied(self, draft: Draft) -> Draft:
        """Return the draft with its confidence as it is worth; an abstention stays as it is."""
        if draft.decision == "abstain":
            return draft
        return draft.model_copy(update={"confidence": self.of(draft.confidence)})


def logit(probability: float) -> float:
    """Return the logit of a probability that is kept off 0 and 1."""
    inside = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(inside / (1 - inside))


def read_calibration(home: Path, model: str) -> Calibration | None:
    """Return the line that was fitted for a model, or None where there is none.

    Raises:
        SettingsError: The file of the lines cannot be read.
    """
    return _lines(home).get(model)


def write_calibration(home: Path, calibration: Calibration) -> Path:
    """Keep a line in the home folder beside those of other models, and return where."""
    lines = _lines(home) | {calibration.model: calibration}
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / _FILE
    draft = path.with_suffix(".new")
    draft.write_text(_Lines(lines=lines).model_dump_json(indent=2) + "\n", "utf-8")
    draft.replace(path)
    return path


class _Lines(BaseModel):
    lines: dict[str, Calibration]


def _lines(home: Path) -> dict[str, Calibration]:
    path = home / _FILE
    try:
        return _Lines.model_validate_json(path.read_text("utf-8")).lines
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, ValidationError):
        raise SettingsError(
            f"{path} does not say what a confidence is worth",
            hint="delete it, and fit it again: amicus eval confidence --help",
        ) from None
