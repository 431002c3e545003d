"""What the sets hold, counted: the tables of their data card.

`python -m evals.card` puts the tables between the marks of `evals/sets/CARD.md`, by the shipped
rulebook. Nothing in the card that a program can count is written by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from agent.verdict import Decision
from evals.agreement import agreement, agreement_table, read_second
from evals.golden import GoldenCase, read_golden
from policies.reading import load_rulebook

SETS = Path(__file__).resolve().parent / "sets"
CARD = SETS / "CARD.md"
_DECISIONS: tuple[Decision, ...] = get_args(Decision)
_SLICES = ("policy", "kind", "language", "group")


def tables() -> Mapping[str, str]:
    """Return every table of the card by the name of its mark."""
    rulebook = load_rulebook(None)
    golden = read_golden(SETS / "golden.jsonl", rulebook)
    dev = read_golden(SETS / "dev.jsonl", rulebook)
    second = read_second(SETS / "second_look.jsonl", golden, rulebook)
    return {
        "sizes": sizes({"golden.jsonl": golden, "dev.jsonl": dev}),
        **{name: counts(golden, name) for name in _SLICES},
        "sections": sections([*golden, *dev]),
        "agreement": agreement_table(agreement(second)),
    }


def filled(card: str, made: Mapping[str, str]) -> str:
    """Return the card with each table between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        ValueError: The card has no such marks.
    """
    for name, table in made.items():
        head, begin, rest = card.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- /{name} -->")
        if not begin or not end:
            raise ValueError(f"the card has no place for the table {name!r}")
        card = f"{head}{begin}{table}{end}{tail}"
    return card


def sizes(sets: Mapping[str, Sequence[GoldenCase]]) -> str:
    """Return how many cases of which answer each set holds, and how many families they form."""
    lines = [["set", *_DECISIONS, "all", "families", "with context", "accounts", "severity"]]
    lines.append(["---"] * len(lines[0]))
    for name, cases in sets.items():
        answers = Counter(one.expected.decision for one in cases)
        figures = (
            *(answers[decision] for decision in _DECISIONS),
            len(cases),
            len({one.cluster or one.case.id for one in cases}),
            sum(bool(one.case.context) for one in cases),
            sum(one.case.kind == "account" for one in cases),
            sum(one.expected.severity is not None for one in cases),
        )
        lines.append([name, *map(str, figures)])
    return _markdown(lines)


def counts(golden: Sequence[GoldenCase], name: str) -> str:
    """Return how many cases of which answer each value of a slice has, as Markdown."""
    counted = Counter((one.slices.get(name, "–"), one.expected.decision) for one in golden)
    total = Counter(one.expected.decision for one in golden)
    values = sorted({value for value, _ in counted})
    lines = [
        [name, *_DECISIONS],
        ["---"] * (len(_DECISIONS) + 1),
        *([value, *(str(counted[value, d]) for d in _DECISIONS)] for value in values),
        ["all", *(str(total[d]) for d in _DECISIONS)],
    ]
    return _markdown(lines)


def sections(cases: Sequence[GoldenCase]) -> str:
    """Return how many cases each section has over both sets: violating, allowed and abstain."""
    counted = Counter((one.slices.get("section", "–"), one.expected.decision) for one in cases)
    policies = sorted({section.partition(".")[0] for section, _ in counted} - {"–"})
    lines = [["policy", ".1", ".2", ".3", ".4"], ["---"] * 5]
    for policy in policies:
        cells = (
            "+".join(str(counted[f"{policy}.{number}", d]) for d in _DECISIONS)
            for number in range(1, 5)
        )
        lines.append([policy, *cells])
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    CARD.write_text(filled(CARD.read_text("utf-8"), tables()), "utf-8")
