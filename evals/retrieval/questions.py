"""Questions over a corpus of documents, and the documents that answer them."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Split = Literal["dev", "test"]


class Question(BaseModel):
    """What a user or a moderator wants to know, in their words and not in the document's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: Annotated[str, Field(min_length=1)]
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    """Any of these answers it."""
    split: Split
    """`dev` questions may be looked at while the search is being built, `test` questions not."""


def read_questions() -> list[Question]:
    """Return the questions written for the 56 documents of GitHub's site policy."""
    lines = (resources.files("evals.retrieval") / "questions.jsonl").read_text("utf-8")
    return [Question.model_validate_json(line) for line in lines.splitlines()]
