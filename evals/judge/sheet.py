"""A sheet for people to mark: the same verdicts that a judge reads, with room for the marks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from evals.judge.asking import material
from evals.judge.rubric import Rubric
from evals.judge.worth import TO_READ
from evals.run import Recorded


def sheet(records: Sequence[Recorded], rubric: Rubric) -> Iterator[str]:
    """Yield a line for each verdict: an empty mark for each criterion, and what is to be read.

    People see what the judge sees and nothing of what it said, so that they do not lean on it.
    """
    for record in records:
        empty = {criterion.name: None for criterion in rubric.criteria}
        line = {"case_id": record.case_id} | empty | {TO_READ: material(record)}
        yield json.dumps(line, ensure_ascii=False)
