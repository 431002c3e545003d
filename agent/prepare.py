"""The first node: make a case readable, and fetch the rules and precedents that bear on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.case import Case
from agent.phrases import phrases
from agent.reading_copy import ReadingCopy, reading_copy
from agent.state import Desk, ReviewState
from agent.verify import TEXT
from errors import ToolError
from tools.links.extract import find_links


def prepare(state: ReviewState, desk: Desk) -> ReviewState:
    """Lay out the case: what may be quoted, how it reads, its links, its rules and precedents.

    Reads: case. Writes: sources, reading, language, links, signs, shown, precedents, started and
    the empty counters; or stopped, where there is nothing to judge.
    """
    case = Case.model_validate(state["case"])
    blank = _blank(desk)
    try:
        sources = _sources(case, desk)
    except ToolError:
        why = phrases("verdicts")["stopped"]["unknown_account"]
        return blank | {"stopped": {"reason": "missing_context", "why": why}}
    copies = [reading_copy(text) for text in sources.values()]
    reading = "\n\n".join(copy.text for copy in copies)
    return blank | {
        "sources": dict(sources),
        "reading": reading,
        "language": case.language or desk.language(reading),
        "links": _links(case, sources),
        "signs": _signs(case, copies, desk),
        "shown": [section.id for section in desk.sections(reading)],
        "precedents": [found.model_dump() for found in desk.precedents(reading)],
    }


def _blank(desk: Desk) -> ReviewState:
    return {
        "started": desk.clock(),
        "sources": {},
        "reading": "",
        "language": "",
        "links": [],
        "signs": [],
        "shown": [],
        "precedents": [],
        "calls": [],
        "answers": [],
        "rounds": 0,
        "draft": None,
        "faults": [],
        "repairs": 0,
        "stopped": None,
        "proved": [],
        "usage": {},
    }


def _sources(case: Case, desk: Desk) -> Mapping[str, str]:
    """Everything that a verdict may quote. The context is not: others wrote it."""
    sources = {TEXT: case.text} if case.text.strip() else {}
    if case.kind == "account" and case.account_id is not None:
        sources |= desk.account_texts(case.account_id)
    for number, link in enumerate(case.links, start=1):
        if link not in case.text:
            sources[f"link {number}"] = link
    return sources


def _signs(case: Case, copies: Sequence[ReadingCopy], desk: Desk) -> list[str]:
    """The signs of steering in the content and in whatever else of the case a model is shown."""
    around = [item.text for item in case.context]
    around += [report.reason for report in case.reports] + [case.surface]
    heard = [*copies, *(reading_copy(text) for text in around if text.strip())]
    return sorted({sign for copy in heard for sign in desk.signs(copy)})


def _links(case: Case, sources: Mapping[str, str]) -> list[str]:
    """Every link of the case once, those named by it first."""
    found = [link.written for text in sources.values() for link in find_links(text)]
    return list(dict.fromkeys([*case.links, *found]))
