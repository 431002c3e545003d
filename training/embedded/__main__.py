"""`python -m training.embedded`: gather, fit, write models/embedded/weights.json and its card."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from agent.embedded.evidence import CASE_FEATURES, FEATURES
from agent.embedded.posture import BUCKETS, Posture
from agent.embedded.weighing import WeightsFile
from agent.reviewer import Options
from retrieval.embedder import open_embedder
from settings import stay_home
from training.embedded.card import card
from training.embedded.fit import fit
from training.embedded.gather import gather
from training.embedded.posture import ship
from training.folders import train_folder

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Fit on the development set and ship the result; the golden set is never read."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--golden", type=Path, default=ROOT / "evals/sets/dev.jsonl")
    parser.add_argument("--accounts", type=Path, default=ROOT / "evals/sets/accounts.jsonl")
    parser.add_argument("--precedents", type=Path, default=ROOT / "docs/examples/precedents.jsonl")
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled public sets")
    parser.add_argument("--policies", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=ROOT / "models/embedded")
    given = parser.parse_args()
    stay_home()
    given.out.mkdir(parents=True, exist_ok=True)
    _ship_blank(given.out)
    with tempfile.TemporaryDirectory() as home:
        options = Options(home=Path(home), records_url="", policies=given.policies, threads=1)
        gathered = gather(
            options,
            given.golden,
            accounts=given.accounts,
            precedents=given.precedents,
            data=train_folder(given.data),
        )
    fitted = fit(gathered)
    (given.out / "weights.json").write_text(fitted.weights.model_dump_json(indent=1) + "\n")
    ship(fitted.posture, given.out)
    (given.out / "CARD.md").write_text(card(fitted, gathered))
    print(card(fitted, gathered))


def _ship_blank(folder: Path) -> None:
    """Weights that say nothing, so that a reviewer opens while there are none for its terms yet."""
    blank = WeightsFile(
        section=dict.fromkeys(FEATURES, 0.0),
        case=dict.fromkeys(CASE_FEATURES, 0.0),
        intercept=0,
        violating_line=1,
        allowed_line=0,
        about="blank",
    )
    (folder / "weights.json").write_text(blank.model_dump_json(indent=1) + "\n")
    width = open_embedder(threads=1).width
    words, meaning = np.zeros(BUCKETS, np.float32), np.zeros(width, np.float32)
    ship(Posture("blank", words, meaning, 0.0), folder)


if __name__ == "__main__":
    main()
