"""Does the comparison see what it should? Known edits of the shipped rulebook, kind by kind.

    python -m evals.wording.planted --golden evals/sets/golden.jsonl --out planted.json

Every edit is compared with the shipped text over a golden set, with the embedded model. One that
changes the meaning must be reported on its section, one that does not must be reported as none.
With `--near 30` each edit is tried on 30 cases that are about its section, as a writer would. With
`--tuning` the edits are those by which `leaning.py` was tuned, and not these.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agent.case import Case
from agent.own_call import OwnCall
from agent.reviewer import Opinion, Options, Reviewer
from evals.golden import GoldenCase, drawn, read_golden
from evals.intervals import clopper_pearson
from evals.wording.comparison import (
    Plan,
    WordingComparison,
    compare_wordings,
    reads_otherwise,
)
from evals.wording.judging import Pace
from evals.wording.planting import PlantedEdit, shipped_edits, tuning_edits, with_edit
from evals.wording.side_by_side import Sides, side_by_side
from evals.wording.texts import Wording, Wordings
from policies.reading import load_rulebook

DRAWS = 200


@dataclass(frozen=True)
class Finding:
    """What the comparison said of one edit."""

    kind: str
    section: str
    changes: bool
    flips: int
    on_its_section: int
    real: bool | str
    reported: bool
    """Whether it was reported as a change on the right section."""
    touched: int
    reviews: int
    noise: float | None
    moved: float | None
    """How far the cases lean otherwise on average, in log-odds."""
    seconds: float


class _Recalling(Reviewer):
    """A reviewer that is asked about the same cases for every edit, and judges each once."""

    def __init__(self, reviewer: Reviewer) -> None:
        super().__init__(reviewer.desk, reviewer.records)
        self._known: dict[str, Opinion] = {}

    def opinion(self, case: Case, *, own: OwnCall | None = None) -> Opinion:
        """Return the opinion on a case, asked for now or before."""
        if case.id not in self._known:
            self._known[case.id] = super().opinion(case, own=own)
        return self._known[case.id]


def run(
    golden: Sequence[GoldenCase],
    edits: Sequence[PlantedEdit],
    sides: Sides,
    plan: Plan,
    *,
    near: int | None = None,
) -> Iterator[Finding]:
    """Yield what the comparison says of each edit.

    Args:
        golden: The cases.
        edits: What is planted, one after the other.
        sides: The shipped wording, twice; it is judged once for all edits.
        plan: Repeats and threads.
        near: So many cases that are about the section of an edit, instead of all.
    """
    rulebook = sides.old.desk.rulebook
    old = _Recalling(sides.old)
    for edit in edits:
        started = time.monotonic()
        draft = with_edit(rulebook, edit)
        own = replace(sides, old=old, new=sides.another(draft))
        wordings = Wordings(Wording("shipped", rulebook), Wording(edit.kind, draft))
        cases = golden if near is None else about(edit, golden)[:near]
        told = compare_wordings(wordings, own, cases, plan)
        yield _finding(edit, told, time.monotonic() - started)


def about(edit: PlantedEdit, golden: Sequence[GoldenCase]) -> list[GoldenCase]:
    """Return the cases that are about the sections of an edit: the set says so."""
    own = set(edit.sections)
    return [one for one in golden if own & {*one.expected.sections, one.slices.get("section", "")}]


def _finding(edit: PlantedEdit, told: WordingComparison, seconds: float) -> Finding:
    on_its_section = sum(flip.section in edit.sections for flip in told.flips)
    return Finding(
        kind=edit.kind,
        section=edit.section,
        changes=edit.changes,
        flips=len(told.flips),
        on_its_section=on_its_section,
        real=told.real,
        reported=(told.real is not False and on_its_section > 0) or bool(reads_otherwise(told)),
        touched=told.scope.touched,
        reviews=told.scope.reviews,
        noise=told.noise.rate if told.noise else None,
        moved=round(told.lean.moved, 4) if told.lean else None,
        seconds=round(seconds, 1),
    )


def table(found: Sequence[Finding]) -> str:
    """Return a table by kind of edit: reported as a change, of so many, with the interval."""
    kinds: dict[tuple[bool, str], list[Finding]] = defaultdict(list)
    for one in found:
        kinds[not one.changes, one.kind].append(one)
    rows = ["| edit | reported as a change | as none | flips (median) |", "|---|---|---|---|"]
    for (_, kind), own in sorted(kinds.items()):
        reported = sum(one.reported for one in own)
        flips = sorted(one.flips for one in own)[len(own) // 2]
        rows.append(f"| {kind} | {reported} of {len(own)} | {len(own) - reported} | {flips} |")
    for changes, label in ((True, "change the meaning"), (False, "change nothing")):
        own = [one for one in found if one.changes == changes]
        right = sum(one.reported == changes for one in own)
        if own:
            low, high = clopper_pearson(right, len(own))
            share = f"{right} of {len(own)} told rightly [{low:.2f}, {high:.2f}]"
            rows.append(f"| **all that {label}** | {share} | | |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the planted edits from the command line."""
    parser = argparse.ArgumentParser(description="Known edits of the shipped rulebook, compared.")
    parser.add_argument("--golden", type=Path, default=Path("evals/sets/golden.jsonl"))
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--near", type=int, default=None, help="so many cases about the section")
    parser.add_argument("--tuning", action="store_true", help="the edits that were tuned by")
    parser.add_argument("--kind", default="", help="only edits whose kind holds this word")
    parser.add_argument("--repeats", type=int, default=2, help="2 or more measure the noise floor")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args(arguments)
    rulebook = load_rulebook(None)
    golden = drawn(read_golden(asked.golden, rulebook), asked.limit)
    every = tuning_edits() if asked.tuning else shipped_edits()
    edits = [edit for edit in every if asked.kind in edit.kind]
    same = Wordings(Wording("shipped", rulebook), Wording("shipped", rulebook))
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="amicus-planted-") as home:
        options = Options(home=Path(home), records_url="", threads=asked.threads)
        with side_by_side(options, same) as sides:
            plan = Plan(Pace(asked.repeats, asked.workers), draws=DRAWS)
            for finding in run(golden, edits, sides, plan, near=asked.near):
                found.append(finding)
                sys.stderr.write(json.dumps(asdict(finding)) + "\n")
                if asked.out is not None:
                    asked.out.write_text(json.dumps([asdict(f) for f in found], indent=1), "utf-8")
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
