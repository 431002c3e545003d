"""How well two labellings of the same cases agree, beyond what chance would give.

`python -m evals.agreement evals/sets/golden.jsonl evals/sets/second_look.jsonl` compares the
answers of a golden set with a second labelling, written without sight of the first: a line a case,
`{"id": …, "decision": …, "section": …}`.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import model_validator

from agent.case import Frozen, Id
from agent.reading_cases import checked, json_lines
from agent.verdict import Decision
from errors import InputError, shown
from evals.estimate import Estimate
from evals.golden import GoldenCase, read_golden
from evals.intervals import Weights, bootstrap, share
from policies.reading import load_rulebook
from policies.rulebook import Rulebook

_TO_COMPARE = 2


class SecondLabel(Frozen):
    """What the second reader says about a case."""

    id: Id
    decision: Decision
    section: str | None = None

    @model_validator(mode="after")
    def _violating_names_a_section(self) -> SecondLabel:
        if (self.decision == "violating") != (self.section is not None):
            raise ValueError("a violating label names its section, and no other label does")
        return self


@dataclass(frozen=True)
class Suspect:
    """A case that the two labellings answer differently: one of them is wrong, or the rule is."""

    case_id: str
    first: str
    second: str


@dataclass(frozen=True)
class Agreement:
    """How two labellings agree: on the decision, and on decision and section together."""

    raw: Estimate
    kappa: Estimate
    alpha: Estimate
    exact: Estimate
    exact_kappa: Estimate
    suspects: tuple[Suspect, ...]


def cohen_kappa(
    first: Sequence[Hashable], second: Sequence[Hashable], weights: Sequence[float] | None = None
) -> float:
    """Return Cohen's kappa of two labellings: 1 is full agreement, 0 what chance would give.

    Cohen 1960, "A coefficient of agreement for nominal scales". NaN where there is nothing to
    compare, or where both only ever use one and the same label.

    Args:
        first: A label for each case.
        second: Another label for each case, in the same order.
        weights: How often each case counts; once if nothing is said.

    >>> cohen_kappa(["yes", "yes", "no", "no"], ["yes", "no", "no", "no"])
    0.5
    """
    weigh = [1.0] * len(first) if weights is None else weights
    table: Counter[tuple[Hashable, Hashable]] = Counter()
    for a, b, weight in zip(first, second, weigh, strict=True):
        table[a, b] += weight  # type: ignore[assignment]  # weights may be fractions
    n = sum(table.values())
    if n == 0:
        return math.nan
    rows, columns = Counter[Hashable](), Counter[Hashable]()
    for (a, b), count in table.items():
        rows[a] += count
        columns[b] += count
    observed = sum(count for (a, b), count in table.items() if a == b) / n
    chance = sum(rows[label] * columns[label] for label in rows) / n**2
    return math.nan if chance == 1.0 else (observed - chance) / (1 - chance)


def krippendorff_alpha(
    units: Sequence[Sequence[Hashable | None]], weights: Sequence[float] | None = None
) -> float:
    """Return Krippendorff's alpha for nominal labels: any number of readers, labels may be missing.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections B and C. NaN where no
    case has two labels, or where only one label was ever used.

    Args:
        units: The labels that each case got; None where a reader gave none.
        weights: How often each case counts; once if nothing is said.

    >>> round(krippendorff_alpha([["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"]]), 4)
    0.5333
    """
    weigh = [1.0] * len(units) if weights is None else weights
    disagreeing = 0.0
    totals: dict[Hashable, float] = {}
    for unit, weight in zip(units, weigh, strict=True):
        counts = Counter(label for label in unit if label is not None)
        given = sum(counts.values())
        if given < _TO_COMPARE:
            continue
        pairs = given**2 - sum(count**2 for count in counts.values())
        disagreeing += weight * pairs / (given - 1)
        for label, count in counts.items():
            totals[label] = totals.get(label, 0.0) + weight * count
    n = sum(totals.values())
    expected = n**2 - sum(total**2 for total in totals.values())
    return math.nan if expected == 0 else 1 - (n - 1) * disagreeing / expected


def read_second(
    path: Path, golden: Sequence[GoldenCase], rulebook: Rulebook
) -> list[tuple[GoldenCase, SecondLabel]]:
    """Return the golden cases that were labelled twice, each with its second label.

    Raises:
        InputError: A line is no label, names a case or a section that is not there, or a case that
            was labelled before; names `file:line`.
    """
    known = {one.case.id: one for one in golden}
    pairs: dict[str, tuple[GoldenCase, SecondLabel]] = {}
    for number, fields in json_lines(path):
        where = f"{path}:{number}"
        label = checked(SecondLabel, fields, where=where)
        if label.id not in known:
            raise InputError(
                f"{where}: the set has no case {shown(label.id)}",
                hint="label the cases of this set, by their ids",
            )
        if label.id in pairs:
            raise InputError(f"{where}: {shown(label.id)} was labelled before", hint="keep one")
        if label.section is not None and rulebook.section(label.section) is None:
            raise InputError(
                f"{where}: the rulebook has no section {shown(label.section)}",
                hint="name a section such as hate.1",
            )
        pairs[label.id] = (known[label.id], label)
    if not pairs:
        raise InputError(f"{path}: no label in this file", hint="write one label a line")
    return list(pairs.values())


def agreement(pairs: Sequence[tuple[GoldenCase, SecondLabel]]) -> Agreement:
    """Return how the answers of golden cases agree with their second labels.

    The section of the second label agrees where the golden case lists it among the acceptable ones.
    """
    decisions = [one.expected.decision for one, _ in pairs]
    again = [label.decision for _, label in pairs]
    exact = [_named(one, label) for one, label in pairs]
    exact_again = [label.section or label.decision for _, label in pairs]
    families = [one.cluster or one.case.id for one, _ in pairs]
    n = len(pairs)

    def kappa(a: Sequence[str], b: Sequence[str]) -> Estimate:
        return bootstrap(lambda w: cohen_kappa(a, b, w.tolist()), families, n=n)

    def alpha(weights: Weights) -> float:
        return krippendorff_alpha(list(zip(decisions, again, strict=True)), weights.tolist())

    return Agreement(
        raw=share(_same(decisions, again), n),
        kappa=kappa(decisions, again),
        alpha=bootstrap(alpha, families, n=n),
        exact=share(_same(exact, exact_again), n),
        exact_kappa=kappa(exact, exact_again),
        suspects=tuple(
            Suspect(one.case.id, a, b)
            for (one, _), a, b in zip(pairs, exact, exact_again, strict=True)
            if a != b
        ),
    )


def _same(first: Sequence[str], second: Sequence[str]) -> int:
    return sum(a == b for a, b in zip(first, second, strict=True))


def _named(one: GoldenCase, label: SecondLabel) -> str:
    """The golden answer as one label: of several acceptable sections, the one that agrees."""
    if one.expected.decision != "violating":
        return one.expected.decision
    sections = one.expected.sections
    return label.section if label.section in sections else sections[0]


def agreement_table(found: Agreement) -> str:
    """Return the figures and the suspects as Markdown."""
    rows: Mapping[str, Estimate] = {
        "same decision": found.raw,
        "same decision, Cohen's kappa": found.kappa,
        "same decision, Krippendorff's alpha": found.alpha,
        "same decision and section": found.exact,
        "same decision and section, Cohen's kappa": found.exact_kappa,
    }
    lines = ["| agreement | value | 95 % interval | cases |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {e.value:.2f} | {e.low:.2f} to {e.high:.2f} | {e.n} |"
        for name, e in rows.items()
    ]
    lines += ["", "| label suspect | in the set | second label |", "| --- | --- | --- |"]
    lines += [f"| {s.case_id} | {s.first} | {s.second} |" for s in found.suspects]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    shipped = load_rulebook(None)
    labelled = read_second(Path(sys.argv[2]), read_golden(Path(sys.argv[1]), shipped), shipped)
    sys.stdout.write(agreement_table(agreement(labelled)))
