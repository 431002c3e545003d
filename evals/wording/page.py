"""A comparison as one HTML page to mail around: no script, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from agent.masking import printable, without_content
from agent.verdict import Verdict
from evals.estimate import Estimate
from evals.metrics import METRICS
from evals.report.markup import html_table
from evals.wording.comparison import WordingComparison
from evals.wording.difference import part_differences
from evals.wording.figures import Shift
from evals.wording.flips import Flip
from evals.wording.told import KINDS, in_words

MOST_FLIPS = 200
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_MARKS = {"same": "{}", "gone": "<del>{}</del>", "came": "<ins>{}</ins>"}


def page(told: WordingComparison) -> str:
    """Return the page of a comparison; all that others wrote is escaped, and no script may run."""
    style = "".join(
        (files(package) / "page.css").read_text("utf-8")
        for package in ("evals.report", "evals.wording")
    )
    parts = {
        "title": escape(f"Policy wording: {told.names[1]} against {told.names[0]}"),
        "made_of": escape(
            f"{told.model}, {told.scope.cases:,} cases, {told.scope.reviews} reviews"
        ),
        "policy": _content_policy(style),
        "style": style,
        "words": _list(in_words(told)),
        "texts": _texts(told),
        "figures": _figures(told),
        "slices": _slices(told),
        "flips": _flips(told.flips),
    }
    # One pass: a case that holds "{{style}}" is data and must stay so.
    template = (files("evals.wording") / "page.html").read_text("utf-8")
    return _PLACE.sub(lambda match: parts[match.group(1)], template)


def _content_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _safe(text: str) -> str:
    return escape(printable(text))


def _list(lines: Sequence[str]) -> str:
    return '<ul class="words">' + "".join(f"<li>{_safe(line)}</li>" for line in lines) + "</ul>"


def _texts(told: WordingComparison) -> str:
    if not told.edited.sections:
        return ""
    parts = []
    for edit in told.edited.sections:
        parts.append(f"<h3>{_safe(edit.section)} {edit.kind}</h3>")
        for part, pieces in part_differences(edit).items():
            words = "".join(_MARKS[kind].format(_safe(piece)) for kind, piece in pieces)
            parts.append(f'<p class="part"><b>{part}</b> {words}</p>')
    return f"<section><h2>The texts</h2>{''.join(parts)}</section>"


def _figures(told: WordingComparison) -> str:
    rows = [
        [
            escape(METRICS[name].label),
            f"{change.old:.3f}",
            f"{change.new:.3f}",
            _gap(change.difference),
            f"{change.p:.2g}",
        ]
        for name, change in told.metrics.items()
        if change.difference.n and told.flips
    ]
    if not rows:
        return ""
    table = html_table(["", "old", "new", "difference [95 %]", "p"], rows)
    return f"<section><details><summary>Every figure</summary>{table}</details></section>"


def _gap(gap: Estimate) -> str:
    return f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def _slices(told: WordingComparison) -> str:
    rows = [_slice_row(name, shift) for name, moved in told.slices.items() for shift in moved]
    if not rows:
        return ""
    heads = ["", "fixed", "broken", "wrong removals", "p", "p (Holm)", "cases judged"]
    table = html_table(heads, rows)
    return f"<section><details><summary>Who it touches</summary>{table}</details></section>"


def _slice_row(name: str, shift: Shift) -> list[str]:
    return [
        _safe(f"{name} {shift.name}"),
        str(shift.fixed),
        str(shift.broken),
        f"{shift.wrongly_removed_more:+d}",
        f"{shift.p:.2g}",
        f"{shift.p_holm:.2g}",
        str(shift.n),
    ]


def _flips(flips: Sequence[Flip]) -> str:
    if not flips:
        return "<p>No verdict changes.</p>"
    told = "".join(_flip(flip) for flip in flips[:MOST_FLIPS])
    more = len(flips) - MOST_FLIPS
    return told + (f"<p>{more} more are in the JSON.</p>" if more > 0 else "")


def _flip(flip: Flip) -> str:
    case = flip.item.case
    contents = [case.text, *(item.text for item in case.context)]
    answer = f", expected {flip.item.answer}" if flip.item.answer else ""
    sides = "".join(
        _side(label, verdict, contents)
        for label, verdict in (("Before", flip.old), ("Now", flip.new))
    )
    return (
        f'<article class="flip"><h3><span class="tag {flip.effect}">{flip.effect}</span> '
        f"{_safe(case.id)}: {flip.old.decision} → {flip.new.decision}</h3>"
        f'<p class="quiet">{_safe(flip.section)}, {KINDS[flip.kind]}{answer}</p>'
        f"<details><summary>The content</summary><blockquote>{_safe(case.text)}</blockquote>"
        f"{_quoted(flip)}</details>"
        f'<div class="sides">{sides}</div></article>'
    )


def _quoted(flip: Flip) -> str:
    """The words of the content on which each side rests: covered with the content itself."""
    lines = [
        f"{label}: “{ground.content_quote}” ({ground.section})"
        for label, verdict in (("before", flip.old), ("now", flip.new))
        for ground in verdict.violations
    ]
    return _list(lines) if lines else ""


def _side(label: str, verdict: Verdict, contents: Sequence[str]) -> str:
    quotes = "".join(
        f"<blockquote>{_safe(ground.section)}: {_safe(ground.policy_quote)}</blockquote>"
        for ground in verdict.violations
    )
    rationale = escape(without_content(verdict.rationale, contents))
    return f"<div><b>{label}</b>, {verdict.action}{quotes}<p>{rationale}</p></div>"
