"""Import a set: write its golden cases, and say what the map loses."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.review_file import write_whole
from errors import InputError
from evals.golden import MAX_TEXT_CHARS
from evals.importing.convert import Left, Taken, convert
from evals.importing.mapping import SetMap
from evals.importing.rows import has_column, rows
from policies.rulebook import Rulebook

SIDECAR = ".import.json"
"""Put behind the name of the golden file: what it was made of, and what was lost."""


@dataclass
class Tally:
    """What became of the rows, counted as they go by."""

    read: int = 0
    taken: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)


def import_set(  # noqa: PLR0913 - what a set is read by
    file: Path,
    out: Path,
    *,
    mapping: SetMap,
    map_hash: str,
    rulebook: Rulebook,
    limit: int | None = None,
    seed: int = 0,
    longest: int = MAX_TEXT_CHARS,
) -> dict[str, Any]:
    """Write the golden cases of a public set to `out`, and return what was lost on the way.

    The same is written beside it, as `OUT.import.json`. A limit draws that many of the cases by
    the seed, each with the same chance, and leaves them in their order.

    Raises:
        InputError: The file cannot be read, a row is none, a column is nowhere, or no row became a
            case.
        RecordsError: `out` cannot be written.
    """
    tally = Tally()
    cases = _cases(file, mapping, tally, longest)
    lines = _drawn(cases, limit, seed) if limit is not None else map(_line, cases)
    write_whole(out, _some(lines, file, tally))
    report = _report(file, mapping, map_hash, rulebook, tally)
    write_whole(Path(f"{out}{SIDECAR}"), iter([json.dumps(report, ensure_ascii=False, indent=2)]))
    return report


def _cases(file: Path, mapping: SetMap, tally: Tally, longest: int) -> Iterator[Taken]:
    """Every case of the set, counting what becomes of each row."""
    unseen = _wanted(mapping)
    for row in rows(file):
        tally.read += 1
        where = f"{file}:{row.line}"
        for name in [n for n, columns in unseen.items() if has_column(row.fields, columns)]:
            del unseen[name]
        found = convert(row, mapping, where=where, longest=longest)
        if isinstance(found, Taken) and found.fields["id"] in tally.ids:
            found = Left("its id was used by an earlier row")
        if isinstance(found, Left):
            tally.left_out[found.why] += 1
            continue
        tally.ids.add(found.fields["id"])
        tally.decisions[found.fields["expected"]["decision"]] += 1
        tally.by_label.update(found.by)
        yield found
    if tally.read:
        _refuse_missing_columns(file, mapping, unseen)


def _wanted(mapping: SetMap) -> dict[str, tuple[str, ...]]:
    """Every column that the map reads, by what it is for."""
    fields = {
        name: columns
        for name in ("text", "id", "context", "language", "cluster")
        if (columns := getattr(mapping.columns, name)) is not None
    }
    slices = {f"slices.{name}": columns for name, columns in mapping.slices.items()}
    return fields | slices | {f"labels.{n}": label.columns for n, label in mapping.labels.items()}


def _refuse_missing_columns(
    file: Path, mapping: SetMap, unseen: Mapping[str, tuple[str, ...]]
) -> None:
    """A column that no row has is a map for another file: nothing of it is to be trusted."""
    own = {f"labels.{name}" for name, label in mapping.labels.items() if label.part_of is None}
    for name, columns in unseen.items():
        if name in {"text", "id"} | own:
            raise InputError(
                f"{file}: no row has a column {' or '.join(columns)}, which the map"
                f" {mapping.name} reads as {name}",
                hint="use the map of this set, or write one of your own",
            )


def _drawn(cases: Iterator[Taken], limit: int, seed: int) -> Iterator[str]:
    """A sample of the cases without holding the others (Vitter 1985, algorithm R)."""
    rng = random.Random(seed)
    kept: list[tuple[int, str]] = []
    for number, one in enumerate(cases):
        if len(kept) < limit:
            kept.append((number, _line(one)))
        elif (place := rng.randint(0, number)) < limit:
            kept[place] = (number, _line(one))
    for _, line in sorted(kept):
        yield line


def _line(one: Taken) -> str:
    return json.dumps(one.fields, ensure_ascii=False)


def _some(lines: Iterator[str], file: Path, tally: Tally) -> Iterator[str]:
    for line in lines:
        tally.taken += 1
        yield line
    if not tally.taken:
        whys = "; ".join(f"{n:,} rows: {why}" for why, n in tally.left_out.most_common(3))
        raise InputError(
            f"{file}: none of {tally.read:,} rows became a case" + (f" ({whys})" if whys else ""),
            hint="is this the set that the map was written for?",
        )


def _report(
    file: Path, mapping: SetMap, map_hash: str, rulebook: Rulebook, tally: Tally
) -> dict[str, Any]:
    return {
        "file": file.name,
        "file_hash": _hash(file),
        "map": mapping.name,
        "map_hash": map_hash,
        "rulebook": rulebook.id,
        "source": mapping.source,
        "unknown_labels": mapping.unknown,
        "rows": tally.read,
        "usable": sum(tally.decisions.values()),
        "written": tally.taken,
        "usable_by_decision": dict(sorted(tally.decisions.items())),
        "left_out": dict(tally.left_out.most_common()),
        "labels": {
            name: {
                "rows": tally.by_label[name],
                "sections": list(label.sections),
                "loses": label.loses or label.leave_out or "",
            }
            for name, label in mapping.labels.items()
        },
        "loses": mapping.loses,
    }


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()


def losses(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an import lost, a line each, for somebody who decides whether to trust it."""
    left = sum(report["left_out"].values())
    yield (
        f"{report['rows']:,} rows read, {report['usable']:,} usable,"
        f" {report['written']:,} written, {left:,} left out"
    )
    for why, rows_left in report["left_out"].items():
        yield f"left out: {rows_left:,} rows: {why}"
    for name, label in report["labels"].items():
        sections = ", ".join(label["sections"]) or "no section"
        loses = f"; {label['loses']}" if label["loses"] else ""
        yield f"{name} ({label['rows']:,} rows) → {sections}{loses}"
    if report["loses"]:
        yield f"the set as a whole: {report['loses']}"
