"""The cascade: the embedded model is asked first, and a language model where that is not enough.

Where the line lies is not guessed: it is chosen on golden cases that both have judged, see
`evals.cascade`, and holds for that pair of models and that rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.state import Desk
from agent.verdict import Decision, Verdict
from errors import SettingsError

_FILE = "cascade.json"
NEVER = 2.0
"""A line that no confidence reaches."""


class CascadeLines(BaseModel):
    """From which confidence on a first verdict is enough, and where that comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: str
    second: str
    rulebook: str
    golden: str
    """Hash of the golden cases that the lines were chosen on."""
    cases: int = Field(ge=1)
    violating: float = NEVER
    allowed: float = NEVER
    saved: float
    """Share of the cases that ended with the first model, on cases that chose no lines."""
    quality: Mapping[str, float]
    """Change in quality against asking the language model every time, on the same cases."""

    def line(self, decision: Decision) -> float:
        """Return the confidence from which on such a decision is enough; an abstention never is."""
        return {"violating": self.violating, "allowed": self.allowed, "abstain": NEVER}[decision]


@dataclass(frozen=True)
class Cascade:
    """Who is asked first, and when that is enough."""

    first: Desk
    lines: CascadeLines
    second: str
    """The name of the model that is asked next."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the pair and its lines."""
        lines = f"{self.lines.violating:g}/{self.lines.allowed:g}"
        object.__setattr__(
            self, "name", f"cascade({self.first.model.name} > {self.second}, {lines})"
        )

    def settles(self, verdict: Verdict) -> bool:
        """Return whether the first verdict is enough. What a person has to see never is."""
        if verdict.needs_human and verdict.decision != "violating":
            return False
        return verdict.confidence >= self.lines.line(verdict.decision)


def read_lines(home: Path, *, first: str, second: str, rulebook: str) -> CascadeLines:
    """Return the lines that were chosen for this pair of models and this rulebook.

    Raises:
        SettingsError: There are none, or they were chosen for others.
    """
    path = home / _FILE
    hint = "choose the lines on golden cases: amicus eval cascade --help"
    try:
        lines = CascadeLines.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError("no lines were chosen for --route cascade", hint=hint) from None
    except (OSError, ValidationError, UnicodeDecodeError):
        raise SettingsError(f"{path} holds no lines for --route cascade", hint=hint) from None
    meant = {"first": first, "second": second, "rulebook": rulebook}
    for name, value in meant.items():
        if getattr(lines, name) != value:
            raise SettingsError(
                f"the lines for --route cascade were chosen with another {name}: "
                f"{getattr(lines, name)[:60]}, and this is {value[:60]}",
                hint=hint,
            )
    return lines


def write_lines(home: Path, lines: CascadeLines) -> Path:
    """Keep the lines in the home folder, and return where."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / _FILE
    draft = path.with_suffix(".new")
    draft.write_text(lines.model_dump_json(indent=2) + "\n", "utf-8")
    draft.replace(path)
    return path
