"""A comparison of wordings in plain words: first what it does, then whether that is chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.masking import printable, without_content
from evals.metrics import METRICS
from evals.wording.comparison import WordingComparison
from evals.wording.difference import part_differences
from evals.wording.figures import Shift
from evals.wording.flips import Effect, Flip
from evals.wording.impact import impact_in_words
from evals.wording.leaning import OTHER, Leanings

MOST_FLIPS = 20
MOST_SLICES = 6
LEVEL = 0.05

KINDS = {
    "became_violating": "now called violating",
    "became_allowed": "now allowed",
    "began_to_abstain": "now left to a person",
    "ceased_to_abstain": "now decided without a person",
    "other_section": "now on another section",
    "other_severity": "now of another severity",
    "other_action": "now another action follows",
}
EFFECTS: dict[Effect, str] = {"broken": "wrongly", "fixed": "rightly"}
STYLES = {"same": "not bold", "gone": "not bold red strike", "came": "not bold green"}
MEASURED = ("decided_right_rate", "wrong_removal_rate", "missed_violation_rate", "abstention_rate")


def in_words(told: WordingComparison) -> list[str]:
    """Return the outcome in plain sentences: what was edited, what it does, whether it is real."""
    lines = [notice.told[:1].upper() + notice.told[1:] + "." for notice in told.edited.notices]
    if told.edited.is_empty:
        return [*lines, "No verdict can change, so no case was judged."]
    lines += [_edit(told, section) for section in told.edited.changed]
    lines += [
        f"{edit.policy}: {', '.join(edit.fields)} changed in the front matter."
        for edit in told.edited.policies
    ]
    elsewhere = [flip for flip in told.flips if flip.section not in told.edited.changed]
    if elsewhere:
        lines.append(f"Elsewhere: {_kinds(elsewhere)}.")
    lines += list(_removals(told))
    lines += [_verdict(told), *_reading(told), *impact_in_words(told.impact)]
    return [*lines, *_sight(told), *_scope(told)]


def _edit(told: WordingComparison, section: str) -> str:
    own = [flip for flip in told.flips if flip.section == section]
    if own:
        return f"{section}: {_kinds(own)}."
    seen = sum(
        section in one.old.sections_considered or section in one.new.sections_considered
        for one in told.judged
    )
    if not seen:
        return f"{section}: no case of this set comes near it, so nothing can be said."
    return f"{section}: no verdict changes; the reviewer had it before it in {_cases(seen)}."


def _kinds(flips: Sequence[Flip]) -> str:
    """Such as: 14 cases now called violating (11 rightly, 3 wrongly)."""
    parts = []
    for kind, label in KINDS.items():
        own = [flip for flip in flips if flip.kind == kind]
        if own:
            effects = Counter(flip.effect for flip in own)
            judged = [f"{effects[e]} {word}" for e, word in EFFECTS.items() if effects[e]]
            aside = f" ({', '.join(judged)})" if judged else ""
            parts.append(f"{_cases(len(own))} {label}{aside}")
    return "; ".join(parts)


def _removals(told: WordingComparison) -> Iterator[str]:
    """Who pays: the slices in which more or fewer allowed cases are removed than before."""
    found = [
        (name, shift)
        for name, moved in told.slices.items()
        for shift in moved
        if shift.wrongly_removed_more and name not in ("policy", "section", "language")
    ]
    found.sort(key=lambda pair: -abs(pair[1].wrongly_removed_more))
    if told.whole is not None and told.whole.wrongly_removed_more:
        found.insert(0, ("", told.whole))
    for name, shift in found[:MOST_SLICES]:
        yield _removal(name, shift)


def _removal(name: str, shift: Shift) -> str:
    more = shift.wrongly_removed_more
    where = f" with {name} {shift.name}" if name else ""
    change = f"{abs(more)} {'more' if more > 0 else 'fewer'}"
    chance = "which could be chance" if shift.p_wrong >= LEVEL else "more than chance"
    return (
        f"Wrong removals{where}: {change} among {shift.allowed} allowed cases that were judged, "
        f"{chance} (p = {shift.p_wrong:.2g})."
    )


def _verdict(told: WordingComparison) -> str:
    if not told.flips:
        return "No verdict changes on this set."
    if told.real is False and told.lean is not None and told.lean.is_alike:
        return (
            f"On these cases it looks like noise: {_lean(told.lean)}, as little as under harmless "
            "edits. Cases that the new words are about would show more."
        )
    if told.real is False and told.noise is not None:
        return f"This is no more than noise: {_noise(told)}."
    whole = told.whole
    if whole is None:
        balance = ""
    else:
        balance = f" {whole.fixed} fixed, {whole.broken} broken (p = {whole.p:.2g})."
    if told.real is True:
        return f"The change is more than chance.{balance}"
    floor = f" The noise floor: {_noise(told)}." if told.noise is not None else ""
    return f"On so few flips it could be chance.{balance}{floor}"


def _reading(told: WordingComparison) -> list[str]:
    if told.lean is not None:
        further = f"{_lean(told.lean)}, further than under any harmless edit tried ({OTHER})"
        return [f"The reviewer reads another rule: {further}."] if told.lean.is_other else []
    reading = told.noise.reading if told.noise else None
    if reading is None or not reading.is_other:
        return []
    further = f"{reading.further} of {reading.of} cases"
    told_so = f"moves further than under any harmless rewording (p = {reading.p:.2g})"
    return [f"The reviewer reads another rule: in {further} its leaning {told_so}."]


def _lean(lean: Leanings) -> str:
    return f"{lean.cases} cases lean {lean.moved:.2f} otherwise on average (log-odds)"


def _noise(told: WordingComparison) -> str:
    assert told.noise is not None  # noqa: S101 - asked only where there is some
    cause = (
        "a second run under the same wording"
        if told.noise.kind == "second_run"
        else "a rewording that changes no rule"
    )
    return f"{cause} moves {told.noise.flips} of {told.noise.tries} verdicts"


def _sight(told: WordingComparison) -> list[str]:
    if told.sight is None:
        return []
    smallest = f"{100 * told.sight.smallest_change:.1f} points"
    line = f"This set can show a change of {smallest} or more in the share decided right."
    if told.real == "undecided" and told.sight.cases_needed:
        line += f" To tell: about {told.sight.cases_needed:,} cases like these."
    return [line]


def _scope(told: WordingComparison) -> list[str]:
    scope = told.scope
    lines = []
    if told.early is not None and told.early.stopped:
        early = told.early
        lines.append(
            f"Stopped early, at {early.judged:,} of {early.of:,} cases that the edit can touch: "
            f"it is clear (p = {early.p:.2g} at every look)."
        )
    if scope.left:
        lines.append(
            f"Of {_cases(scope.cases)} the edit can touch {scope.touched:,}; "
            f"{scope.sampled:,} of the others were judged as well and none moved."
        )
    elif not scope.sample_held:
        lines.append("A case moved that the edit should not touch, so all cases were judged.")
    if scope.failed:
        lines.append(f"On {_cases(scope.failed)} the model gave no answer; they were left out.")
    return lines


def _cases(count: int) -> str:
    return f"{count:,} case" if count == 1 else f"{count:,} cases"


def render_wording(told: WordingComparison) -> Group:
    """Return a comparison for a terminal: words, texts, figures, flips. Content stays covered."""
    head = Text(printable(f"{told.names[1]} against {told.names[0]}\n"), style="bold")
    parts: list[RenderableType] = [head, *(Text(printable(line)) for line in in_words(told))]
    parts += list(_texts(told))
    if told.flips and told.metrics:
        parts.append(_figures(told))
    parts += [line for flip in told.flips[:MOST_FLIPS] for line in _flip(flip)]
    if len(told.flips) > MOST_FLIPS:
        parts.append(f"\n{len(told.flips) - MOST_FLIPS} more flips are in --json")
    return Group(*parts)


def _texts(told: WordingComparison) -> Iterator[Text]:
    for edit in told.edited.sections:
        words = Text(f"\n{edit.section} {edit.kind}", style="bold")
        for part, pieces in part_differences(edit).items():
            words.append(f"\n{part}: ", style="bold")
            for kind, piece in pieces:
                marked = {"gone": f"[-{piece}-]", "came": f"{{+{piece}+}}"}.get(kind, piece)
                words.append(printable(marked), style=STYLES[kind])
        yield words


def _figures(told: WordingComparison) -> Table:
    table = Table("", "old", "new", "difference [95 %]", "p", box=None, pad_edge=False)
    for name in MEASURED:
        change = told.metrics[name]
        if change.difference.n:
            gap = change.difference
            table.add_row(
                METRICS[name].label,
                f"{change.old:.3f}",
                f"{change.new:.3f}",
                f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
                f"{change.p:.2g}",
            )
    return table


def _flip(flip: Flip) -> list[RenderableType]:
    case = flip.item.case
    contents = [case.text, *(item.text for item in case.context)]
    answer = f" (expected {flip.item.answer})" if flip.item.answer else ""
    head = (
        f"\n{flip.effect}: {case.id} {flip.old.decision} → {flip.new.decision}"
        f"  {flip.section}{answer}"
    )
    lines: list[RenderableType] = [Text(printable(head), style="bold")]
    for label, verdict in (("before", flip.old), ("now", flip.new)):
        quote = verdict.violations[0].policy_quote if verdict.violations else ""
        told = f'"{quote}" ' if quote else ""
        lines.append(Text(f"  {label}: {told}{without_content(verdict.rationale, contents)}"))
    return lines
