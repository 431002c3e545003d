"""A verdict as a person reads it in a terminal: 80 columns, the verdict first, content covered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from agent.case import Case
from agent.masking import masked, printable, without_content
from agent.verdict import Decision, Verdict, Violation
from policies.rulebook import Rulebook

WIDTH = 80
_COLOURS: dict[Decision, str] = {
    "violating": "bold red",
    "allowed": "bold green",
    "abstain": "bold yellow",
}


@dataclass(frozen=True)
class Shown:
    """What the view may show of the case."""

    contents: tuple[str, ...]
    reveal: bool

    def content(self, text: str) -> str:
        """Words of the case: covered unless revealed, never obeyed by the terminal."""
        return printable(text) if self.reveal else masked(text)

    def prose(self, text: str) -> str:
        """Words about the case: what they repeat of it is covered unless revealed."""
        return printable(text) if self.reveal else without_content(text, self.contents)


def render(verdict: Verdict, case: Case, rulebook: Rulebook, *, reveal: bool) -> Group:
    """Return the view of a verdict: decision, grounds, evidence, what speaks against it, cost."""
    quoted = (violation.content_quote for violation in verdict.violations)
    shown = Shown((case.text, *(item.text for item in case.context), *quoted), reveal)
    parts: list[RenderableType] = [_headline(verdict), *_person(verdict, shown)]
    for violation in verdict.violations:
        parts += _ground(violation, rulebook, shown)
    parts += _block("Because", [shown.prose(verdict.rationale)])
    parts += _block("Against", [shown.prose(verdict.counterargument)])
    parts += _rows("Evidence", [(e.tool, shown.prose(e.finding)) for e in verdict.evidence])
    parts += _rows(
        "Precedents",
        [
            (p.case_id, f"{p.decision} under {p.section}" + (" (stale wording)" if p.stale else ""))
            for p in verdict.precedents
        ],
    )
    parts.append(_footer(verdict, reveal=reveal))
    return Group(*parts)


def _headline(verdict: Verdict) -> RenderableType:
    words = Text()
    words.append(f" {verdict.decision.upper()} ", style=f"{_COLOURS[verdict.decision]} reverse")
    words.append(f"  action {verdict.action}", style="bold")
    if verdict.severity:
        words.append(f"  severity {verdict.severity}")
    if verdict.abstain_reason:
        words.append(f"  {verdict.abstain_reason.replace('_', ' ')}")
    else:
        words.append(f"  confidence {verdict.confidence:.2f}")
    return Group(Rule(printable(verdict.case_id), align="left", style="dim"), words)


def _person(verdict: Verdict, shown: Shown) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if verdict.agreement is not None:
        agrees = verdict.agreement
        told = "agrees" if agrees.agrees else "differs on " + ", ".join(agrees.differs_on)
        line = Text(f" Your call {printable(agrees.with_)}: the second opinion {told}")
        line.stylize("bold" if agrees.agrees else "bold magenta")
        parts.append(line)
    if verdict.needs_human:
        parts += _block(
            "A person decides", [shown.prose(because) for because in verdict.needs_human_because]
        )
    return parts


def _ground(violation: Violation, rulebook: Rulebook, shown: Shown) -> list[RenderableType]:
    section = rulebook.section(violation.section)
    title = f"{violation.section} {section.title if section else ''}".strip()
    quotes = Table.grid(padding=(0, 1), expand=True)
    quotes.add_column(ratio=1)
    quotes.add_column(ratio=1)
    quotes.add_row(Text("the rule", style="dim"), Text("the content", style="dim"))
    quotes.add_row(
        Text(f"“{printable(violation.policy_quote)}”"),
        Text(f"“{shown.content(violation.content_quote)}”"),
    )
    heading = Text(f"\n {title}", style="bold")
    heading.append(f"  {violation.severity}, {violation.confidence:.2f}", style="not bold")
    return [
        heading,
        Padding(quotes, (0, 0, 0, 3)),
        Padding(Text(shown.prose(violation.why)), (0, 0, 0, 3)),
    ]


def _block(title: str, lines: Iterable[str]) -> list[RenderableType]:
    return [
        Text(f"\n {title}", style="bold"),
        *(Padding(Text(line), (0, 0, 0, 3)) for line in lines),
    ]


def _rows(title: str, rows: Sequence[tuple[str, str]]) -> list[RenderableType]:
    if not rows:
        return []
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=22, overflow="ellipsis")
    table.add_column()
    for name, told in rows:
        table.add_row(Text(printable(name), style="cyan"), Text(told))
    return [Text(f"\n {title}", style="bold"), Padding(table, (0, 0, 0, 3))]


def _footer(verdict: Verdict, *, reveal: bool) -> RenderableType:
    usage = verdict.usage
    cost = (
        f"{usage.model_calls} paid calls, {usage.input_tokens + usage.output_tokens:,} tokens, "
        f"${usage.cost_usd:.4f}, {usage.seconds:.2f} s"
    )
    rulebook = verdict.provenance.rulebook.removeprefix("sha256:")[:12]
    lines = [f"\n {cost}", f" {verdict.provenance.model}, rulebook {rulebook}"]
    if not reveal:
        lines.append(" The content is covered; --reveal shows it.")
    return Text("\n".join(lines), style="dim")


def terminal(*, stderr: bool = False) -> Console:
    """Return a console that is never wider than 80 columns and obeys nothing in what it prints."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console
