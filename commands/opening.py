"""From the settings to what a command works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agent.llm.options import LanguageOptions
    from agent.reviewer import Options, Reviewer
    from records.store import Records
    from settings import Settings


@dataclass(frozen=True)
class Asked:
    """How a language model is to be asked in this one command; what is not said is as set."""

    samples: int | None = None
    cascade: bool = False
    critic: Literal["always", "near_the_line", "never"] | None = None
    seed: int | None = None
    budget: float | None = None
    """Most dollars for this run."""
    fresh: bool = False
    """Whether answers that were paid for before are asked for again."""
    run: str = ""
    """The name that the spending is booked under; empty makes one up."""


def read_settings() -> Settings:
    """Return the settings; the environment is read here and nowhere below."""
    from settings import load_settings

    return load_settings()


def options_for(
    settings: Settings,
    policies: Path | None,
    model: str | None,
    asking: Asked | None = None,
) -> Options:
    """Return what a reviewer is opened with; an option goes before its setting."""
    from agent.reviewer import Options
    from agent.state import Limits
    from tools.links.lookup import open_lookups

    asking = asking or Asked()
    key = settings.ledger_key
    return Options(
        home=settings.home,
        records_url=settings.records_url,
        model=model or settings.model,
        policies=policies or settings.policies,
        threads=settings.threads,
        ledger_key=key.get_secret_value() if key else None,
        limits=Limits(tool_calls=settings.max_tool_calls, tool_seconds=settings.tool_seconds),
        lookups=open_lookups(settings),
        language=_language_options(settings, asking),
        cascade=asking.cascade,
        content_apart=settings.ledger_content == "apart",
        run=asking.run,
    )


def _language_options(settings: Settings, asking: Asked) -> LanguageOptions:
    from agent.llm.options import Budgets, LanguageOptions

    keys = {"openai": settings.openai_api_key, "anthropic": settings.anthropic_api_key}
    return LanguageOptions(
        keys={wire: key.get_secret_value() for wire, key in keys.items() if key is not None},
        urls={"openai": settings.openai_base_url, "anthropic": settings.anthropic_base_url},
        layout=settings.prompt_layout,
        mode=None if settings.answer_mode == "auto" else settings.answer_mode,
        samples=asking.samples or settings.samples,
        least_agreement=settings.least_agreement,
        critic=asking.critic or settings.critic,
        critic_model=settings.critic_model,
        seconds=settings.review_seconds,
        max_output_tokens=settings.max_output_tokens,
        seed=settings.seed if asking.seed is None else asking.seed,
        budgets=Budgets(
            case=settings.budget_case,
            run=settings.budget_run if asking.budget is None else asking.budget,
            day=settings.budget_day,
        ),
        prices=settings.prices,
        keep_days=0.0 if asking.fresh else settings.keep_answers_days,
    )


def reviewer_for(
    settings: Settings,
    policies: Path | None,
    model: str | None,
    asking: Asked | None = None,
) -> Reviewer:
    """Return an open reviewer; to be used in a `with` block."""
    from agent.reviewer import open_reviewer

    return open_reviewer(options_for(settings, policies, model, asking))


def records_for(settings: Settings) -> Records:
    """Return the open records; to be used in a `with` block."""
    from records.store import open_records

    key = settings.ledger_key
    return open_records(
        settings.records_url,
        home=settings.home,
        ledger_key=key.get_secret_value() if key else None,
    )
