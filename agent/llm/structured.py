"""What a language model answers, taken apart without trust.

A reply becomes a draft, tool calls or prose only if there is one way to read it; otherwise it is an
`UnusableReplyError`, of which the model is told once. The form of the verdict is the verdict's own
schema, put into each mode by instructor; why instructor does not read the answers is written down
in docs/decisions/0003-structured-output.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from agent.llm.exchange import CalledTool, OfferedTool, Reply
from agent.llm.one_object import is_mangled, object_text, one_object, parsed
from agent.llm.unusable import UnusableReplyError
from agent.model import ToolCall
from agent.phrases import phrases
from agent.verdict import Draft, Ground
from errors import shown
from tools.tool import Tool

ModelReason = Literal[
    "missing_context", "ambiguous_content", "policy_gap", "policy_conflict", "injection_suspected"
]
"""What a model may abstain for; the other reasons are for code to give."""

MOST_ERRORS_TOLD = 5
_CODED = ("decision", "abstain_reason")
_CODED_IN_GROUND = ("section", "severity")
_ENVELOPE = ("arguments", "parameters", "input")


@dataclass(frozen=True)
class AnswerForm:
    """The verdict as it is asked for: as a tool to be called, and as a JSON schema."""

    tool: OfferedTool
    schema: Mapping[str, Any]


@lru_cache(maxsize=1)
def verdict_form() -> AnswerForm:
    """Return the form of the verdict, as instructor puts it into the modes of the providers."""
    from instructor import Mode
    from instructor.processing.response import handle_response_model

    model = answer_model()
    _, by_tool = handle_response_model(model, mode=Mode.TOOLS)
    _, by_schema = handle_response_model(model, mode=Mode.JSON_SCHEMA)
    function = by_tool["tools"][0]["function"]
    return AnswerForm(
        OfferedTool(function["name"], function["description"], function["parameters"]),
        by_schema["response_format"]["json_schema"]["schema"],
    )


@lru_cache(maxsize=1)
def answer_model() -> type[BaseModel]:
    """Return the draft's own schema with what only code may say left out, and every field told.

    Lengths are left out too: grammars that count to 4,000 bring some servers to a halt. The draft
    itself is still held to them.
    """
    told = phrases("llm/answer")
    ground = _described("ground", Ground, told["ground"], {})
    changed = {
        "violations": (tuple[ground, ...], ...),  # type: ignore[valid-type]
        "abstain_reason": (ModelReason | None, ...),
    }
    model = _described(told["tool"]["name"], Draft, told["fields"], changed)
    model.__doc__ = told["tool"]["description"]
    return model


def _described(
    name: str, model: type[BaseModel], told: Mapping[str, str], changed: Mapping[str, Any]
) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for field, description in told.items():
        original = model.model_fields[field]
        limits = [limit for limit in original.metadata if not hasattr(limit, "max_length")]
        annotation = changed[field][0] if field in changed else original.annotation
        fields[field] = (Annotated[(annotation, *limits, Field(description=description))], ...)
    created: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    return created


def offered(tool: Tool) -> OfferedTool:
    """Return a tool of ours as a provider offers it: the schema comes from its arguments."""
    return OfferedTool(tool.name, tool.description, tool.arguments.model_json_schema())


def read_draft(reply: Reply, *, content: Sequence[str]) -> Draft:
    """Return the draft that a reply holds, as a call of the verdict's tool or as text.

    Args:
        reply: What came back.
        content: What the case holds; an answer that stands in it is the content's, not the model's.

    Raises:
        UnusableReplyError: The reply holds no draft, or more than one can be read from it.
    """
    _check_finish(reply)
    tool = phrases("llm/answer")["tool"]["name"]
    answer = _called(reply, tool) if reply.calls else _unwrapped(object_text(reply.text), tool)
    draft = _draft(parsed(answer))
    _check_origin(answer, content)
    return draft


def _check_finish(reply: Reply) -> None:
    """Only an answer that came to its regular end is one, whatever can be read from its stump."""
    if reply.finish == "content_filter":
        raise UnusableReplyError("content_filter", worth_repeating=False)
    if reply.finish == "length":
        raise UnusableReplyError("length")
    if reply.finish == "refusal":
        raise UnusableReplyError("refusal")
    if reply.finish == "other":
        raise UnusableReplyError("unfinished")


def _called(reply: Reply, tool: str) -> str:
    """The arguments of the one call of `tool`; a call repeated word for word is one call."""
    for call in reply.calls:
        if call.name != tool:
            raise UnusableReplyError("other_tool", tool=shown(call.name), offered=tool)
    if "{" in reply.text:
        raise UnusableReplyError("beside_call")
    answers = [object_text(call.arguments, alone=True) for call in reply.calls]
    if any(parsed(answer) != parsed(answers[0]) for answer in answers[1:]):
        raise UnusableReplyError("several_calls", tool=tool)
    return answers[0]


def _unwrapped(answer: str, tool: str) -> str:
    """The answer itself where a call of `tool` was written out as text."""
    value = parsed(answer)
    inner = next((value[key] for key in _ENVELOPE if key in value), None)
    if len(value) == 2 and value.get("name") == tool and isinstance(inner, dict):  # noqa: PLR2004
        return json.dumps(inner)
    return answer


def _check_origin(answer: str, content: Sequence[str]) -> None:
    """Refuse an answer that the content dictated to the letter, and one that lost letters."""
    squeezed = "".join(answer.split())
    if any(squeezed in "".join(text.split()) for text in content):
        raise UnusableReplyError("copied", reason="injection_suspected")
    if is_mangled(answer) and not any(map(is_mangled, content)):
        raise UnusableReplyError("encoding")


def _draft(value: Mapping[str, Any]) -> Draft:
    """The draft, if every field is one that was asked for and has its type and range."""
    trimmed = _trimmed(value, _CODED)
    reason = trimmed.get("abstain_reason")
    if isinstance(reason, str) and reason not in get_args(ModelReason):
        raise UnusableReplyError("fields", detail=f"abstain_reason: {shown(reason)}")
    if "violations" not in trimmed:
        raise UnusableReplyError("fields", detail="violations: Field required")
    if isinstance(trimmed["violations"], list):
        trimmed["violations"] = [_ground(ground) for ground in trimmed["violations"]]
    try:
        return Draft.model_validate_json(json.dumps(trimmed), strict=True)
    except ValidationError as error:
        raise UnusableReplyError("fields", detail=_told(error)) from None


def _ground(value: object) -> object:
    """A ground as a model may write it: where it stands in the content is for code to say."""
    if not isinstance(value, dict):
        return value
    if "content_span" in value:
        raise UnusableReplyError("fields", detail="violations.content_span: not asked for")
    return _trimmed(value, _CODED_IN_GROUND)


def _trimmed(value: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The same with no white space around code words, and no word at all as null."""
    trimmed = dict(value)
    for name in names:
        if isinstance(trimmed.get(name), str):
            trimmed[name] = trimmed[name].strip() or None
    return trimmed


def _told(error: ValidationError) -> str:
    """What does not fit, without the values: those may be anybody's words."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = [".".join(str(part) for part in fault["loc"]) or "answer" for fault in faults]
    told = [f"{shown(place)}: {fault['msg']}" for place, fault in zip(places, faults, strict=True)]
    more = [f"and {len(told) - MOST_ERRORS_TOLD} more"] if len(told) > MOST_ERRORS_TOLD else []
    return "; ".join(told[:MOST_ERRORS_TOLD] + more)


def read_calls(reply: Reply, tools: Sequence[Tool], *, left: int) -> tuple[ToolCall, ...]:
    """Return what a model wants to know; nothing where it is ready to conclude.

    A verdict that is given early is not taken: it is asked for in its own turn.

    Args:
        reply: What came back.
        tools: The tools that were offered.
        left: How many calls may still be made.

    Raises:
        UnusableReplyError: A call names no tool that was offered, does not fit its arguments, or is
            one too many.
    """
    _check_finish(reply)
    verdict = phrases("llm/answer")["tool"]["name"]
    by_name = {tool.name: tool for tool in tools}
    checked = (_checked(call, by_name) for call in reply.calls if call.name != verdict)
    calls = {repr(call): call for call in checked}
    if len(calls) > left:
        raise UnusableReplyError("too_many_calls", calls=len(calls), left=left, reason="budget")
    return tuple(calls.values())


def _checked(call: CalledTool, tools: Mapping[str, Tool]) -> ToolCall:
    tool = tools.get(call.name)
    if tool is None:
        names = ", ".join(tools) or "none"
        raise UnusableReplyError("other_tool", tool=shown(call.name), offered=names)
    arguments = one_object(call.arguments, alone=True) if call.arguments.strip() else {}
    try:
        tool.arguments.model_validate(arguments)
    except ValidationError as error:
        raise UnusableReplyError("arguments", tool=tool.name, detail=_told(error)) from None
    return ToolCall(tool.name, arguments)


def read_prose(reply: Reply, *, longest: int) -> str:
    """Return the plain text of a reply.

    Raises:
        UnusableReplyError: It is empty, too long or cut, or calls a tool instead.
    """
    _check_finish(reply)
    for call in reply.calls:
        raise UnusableReplyError("other_tool", tool=shown(call.name), offered="none")
    text = reply.text.strip()
    if not text:
        raise UnusableReplyError("empty")
    if len(text) > longest:
        raise UnusableReplyError("too_long", limit=longest)
    if is_mangled(text):
        raise UnusableReplyError("encoding")
    return text
