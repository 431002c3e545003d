"""Write the docket out: a line for each case, or a Parquet file of the same columns."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.own_call import decision_said
from agent.review_file import whole_file
from errors import InputError
from records.docket.reading import DocketCase

ROWS_TOGETHER = 5_000
COLUMNS = (
    "case_id",
    "state",
    "waits_for",
    "decided_by",
    "decision",
    "action",
    "sections",
    "decided_at",
    "added_at",
    "agrees",
    "overturned",
    "first_decided_by",
    "audit",
    "person_seconds",
    "tries",
    "reason",
    "cost_usd",
    "record",
    "verdict",
)


def exported(found: DocketCase) -> dict[str, Any]:
    """Return what is told of a case: how it stands, who decided what, and the machine's verdict."""
    return {
        "case_id": found.case_id,
        "state": found.state,
        "waits_for": found.waits_for if found.state in {"waiting", "leased"} else None,
        "decided_by": found.decided_by,
        "decision": found.decision,
        "action": found.action,
        "sections": found.sections.split(",") if found.sections else [],
        "decided_at": _moment(found.decided_at),
        "added_at": _moment(found.added_at),
        "agrees": found.agrees,
        "overturned": found.overturned,
        "first_decided_by": _first(found),
        "audit": _audit(found),
        "person_seconds": found.person_seconds,
        "tries": found.tries,
        "reason": found.reason,
        "cost_usd": found.cost,
        "record": found.record,
        "verdict": None if found.verdict is None else json.loads(found.verdict),
    }


def json_lines(cases: Iterable[DocketCase]) -> Iterator[str]:
    """Yield a line of JSON for each case."""
    for found in cases:
        yield json.dumps(exported(found), ensure_ascii=False)


def write_parquet(path: Path, cases: Iterable[DocketCase]) -> int:
    """Write the cases as Parquet, the verdict as JSON text; return how many.

    Raises:
        InputError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        pa: Any = importlib.import_module("pyarrow")
        pq: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install pyarrow, or leave --parquet out for lines of JSON",
        ) from None
    kinds = {
        "sections": pa.list_(pa.string()),
        "agrees": pa.bool_(),
        "overturned": pa.bool_(),
        "audit": pa.struct([("decision", pa.string()), ("wrong", pa.bool_())]),
        "person_seconds": pa.float64(),
        "tries": pa.int64(),
        "cost_usd": pa.float64(),
        "record": pa.int64(),
    }
    schema = pa.schema({name: kinds.get(name, pa.string()) for name in COLUMNS})
    written = 0
    with whole_file(path) as part, pq.ParquetWriter(part, schema) as writer:
        for some in _some(cases):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
            written += len(some)
    return written


def _some(cases: Iterable[DocketCase]) -> Iterator[list[Mapping[str, Any]]]:
    rows: list[Mapping[str, Any]] = []
    for found in cases:
        rows.append({**exported(found), "verdict": found.verdict})
        if len(rows) >= ROWS_TOGETHER:
            yield rows
            rows = []
    if rows:
        yield rows


def _first(found: DocketCase) -> str | None:
    """Who decided it first; None where that was overturned before anybody noted whose it was."""
    return found.first_decided_by if found.overturned else found.decided_by


def _audit(found: DocketCase) -> dict[str, Any] | None:
    """What an audit came to, once there is an answer.

    A closure that people overturned before its audit has no decision of an auditor and is wrong.
    """
    if found.audit_wrong is None:
        return None
    decision = decision_said(found.audit_call) if found.audit_call else None
    return {"decision": decision, "wrong": found.audit_wrong}


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
