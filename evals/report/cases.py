"""The cases of a run as data for the page: short keys, because there may be ten thousand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from agent.masking import SHARED_WORDS, without_content
from agent.verdict import Verdict
from evals.outcome import Outcome
from evals.run import Recorded, outcome_of

_WORD = re.compile(r"\w+(?:['’]\w+)*")
OUTCOMES: Mapping[str, str] = {
    "right": "right",
    "section": "right, on another section",
    "removed": "wrongly removed",
    "missed": "wrongly allowed",
    "left": "left to a person",
    "open": "decided what the rules leave open",
}
"""What can become of a case, in the words of the page."""


def fate(outcome: Outcome) -> str:
    """Return what became of a case: a key of `OUTCOMES`.

    >>> fate(Outcome("violating", "allowed"))
    'missed'
    """
    if outcome.decided == outcome.expected:
        on_section = outcome.decided != "violating" or outcome.cited[:1] == ()
        return "right" if on_section or outcome.cited[0] in outcome.sections else "section"
    if outcome.decided == "abstain":
        return "left"
    if outcome.expected == "abstain":
        return "open"
    return "removed" if outcome.decided == "violating" else "missed"


def cases_data(records: Sequence[Recorded]) -> list[dict[str, object]]:
    """Return one object a case. Everything in it that others wrote is text, never markup."""
    return [_case(record) for record in records]


def _case(record: Recorded) -> dict[str, object]:
    outcome = outcome_of(record)
    verdict, case = record.verdict, record.case
    contents = _Contents([case.text, *(item.text for item in case.context)])
    told: dict[str, object] = {
        "id": record.case_id,
        "text": case.text or f"account {case.account_id}",
        "context": [item.text for item in case.context],
        "links": list(case.links),
        "slices": dict(outcome.slices),
        "source": record.source,
        "expected": record.expected.decision,
        "sections": list(record.expected.sections),
        "decided": verdict.decision,
        "cited": list(outcome.cited),
        "confidence": verdict.confidence,
        "fate": fate(outcome),
        "action": verdict.action,
        "reason": verdict.abstain_reason,
        "because": [_prose(text, contents) for text in verdict.needs_human_because],
        "rationale": _prose(verdict.rationale, contents),
        "against": _prose(verdict.counterargument, contents),
        "grounds": _grounds(verdict, contents),
        "evidence": [
            {"tool": item.tool, "finding": _prose(item.finding, contents)}
            for item in verdict.evidence
        ],
        "precedents": [
            f"{p.case_id}: {p.decision} under {p.section}{' (stale wording)' if p.stale else ''}"
            for p in verdict.precedents
        ],
    }
    return {name: value for name, value in told.items() if value not in (None, [], "", {})}


class _Contents:
    """The words of a case, to find out quickly whether prose repeats them: mostly it does not."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        said = [_WORD.findall(text.lower()) for text in texts]
        self.runs = {run for words in said for run in _runs(words, min(SHARED_WORDS, len(words)))}
        self._lengths = {len(run) for run in self.runs}

    def may_stand_in(self, prose: str) -> bool:
        words = _WORD.findall(prose.lower())
        return any(run in self.runs for length in self._lengths for run in _runs(words, length))


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """Every `length` words in a row; none of no words."""
    if length:
        yield from zip(*(words[start:] for start in range(length)), strict=False)


def _prose(text: str, contents: _Contents) -> list[str]:
    """Words about the case: as they are, and covered where they repeat the content."""
    if text.isprintable() and not contents.may_stand_in(text):
        return [text]
    covered = without_content(text, contents.texts)
    return [text] if covered == text else [text, covered]


def _grounds(verdict: Verdict, contents: _Contents) -> list[dict[str, object]]:
    return [
        {
            "section": ground.section,
            "severity": ground.severity,
            "confidence": ground.confidence,
            "rule": ground.policy_quote,
            "content": ground.content_quote,
            "why": _prose(ground.why, contents),
        }
        for ground in verdict.violations
    ]


def safe_json(value: object) -> str:
    r"""Return JSON that can stand inside a script element, whatever the strings in it hold.

    >>> safe_json("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
