"""The verdict on an original in the words of its copy: every quote must stand in the copy."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.case import Case
from agent.reading_copy import ReadingCopy, reading_copy
from agent.verdict import Usage, Verdict, Violation
from agent.verify import TEXT, recheck
from policies.rulebook import Rulebook
from triage.duplicates.shape import spoken

_ABOUT_THE_AUTHOR = "account"
"""Tools with this in their names spoke of whoever posted the original, not of the copier."""


def verdict_for(copy: Case, original: Case, verdict: Verdict, rulebook: Rulebook) -> Verdict | None:
    """Return the verdict on an original as one on its copy, or None where it cannot be.

    It cannot be carried over where it rests on who posted the original, on a failure, or on words
    that do not stand in the copy: then the copy is reviewed like any other case.
    """
    if verdict.abstain_reason in {"model_error", "budget"} or verdict.agreement is not None:
        return None
    if copy.account_id != original.account_id and _rests_on_author(verdict):
        return None
    violations = [_requoted(violation, copy) for violation in verdict.violations]
    carried = tuple(violation for violation in violations if violation is not None)
    if len(carried) != len(violations):
        return None
    if recheck(carried, rulebook=rulebook, sources=_sources(copy)):
        return None
    return verdict.model_copy(update={"case_id": copy.id, "violations": carried, "usage": Usage()})


def _rests_on_author(verdict: Verdict) -> bool:
    return any(_ABOUT_THE_AUTHOR in evidence.tool for evidence in verdict.evidence)


def _requoted(violation: Violation, copy: Case) -> Violation | None:
    if violation.content_span is None:
        return violation  # a link: whether it stands in the copy is checked with the rest
    quote = spoken(violation.content_quote)
    span = _plain_span(quote, copy.text)
    if span is None:
        span = _dressed_span(reading_copy(quote).text, reading_copy(copy.text))
    if span is None:
        return None
    told = {"content_quote": copy.text[slice(*span)], "content_span": span}
    return violation.model_copy(update=told)


def _plain_span(quote: str, text: str) -> tuple[int, int] | None:
    """Where the words of a quote stand in a text, whatever stands between them, or None."""
    words = re.findall(r"\w+", quote)
    if not words:
        return None
    gaps = r"\W+".join(r"['’]?".join(map(re.escape, word)) for word in words)
    found = re.search(rf"(?<!\w){gaps}(?!\w)", text, re.IGNORECASE)
    return None if found is None else found.span()


def _dressed_span(quote: str, read: ReadingCopy) -> tuple[int, int] | None:
    span = _plain_span(quote, read.text)
    return None if span is None else read.original_span(*span)


def _sources(case: Case) -> Mapping[str, str]:
    links = {f"link {number}": link for number, link in enumerate(case.links, start=1)}
    return {TEXT: case.text, **links}
