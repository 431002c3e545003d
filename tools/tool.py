"""What a tool is: a name, what the model may say to it, what it answers, and how to run it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from errors import ToolError


class Arguments(BaseModel):
    """What the model says; anything that the tool does not know is refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Result(BaseModel):
    """What a tool answers: data for the model and for the record, and one line for a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finding: str
    """One plain sentence for the verdict's evidence; it never quotes the content at length."""


@dataclass(frozen=True)
class Tool:
    """Something that the reviewer model may ask. Tools read; none of them changes anything."""

    name: str
    description: str
    """Shown to the model: the docstring of `run`."""
    version: str
    """Goes into the provenance of every verdict: the state of the weights and lists it reads."""
    arguments: type[Arguments]
    run: Callable[[Any], Result]

    def call(self, arguments: Mapping[str, object]) -> Result:
        """Check what the model said, and run.

        Raises:
            ToolError: The arguments do not fit, or the tool has no answer.
        """
        try:
            checked = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "arguments"
            raise ToolError(f"{self.name}: {place}: {first['msg']}") from None
        return self.run(checked)


def tool(
    name: str,
    run: Callable[[Any], Result],
    *,
    arguments: type[Arguments],
    version: str = "1",
) -> Tool:
    """Return the tool `name`; the docstring of `run` is the prompt that describes it."""
    description = inspect.getdoc(run)
    if not description:
        raise ValueError(f"{name}: a tool needs a docstring, it is what the model reads")
    return Tool(name, description, version, arguments, run)
