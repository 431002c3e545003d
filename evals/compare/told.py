"""Two runs side by side, for a terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.masking import printable, without_content
from evals.compare.change import Change
from evals.compare.comparison import Comparison
from evals.compare.pairing import Flip
from evals.metrics import METRICS

MOST_FLIPS = 20


def render_comparison(told: Comparison, names: tuple[str, str]) -> Group:
    """Return two runs side by side, in plain words first."""
    parts: list[RenderableType] = [Text(_in_words(told, names), style="bold")]
    parts += [_changes(told), *_policies(told)]
    parts += [line for flip in told.flips[:MOST_FLIPS] for line in _flip(flip)]
    if len(told.flips) > MOST_FLIPS:
        parts.append(f"\n{len(told.flips) - MOST_FLIPS} more flips are in --json")
    return Group(*parts)


def _in_words(told: Comparison, names: tuple[str, str]) -> str:
    """The outcome in plain words, the figures after it."""
    counted = Counter(flip.effect for flip in told.flips)
    right = told.metrics["decided_right_rate"]
    lines = [
        f"{names[1]} against {names[0]}, {told.cases:,} cases:",
        f"{counted['fixed']} fixed, {counted['broken']} broken, {counted['neither']} neither.",
        f"Decided right {right.old:.3f}, now {right.new:.3f}: {_reality(told, right)}.",
        f"These cases can show a change of {told.sensitivity.smallest_change:.3f} or more.",
    ]
    if told.sensitivity.cases_for_observed and told.real == "undecided":
        lines.append(f"To tell: about {told.sensitivity.cases_for_observed:,} cases.")
    if told.unpaired:
        lines.append(f"{told.unpaired:,} cases are in one run only and were left out.")
    return printable("\n".join(lines)) + "\n"


def _reality(told: Comparison, right: Change) -> str:
    if told.real == "undecided":
        return f"it could be chance (p = {right.p:.2g})"
    return "more than chance" if told.real else "no change to speak of"


def _changes(told: Comparison) -> Table:
    table = Table("", "old", "new", "difference [95 %]", "p", box=None, pad_edge=False)
    for name, change in told.metrics.items():
        if change.difference.n and METRICS[name].unit == "share":
            difference = change.difference
            table.add_row(
                METRICS[name].label,
                f"{change.old:.3f}",
                f"{change.new:.3f}",
                f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]",
                f"{change.p:.2g}",
            )
    return table


def _policies(told: Comparison) -> list[RenderableType]:
    moved = {name: c for name, c in told.policies.items() if c.old_right != c.new_right}
    if not moved:
        return []
    table = Table("\npolicy", "\nright", "\nnow", "\nof", "\np (Holm)", box=None, pad_edge=False)
    for name, change in moved.items():
        counts = (change.old_right, change.new_right, change.n)
        table.add_row(printable(name), *map(str, counts), f"{change.p_holm:.2g}")
    return [table]


def _flip(flip: Flip) -> list[RenderableType]:
    """A flip with both rationales; what they repeat of the content stays covered."""
    old, new = flip.pair.old, flip.pair.new
    contents = [old.case.text, *(item.text for item in old.case.context)]
    head = f"\n{flip.effect}: {old.case_id} {old.verdict.decision} → {new.verdict.decision}"
    told = f"{head}  {flip.section}  (expected {old.expected.decision})"
    return [
        Text(printable(told), style="bold"),
        Text("  before: " + without_content(old.verdict.rationale, contents)),
        Text("  now:    " + without_content(new.verdict.rationale, contents)),
    ]
