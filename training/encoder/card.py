"""`python -m training.encoder.card`: measure the shipped encoder, and write its card."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoder import LabelEncoder, open_label_encoder
from training.classifier.encoders import Encoders, open_encoders
from training.classifier.groups import folds, groups
from training.classifier.metrics import auc_score, estimate
from training.classifier.rows import Row, in_share, read_rows
from training.classifier.tables import shown, table
from training.classifier.train import FOLDS
from training.encoder.heads import HEADS, told
from training.encoder.learn import FROZEN, LONGEST, SIZE
from training.encoder.rows import tested_or_twins, written
from training.injection.measure import texts_per_second

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "encoder"
MOST = 4_000
"""Rows of a set that are asked about."""

Ints = npt.NDArray[np.int64]


def main() -> None:
    """Measure the shipped encoder, and write its card."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder.card", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument("--folds", type=Path, required=True, help="kept by training.encoder")
    parser.add_argument("--cache", type=Path, help="a folder that keeps what the encoders say")
    given = parser.parse_args()
    rows = [row for row in read_rows(given.data) if row.role == "train"]
    text = card(rows, open_label_encoder(threads=1), open_encoders(given.folds, FOLDS, given.cache))
    (SHIPPED / "CARD.md").write_text(text, "utf-8")
    print(text)


def card(rows: Sequence[Row], encoder: LabelEncoder, encoders: Encoders) -> str:
    """Return the card in Markdown."""
    config = json.loads((SHIPPED / "config.json").read_text("utf-8"))
    tokenizer = json.loads((SHIPPED / "tokenizer.json").read_text("utf-8"))
    group = groups(rows)
    own = list(written())
    template = Path(__file__).with_name("card.md").read_text("utf-8")
    return template.format(
        name=encoder.name,
        megabytes=sum((SHIPPED / file).stat().st_size for file in config["files"]) / 1e6,
        pieces=f"{len(tokenizer['model']['vocab']):,}",
        window=config["window"],
        frozen=FROZEN,
        longest=LONGEST,
        size=SIZE,
        heads=len(HEADS),
        written=f"{len(own):,}",
        never=f"{int(tested_or_twins(rows, group).sum()):,}",
        head_table=table(["head", "n", "positive", "AUC"], _head_rows(rows, group, encoders)),
        emoji_table=table(["head", "AUC", "n"], _emoji_rows(rows, encoder)),
        speed=texts_per_second(lambda text: float(encoder.logits([text])[0, 0]), rows),
    )


def _head_rows(rows: Sequence[Row], group: Ints, encoders: Encoders) -> Iterator[list[str]]:
    """AUC of each head on the rows it is told about, by encoders that have not seen their fold."""
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.source] = sizes.get(row.source, 0) + 1
    use = np.flatnonzero([in_share(row, MOST / sizes[row.source]) for row in rows])
    some = [rows[place] for place in use.tolist()]
    said = encoders.unseen([row.text for row in some], folds(group, FOLDS)[use])
    known = told(some)
    for number, (label, source) in enumerate(HEADS):
        here = np.flatnonzero(known.weight[:, number] > 0)
        y = known.y[here, number].astype(np.int64)
        scores = said[here, number].astype(np.float64)
        auc = estimate(auc_score, y, scores, group=group[use][here])
        yield [f"{label}, {source or 'all sets'}", f"{len(y):,}", f"{int(y.sum()):,}", shown(auc)]


def _emoji_rows(rows: Sequence[Row], encoder: LabelEncoder) -> Iterator[list[str]]:
    tested = [row for row in rows if "split:test" in row.group_keys]
    y = np.asarray([row.known["hate"] for row in tested])
    said = encoder.logits([row.text for row in tested]).astype(np.float64)
    group = groups(tested)
    for name, head in (("of all sets", "hate"), ("of its own set", "hate@hatemoji")):
        auc = estimate(auc_score, y, said[:, encoder.heads.index(head)], group=group)
        yield [name, shown(auc), str(len(y))]


if __name__ == "__main__":
    main()
