"""A comparison as Markdown: what a pull request shows under the edit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.masking import without_content
from evals.metrics import METRICS
from evals.wording.comparison import WordingComparison
from evals.wording.difference import part_differences
from evals.wording.flips import Flip
from evals.wording.gate import Ruling
from evals.wording.told import MEASURED, in_words

MOST_FLIPS = 30

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@!&])")
_LINK = re.compile(r"(?i)\b(https?|ftp)(:)|\b(www)(\.)")


def markdown(told: WordingComparison, found: Sequence[Ruling] = ()) -> str:
    """Return a comparison as Markdown. No word of a case is in it: pull requests are public.

    Args:
        told: The comparison.
        found: What a gate says, to stand on top.
    """
    parts = [f"### Policy wording: {_plain(told.names[1])} against {_plain(told.names[0])}"]
    parts += ["\n".join(_gate(found))] if found else []
    parts.append("\n".join(f"- {_plain(line)}" for line in in_words(told)))
    parts += [_text(told)] if told.edited.sections else []
    parts += [_figures(told)] if told.flips and told.metrics else []
    parts += [_flips(told.flips)] if told.flips else []
    return "\n\n".join(parts) + "\n"


def _gate(found: Sequence[Ruling]) -> Iterator[str]:
    for ruling in found:
        mark = "✅" if ruling.holds else "❌"
        yield f"- {mark} `{ruling.limit}`: {_plain(ruling.told)}"


def _text(told: WordingComparison) -> str:
    lines = ["<details><summary>The texts</summary>", ""]
    for edit in told.edited.sections:
        lines.append(f"**{edit.section}** {edit.kind}")
        for part, pieces in part_differences(edit).items():
            shown = {"same": "{}", "gone": "<del>{}</del>", "came": "<ins>{}</ins>"}
            words = "".join(shown[kind].format(_plain(piece)) for kind, piece in pieces)
            lines += ["", f"{part}: {' '.join(words.split())}"]
        lines.append("")
    return "\n".join([*lines, "</details>"])


def _figures(told: WordingComparison) -> str:
    rows = ["| | old | new | difference [95 %] | p |", "|---|---|---|---|---|"]
    for name in MEASURED:
        change = told.metrics[name]
        gap = change.difference
        if gap.n:
            rows.append(
                f"| {METRICS[name].label} | {change.old:.3f} | {change.new:.3f} "
                f"| {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] | {change.p:.2g} |"
            )
    return "\n".join(rows)


def _flips(flips: Sequence[Flip]) -> str:
    rows = [
        "| case | | was | is | section | what the reviewer says now |",
        "|---|---|---|---|---|---|",
    ]
    for flip in flips[:MOST_FLIPS]:
        case = flip.item.case
        contents = [case.text, *(item.text for item in case.context)]
        why = " ".join(without_content(flip.new.rationale, contents).split())
        rows.append(
            f"| {_plain(case.id)} | {flip.effect} | {flip.old.decision} | {flip.new.decision} "
            f"| {flip.section} | {_plain(why)} |"
        )
    more = len(flips) - MOST_FLIPS
    return "\n".join(rows) + (f"\n\nand {more} more" if more > 0 else "")


def _plain(text: str) -> str:
    """Text that Markdown cannot take for markup, a mention or a link."""
    return _LINK.sub(_unlinked, _SPECIAL.sub(r"\\\1", text))


def _unlinked(found: re.Match[str]) -> str:
    return f"{found[1] or found[3]}\u200b{found[2] or found[4]}"
