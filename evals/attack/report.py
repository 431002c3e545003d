"""The folder that an attack leaves behind, and its table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.review_file import write_whole
from errors import RecordsError
from evals.attack.attempts import Attempt, Siege
from evals.attack.figures import Toll, by, costliest, toll, toll_data
from evals.estimate import Estimate

ATTACK = "attack.json"
ATTEMPTS = "attempts.jsonl"
EXAMPLES = "examples.jsonl"
"""What got through and what was lost, with its text: it holds content, so mind who reads it."""

_WORST = 10


def write_siege(siege: Siege, out: Path, about: Mapping[str, object]) -> dict[str, Any]:
    """Write what came of an attack to the folder `out`, and return its figures.

    Args:
        siege: Every attempt.
        out: Made if it does not exist.
        about: What was attacked: model, rulebook, set, seed.

    Raises:
        RecordsError: The folder cannot be made.
        InputError: A file in it cannot be written.
    """
    report = figures(siege, about)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordsError(
            f"{out}: {error.strerror or error}", hint="name a folder that you may write to"
        ) from None
    write_whole(out / ATTEMPTS, (_line(one, text=False) for one in siege.attempts))
    telling = (one for one in siege.attempts if one.result in {"flipped", "lost"})
    write_whole(out / EXAMPLES, (_line(one, text=True) for one in telling))
    write_whole(out / ATTACK, iter([json.dumps(report, ensure_ascii=False, indent=2)]))
    return report


def figures(siege: Siege, about: Mapping[str, object]) -> dict[str, Any]:
    """Return the figures of an attack as JSON data."""
    attempts = siege.attempts
    pairs = by(attempts, lambda transform: transform.name)
    return {
        **about,
        "cases": _cases(attempts),
        "attempts": len(attempts),
        "left_out": sum(one.result == "left out" for one in attempts),
        "cost_usd": siege.cost_usd,
        "overall": toll_data({"all": toll(attempts)})["all"],
        "by_disguise": toll_data(by(attempts, lambda transform: transform.disguise)),
        "by_injection": toll_data(by(attempts, lambda transform: transform.injection)),
        "by_transform": toll_data(pairs),
        "costliest": costliest(pairs)[:_WORST],
    }


def _cases(attempts: Sequence[Attempt]) -> dict[str, int]:
    sides = Counter(side for _, side in {(one.case_id, one.side) for one in attempts})
    return dict(sorted(sides.items()))


def _line(one: Attempt, *, text: bool) -> str:
    fields = {
        "case_id": one.case_id,
        "side": one.side,
        "disguise": one.transform.disguise,
        "injection": one.transform.injection,
        "template": one.template,
        "before": one.before,
        "after": one.after,
        "cited": list(one.cited),
        "result": one.result,
    }
    return json.dumps(fields | ({"text": one.text} if text else {}), ensure_ascii=False)


def attack_table(siege: Siege) -> str:
    """Return what each disguise and each injection costs, as a table for a terminal."""
    attempts = siege.attempts
    parts = {
        "all attempts": {"all": toll(attempts)},
        "by disguise": by(attempts, lambda transform: transform.disguise),
        "by injection": by(attempts, lambda transform: transform.injection),
    }
    return "\n".join(line for title, tolls in parts.items() for line in _lines(title, tolls))


def _lines(title: str, tolls: Mapping[str, Toll]) -> Iterator[str]:
    heads = ("flipped to allowed", "left to a person", "harmless lost", "harmless noticed")
    yield f"{title:20} {' '.join(f'{head:24}' for head in heads)}".rstrip()
    for name, t in tolls.items():
        cells = " ".join(
            f"{_told(estimate):24}" for estimate in (t.flipped, t.blunted, t.lost, t.noticed)
        )
        yield f"  {name:18} {cells}".rstrip()


def _told(estimate: Estimate) -> str:
    if not estimate.n:
        return "–"
    low, high = estimate.low, estimate.high
    return f"{estimate.value:.3f} [{low:.3f}, {high:.3f}] {estimate.n}"
