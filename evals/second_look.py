"""Print golden cases without their answers, in random order, for somebody who labels them again.

`python -m evals.second_look evals/sets/golden.jsonl 170` prints a line a case: its id, its text and
what it answers. Whoever labels them writes `{"id": …, "decision": …, "section": …}` lines from the
rulebook alone; `python -m evals.agreement` compares the two.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.golden import GoldenCase, read_golden
from policies.reading import load_rulebook


def blind(golden: Sequence[GoldenCase], n: int, *, seed: int = 0) -> Iterator[str]:
    """Yield `n` cases as JSON lines that hold no answer, no slice and no source.

    Accounts are left out: what they did stands in another file.
    """
    contents = [one.case for one in golden if one.case.kind == "content"]
    for case in random.Random(seed).sample(contents, min(n, len(contents))):
        shown = {"id": case.id, "text": case.text, "answers": [item.text for item in case.context]}
        yield json.dumps({k: v for k, v in shown.items() if v}, ensure_ascii=False)


if __name__ == "__main__":
    cases = read_golden(Path(sys.argv[1]), load_rulebook(None))
    sys.stdout.write("\n".join(blind(cases, int(sys.argv[2]))) + "\n")
