"""A case: one piece of content, or one account, put up for judgement (DESIGN 3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

CaseKind = Literal["content", "account"]
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class Frozen(BaseModel):
    """Data that enters or leaves: unknown fields are refused, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContextItem(Frozen):
    """Something said around the content: the post it answers, the thread it stands in."""

    account_id: Id | None = None
    text: str


class Report(Frozen):
    """How often people reported the content, and for what."""

    reason: str
    count: int = Field(default=1, ge=0)


class Case(Frozen):
    """One piece of content, or one account, put up for judgement, with its context."""

    id: Id
    text: str = ""
    kind: CaseKind = "content"
    surface: str = ""
    language: str = ""
    account_id: Id | None = None
    context: tuple[ContextItem, ...] = ()
    links: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    reach: int | None = Field(default=None, ge=0)
    created_at: AwareDatetime | None = None
    meta: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_something_to_judge(self) -> Case:
        if self.kind == "content" and not self.text.strip():
            raise ValueError("a case of kind 'content' needs a text")
        if self.kind == "account" and self.account_id is None:
            raise ValueError("a case of kind 'account' needs an account_id")
        return self
