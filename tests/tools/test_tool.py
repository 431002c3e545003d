"""A tool is reached by its name on the list, with arguments that fit, or not at all."""

from __future__ import annotations

import pytest

from errors import ToolError
from policies.reading import load_rulebook
from tools.list import use_tool
from tools.search_policy import search_policy
from tools.tool import Arguments, Result, tool


class Nothing(Arguments):
    """No arguments."""


def silent(_: Nothing) -> Result:
    """Say nothing."""
    return Result(finding="nothing")


def test_only_what_is_on_the_list_can_be_reached() -> None:
    use = use_tool([tool("silent", silent, arguments=Nothing)])

    assert use("silent", {}) == {"finding": "nothing"}
    with pytest.raises(ToolError, match="no tool 'shell'; the tools are: silent"):
        use("shell", {})


def test_a_tool_without_a_description_is_a_mistake() -> None:
    def undocumented(_: Nothing) -> Result:
        return Result(finding="")

    with pytest.raises(ValueError, match="docstring"):
        tool("undocumented", undocumented, arguments=Nothing)


def test_a_search_of_the_rules_gives_what_may_be_cited() -> None:
    section = load_rulebook(None).sections[0]
    search = search_policy(lambda _: [section], version="1")

    result = search.call({"question": "  may I say this? "}).model_dump()

    assert result["sections"][0]["id"] == section.id
    assert result["sections"][0]["text"] == section.text


def test_a_search_that_finds_nothing_says_how_to_ask() -> None:
    with pytest.raises(ToolError, match="describe the behaviour"):
        search_policy(lambda _: [], version="1").call({"question": "zzz"})
