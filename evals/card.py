"""What a golden set holds, counted: the table of a data card.

`python -m evals.card evals/sets/golden.jsonl` prints it, by the shipped rulebook.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from agent.verdict import Decision
from evals.golden import GoldenCase, read_golden
from policies.reading import load_rulebook

_DECISIONS: tuple[Decision, ...] = get_args(Decision)


def card(golden: Sequence[GoldenCase]) -> str:
    """Return the counts of a golden set by policy, by kind and by language, as Markdown."""
    return "\n".join(_counts(golden, name) for name in ("policy", "kind", "language"))


def _counts(golden: Sequence[GoldenCase], name: str) -> str:
    counted = Counter((one.slices.get(name, "–"), one.expected.decision) for one in golden)
    total = Counter(one.expected.decision for one in golden)
    values = sorted({value for value, _ in counted})
    lines = [
        [name, *_DECISIONS],
        ["---"] * (len(_DECISIONS) + 1),
        *([value, *(str(counted[value, d]) for d in _DECISIONS)] for value in values),
        ["all", *(str(total[d]) for d in _DECISIONS)],
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(card(read_golden(Path(sys.argv[1]), load_rulebook(None))))
