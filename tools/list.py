"""Run a tool on the list; what is not on the list cannot be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from errors import ToolError, shown
from tools.tool import Tool


def use_tool(tools: Sequence[Tool]) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Bind the list, so that a model can name a tool on it and nothing else.

    The bound function returns the result as JSON data, and raises ToolError where there is no such
    tool, the arguments do not fit, or the tool has no answer.
    """
    by_name = {tool.name: tool for tool in tools}

    def use(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        tool = by_name.get(name)
        if tool is None:
            offered = ", ".join(by_name) or "none"
            raise ToolError(f"there is no tool {shown(name)}; the tools are: {offered}")
        return tool.call(arguments).model_dump(mode="json")

    return use
