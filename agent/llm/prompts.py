"""What a language model is told: the rules in the system part, the case in marked blocks.

The content is hostile by assumption, and so is whatever repeats it: tool answers, a refused draft,
an answer that could not be used. All of that stands in the user part, between lines with a marker
that was drawn for this one question and does not occur in any of it, so that no text can close its
own block. Rules, and words of ours, stand outside; nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from agent.case import Case
from agent.model import Brief, ToolAnswer
from agent.phrases import phrases, prompt
from agent.verdict import Draft
from errors import ModelError
from policies.rulebook import Policy, Rulebook, Section

Layout = Literal["retrieved", "whole"]
"""Which sections are shown: those that bear on the case, or the whole rulebook. The whole one is
the same to the byte for every case, so that a provider's prompt cache pays."""

DrawMarker = Callable[[], str]
"""Randomness, such as `lambda: secrets.token_hex(8)`."""

SEARCH_POLICY = "search_policy"
_MOST_DRAWS = 100
_TURNS = "llm/turns"


def fresh_marker(data: Iterable[str], draw: DrawMarker) -> str:
    """Return a marker that stands in none of the texts, in no spelling.

    Raises:
        ModelError: The randomness gives nothing but markers that occur.
    """
    texts = [text.casefold() for text in data]
    for _ in range(_MOST_DRAWS):
        marker = draw()
        if marker and not any(marker.casefold() in text for text in texts):
            return marker
    raise ModelError(
        "no marker could be drawn that the content does not hold",
        hint="the source of randomness repeats itself",
    )


def block(name: str, text: str, marker: str) -> str:
    """Return `text` between the two lines that mark it as data."""
    say = phrases(_TURNS)["case"]
    lines = [say["open"].format(marker=marker, name=name), text, say["close"].format(marker=marker)]
    return "\n".join(lines)


def system_parts(
    instructions: str,
    *,
    layout: Layout,
    rulebook: Rulebook,
    sections: Sequence[Section],
    marker: str,
) -> tuple[str, ...]:
    """Return the system part; all but the last of its parts are the same for every case.

    Args:
        instructions: The name of a prompt file, such as `llm/reviewer`.
        layout: Whether the whole rulebook is shown, or `sections` alone.
        rulebook: The rules, in the order in which they are shown.
        sections: The sections that bear on the case.
        marker: The marker of this question.
    """
    say = phrases(_TURNS)["system"]
    last = say["marker"].format(marker=marker)
    if layout == "whole":
        policies = say["policies"].format(policies=policies_text(rulebook, rulebook.sections))
        return (f"{prompt(instructions)}\n{policies}\n\n", last)
    shown = policies_text(rulebook, sections) if sections else say["no_policies"]
    return (f"{prompt(instructions)}\n", f"{say['policies'].format(policies=shown)}\n\n{last}")


def policies_text(rulebook: Rulebook, sections: Iterable[Section]) -> str:
    """Return the sections under their policies, in rulebook order, whatever order they come in."""
    wanted = {section.id for section in sections}
    shown = (_policy_text(policy, wanted) for policy in rulebook.policies)
    return "\n\n".join(text for text in shown if text)


def _policy_text(policy: Policy, wanted: set[str]) -> str:
    sections = [section for section in policy.sections if section.id in wanted]
    if not sections:
        return ""
    return prompt("llm/policy").format(
        id=policy.id,
        title=policy.title,
        purpose=policy.purpose,
        sections="\n\n".join(_section_text(section) for section in sections),
    )


def _section_text(section: Section) -> str:
    """The section as it is checked: a quote that is copied from here stands in `section.text`."""
    return prompt("llm/section").format(
        id=section.id, severities=" or ".join(section.severities), text=section.text
    )


def data_of(brief: Brief) -> list[str]:
    """Return every text of a brief that somebody else wrote or that may repeat what they wrote."""
    texts = [*brief.sources.values(), brief.reading, *_facts(brief)]
    texts += [item.text for item in brief.case.context]
    texts += [_answer_text(answer) for answer in brief.answers]
    if brief.draft is not None:
        texts += [draft_text(brief.draft), *(fault.message for fault in brief.faults)]
    return texts


def case_text(brief: Brief, marker: str) -> str:
    """Return the case with its context and evidence, every word of it inside of marked blocks."""
    return "\n\n".join(_case_parts(brief, marker))


def _case_parts(brief: Brief, marker: str) -> Iterator[str]:
    say = phrases(_TURNS)["case"]
    yield say[brief.case.kind]
    for name, text in brief.sources.items():
        yield block(name, text, marker)
    if brief.reading != "\n\n".join(brief.sources.values()):
        yield _under(say["reading"], block("reading copy", brief.reading, marker))
    facts = "\n".join(_facts(brief))
    if facts:
        yield _under(say["facts"], block("facts", facts, marker))
    context = [
        block(f"context {number}", item.text, marker)
        for number, item in enumerate(brief.case.context, start=1)
    ]
    if context:
        yield _under(say["context"], *context)
    if brief.signs:
        yield say["signs"].format(signs=", ".join(brief.signs))
    answers = [block(answer.call.tool, _answer_text(answer), marker) for answer in brief.answers]
    if answers:
        yield _under(say["evidence"], *answers)


def _under(heading: str, *blocks: str) -> str:
    return "\n".join([heading, *blocks])


def _facts(brief: Brief) -> list[str]:
    """What the case says of itself, a line each; all of it may be in the author's hand."""
    say = phrases(_TURNS)["facts"]
    facts = [say[name].format(**values) for name, values in _known(brief.case, brief.language)]
    facts += [say["report"].format(**vars(report)) for report in brief.case.reports]
    facts += [say["link"].format(link=link) for link in brief.links]
    facts += [
        say["stale" if found.stale else "precedent"].format(**vars(found))
        for found in brief.precedents
    ]
    return facts


def _known(case: Case, language: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    if case.surface:
        yield "surface", {"surface": case.surface}
    if language:
        yield "language", {"language": language}
    if case.account_id is not None:
        yield "account", {"account_id": case.account_id}
    if case.created_at is not None:
        yield "created", {"created_at": case.created_at.isoformat()}
    if case.reach is not None:
        yield "reach", {"reach": case.reach}


def _answer_text(answer: ToolAnswer) -> str:
    """A tool's answer as data. Sections that were found stand among the policies, not here."""
    if answer.result is None:
        return json.dumps({"error": answer.error}, ensure_ascii=False)
    result: Mapping[str, Any] = answer.result
    if answer.call.tool == SEARCH_POLICY:
        result = {"finding": answer.finding}
    return json.dumps(result, ensure_ascii=False)


def draft_text(draft: Draft) -> str:
    """Return a draft as JSON, in the fields that a model may write."""
    spans = {"violations": {"__all__": {"content_span"}}}
    return draft.model_dump_json(exclude=spans)


def refused_text(brief: Brief, marker: str) -> str:
    """Return the refused draft and why it was refused, for a model that is asked once more.

    The faults repeat words of the draft, so they are data as well.
    """
    if brief.draft is None:
        return ""
    say = phrases(_TURNS)["refused"]
    faults = "\n".join(f"- {fault.message}" for fault in brief.faults)
    return "\n\n".join(
        [
            _under(say["draft"], block("verdict", draft_text(brief.draft), marker)),
            _under(say["faults"], block("faults", faults, marker), say["correct"]),
        ]
    )
