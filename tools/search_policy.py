"""The rules, asked in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from errors import ToolError, shown
from policies.rulebook import Section
from tools.tool import Arguments, Result, Tool, tool


class PolicyQuestion(Arguments):
    """What the model wants to know of the rules."""

    question: str = Field(
        min_length=1,
        max_length=500,
        description='What you want to know, in plain words, such as "is paid praise allowed?"',
    )


class FoundSection(BaseModel):
    """A section as the model may cite it."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    severities: tuple[str, ...]
    text: str


class FoundSections(Result):
    """The sections that bear on a question, best first. They may be cited from now on."""

    sections: tuple[FoundSection, ...]


def search_policy(find: Callable[[str], Sequence[Section]], *, version: str) -> Tool:
    """Bind the search to the tool, so that the model supplies the question and nothing else.

    Args:
        find: Returns the sections that bear on a question, best first.
        version: The rulebook and the index that are searched.
    """

    def run(asked: PolicyQuestion) -> FoundSections:
        """Look up the policy sections that apply to a question."""
        sections = find(asked.question)
        if not sections:
            raise ToolError(
                f"no section matches {shown(asked.question)}; describe the behaviour, not the rule"
            )
        found = tuple(
            FoundSection(
                id=section.id, title=section.title, severities=section.severities, text=section.text
            )
            for section in sections
        )
        ids = ", ".join(section.id for section in found)
        return FoundSections(finding=f"sections that bear on it: {ids}", sections=found)

    return tool("search_policy", run, arguments=PolicyQuestion, version=version)
