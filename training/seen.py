"""`python -m training.seen --data DIR`: write down, as hashes, what the shipped models have seen.

`amicus triage calibrate` refuses golden cases that are among these texts. Run it whenever a model
was trained anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evals.seen import FILE, hashes_of
from policies.reading import load_rulebook
from training.classifier.rows import read_rows
from training.encoder.rows import written as on_emoji
from training.folders import train_folder
from training.injection.rows import written
from training.reader.texts import labelled_texts, shown_texts, topics

ROOT = Path(__file__).resolve().parents[1]
CARD = Path(__file__).with_name("seen.md")


def texts_seen(data: Path) -> Iterator[str]:
    """Yield every text that a shipped model of texts learns from."""
    yield from (row.text for row in read_rows(data) if row.role == "train")
    yield from (row.text for row in (*written(), *on_emoji()))
    rulebook = load_rulebook(None)
    yield from (one.text for one in shown_texts())
    yield from (one.text for one in labelled_texts(train_folder(data)))
    for topic in topics():
        yield from (*topic["does"], *topic["near"])
        for case in topic.get("exception", ()):
            yield from case["texts"]
    for section in rulebook.sections:
        yield from (*section.violates, *section.allowed)
    dev = (ROOT / "evals" / "sets" / "dev.jsonl").read_text(encoding="utf-8")
    yield from (json.loads(line).get("text") or "" for line in dev.splitlines() if line)


def main() -> None:
    """Write the hashes."""
    parser = argparse.ArgumentParser(prog="python -m training.seen", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "seen")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = hashes_of(texts_seen(given.data))
    np.save(given.out / FILE, found, allow_pickle=False)
    told = CARD.read_text("utf-8").format(number=f"{len(found):,}")
    (given.out / "CARD.md").write_text(told, "utf-8")
    print(f"wrote {given.out / FILE}: {len(found):,} texts")


if __name__ == "__main__":
    main()
