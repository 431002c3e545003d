"""The one place that reads the environment: `AMICUS_*` variables and a `.env` file beside the user.

Everything below the edge (cli, evals, triage) receives plain values, so that a test or another
program decides them by passing an argument.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import SettingsError, shown

LookupService = Literal["webrisk", "urlhaus"]


class Settings(BaseSettings):
    """What a user may set; each field is the variable `AMICUS_<NAME>` in upper case."""

    model_config = SettingsConfigDict(
        env_prefix="AMICUS_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    home: Path = Field(
        default_factory=lambda: user_data_path("amicus"),
        description="Where records, indexes and unfinished runs live.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy address of the records; empty means SQLite in the home folder.",
    )
    policies: Path | None = Field(
        default=None, description="Folder of another rulebook; empty means the shipped one."
    )
    model: str = Field(
        default="embedded",
        description="The reviewer model: embedded, openai:MODEL or anthropic:MODEL.",
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="Key for openai:MODEL."
    )
    openai_base_url: str = Field(
        default="https://api.openai.com/v1",
        description="Where an OpenAI-compatible server answers: vLLM, Ollama, llama.cpp.",
    )
    anthropic_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="ANTHROPIC_API_KEY",
        description="Key for anthropic:MODEL; a server of one's own may need none.",
    )
    anthropic_base_url: str = Field(
        default="https://api.anthropic.com",
        description="Where a server answers that speaks Anthropic's messages, without /v1.",
    )
    prompt_layout: Literal["retrieved", "whole"] = Field(
        default="retrieved",
        description="What a language model is shown: the sections that bear on a case, or all.",
    )
    answer_mode: Literal["auto", "tools", "json_schema", "json", "text"] = Field(
        default="auto",
        description="How its verdict is asked for; auto takes what doctor --probe has found.",
    )
    samples: int = Field(
        default=1, ge=1, le=25, description="How often a language model judges each case."
    )
    least_agreement: float = Field(
        default=0.6, ge=0, le=1, description="Samples that agree less than this are unstable."
    )
    critic: Literal["always", "near_the_line", "never"] = Field(
        default="always", description="When a second look argues against a verdict."
    )
    critic_model: str | None = Field(
        default=None, description="Another language model for that; empty asks the same."
    )
    review_seconds: float = Field(
        default=120.0, gt=0, description="Time that a language model may take over one review."
    )
    max_output_tokens: int = Field(
        default=4_000, ge=200, description="Most tokens of one answer, hidden thinking included."
    )
    seed: int | None = Field(default=None, description="Seed for servers that take one.")
    budget_case: float | None = Field(
        default=None, ge=0, description="Most dollars for one review; empty is no limit."
    )
    budget_run: float | None = Field(
        default=None, ge=0, description="Most dollars for one run of a command."
    )
    budget_day: float | None = Field(
        default=None, ge=0, description="Most dollars a day (UTC), over all processes."
    )
    prices: Path | None = Field(
        default=None, description="Price file; empty is prices.toml in the home, or the shipped."
    )
    keep_answers_days: float = Field(
        default=30.0, ge=0, description="How long an answer that was paid for is used again."
    )
    ledger_content: Literal["inside", "apart"] = Field(
        default="inside",
        description="Where the ledger has content: inside, or apart where it can be forgotten.",
    )
    max_text_chars: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Longest text of a case, in characters."
    )
    max_tool_calls: int = Field(
        default=12, ge=0, le=100, description="Most tool calls in one review."
    )
    tool_seconds: float = Field(
        default=10.0, gt=0, description="Time that the tool calls of one review may take together."
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="Threads of the embedding model; 0 means every core."
    )
    url_lookup: Annotated[tuple[LookupService, ...], NoDecode] = Field(
        default=(),
        description="Reputation services that may be asked about links: webrisk, urlhaus.",
    )
    webrisk_api_key: SecretStr | None = Field(default=None, description="Key for Google Web Risk.")
    urlhaus_auth_key: SecretStr | None = Field(default=None, description="Key for URLhaus.")
    ledger_key: SecretStr | None = Field(
        default=None,
        description="Key of the ledger's anchor; with it a forged anchor is found as well.",
    )
    lease_seconds: float = Field(
        default=300.0,
        gt=0,
        description="How long a case of the docket is lent before somebody else gets it.",
    )
    webhook_url: str = Field(default="", description="Who is told of the docket's decisions.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs what is told; at least 16 bytes."
    )
    tracing: bool = Field(
        default=False, description="Let LangSmith trace reviews (sends content to LangSmith)."
    )

    @field_validator("url_lookup", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def records_url(self) -> str:
        """The address of the records, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'amicus.db'}"


def load_settings() -> Settings:
    """Read the environment once, and silence what would phone home.

    Raises:
        SettingsError: A variable holds something impossible.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = _variable(str(first["loc"][0]))
        secret = name.endswith(("_KEY", "_SECRET"))
        value = "(hidden)" if secret else shown(first["input"])
        raise SettingsError(
            f"{name}={value}: {first['msg']}", hint=f"correct or unset {name} (also look in .env)"
        ) from None
    stay_home(tracing=settings.tracing)
    return settings


def _variable(field: str) -> str:
    """The variable that fills a field; keys of providers keep their usual names."""
    return field if field.isupper() else f"AMICUS_{field.upper()}"


def stay_home(*, tracing: bool = False) -> None:
    """Turn off the telemetry of libraries; to be called before any of them is imported."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LANGSMITH_TRACING"] = "true" if tracing else "false"
    os.environ["LANGCHAIN_TRACING_V2"] = "true" if tracing else "false"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
