"""The evidence that every case gets before a language model is asked anything.

It costs no model call, and a model cannot leave it out: what a list says of a link, what the
classifier says of a text, what is known of the account. The floors rest on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.model import Brief, ToolCall

MOST_LINKS = 20


def standing_calls(brief: Brief) -> tuple[ToolCall, ...]:
    """Return the calls that are due on this case and have not been answered."""
    offered = {tool.name for tool in brief.tools}
    answered = {call_key(answer.call) for answer in brief.answers}
    due = [call for call in _due(brief) if call.tool in offered and call_key(call) not in answered]
    return tuple(due[: brief.calls_left])


def call_key(call: ToolCall) -> tuple[str, str]:
    """Return what makes two calls the same call."""
    return call.tool, repr(sorted(call.arguments.items()))


def _due(brief: Brief) -> Iterator[ToolCall]:
    if brief.links:
        yield ToolCall("url_reputation", {"urls": list(brief.links[:MOST_LINKS])})
    if brief.reading.strip():
        yield ToolCall("classifier_score", {"text": brief.reading, "language": brief.language})
    if brief.case.account_id is not None:
        yield ToolCall("account_history", {"account_id": brief.case.account_id})
