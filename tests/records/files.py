"""Write the files that the tests import."""

from __future__ import annotations

import json
from pathlib import Path

from records.imports import ImportReport


def jsonl(folder: Path, *rows: object, name: str = "accounts.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def lines_of(report: ImportReport) -> list[int]:
    return [row.line for row in report.bad]
