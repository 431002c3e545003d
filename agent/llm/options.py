"""How a language model is reached and asked, as plain values; settings.py says what users set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agent.llm.critic import When
from agent.llm.exchange import Mode
from agent.llm.prompts import Layout

WIRES = ("openai", "anthropic")
"""The protocols that are spoken; the part of a model's name before the colon."""

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"


@dataclass(frozen=True)
class Budgets:
    """The most that may be spent, in dollars; None is no limit."""

    case: float | None = None
    run: float | None = None
    day: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for limit in (self.case, self.run, self.day))


@dataclass(frozen=True)
class LanguageOptions:
    """Everything about language models that is not the model's name."""

    keys: dict[str, str] = field(default_factory=dict, repr=False)
    """Keys by wire. They are never shown, recorded or logged."""
    urls: dict[str, str] = field(
        default_factory=lambda: {"openai": OPENAI_URL, "anthropic": ANTHROPIC_URL}
    )
    layout: Layout = "retrieved"
    mode: Mode | None = None
    """How structured output is asked for; None takes what a probe has found, or the wire's best."""
    samples: int = 1
    least_agreement: float = 0.6
    critic: When = "always"
    critic_model: str | None = None
    """Another model for the second look; None asks the reviewer model itself."""
    seconds: float = 120.0
    """Until when a review must be over, from its start."""
    max_output_tokens: int = 4_000
    """Of one answer, hidden thinking included."""
    in_flight: int = 256
    """Most requests side by side."""
    seed: int | None = None
    budgets: Budgets = field(default_factory=Budgets)
    prices: Path | None = None
    """A file of prices; None is prices.toml in the home folder, or the shipped one."""
    keep_days: float = 30.0
    """How long an answer that was paid for is used again; 0 is never."""


def is_language_model(name: str) -> bool:
    """Whether a reviewer model is reached over one of the wires."""
    wire, _, model = name.partition(":")
    return wire in WIRES and bool(model.strip())
