"""`python -m training.embedded`: gather, fit, write models/embedded/weights.json and its card."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from agent.reviewer import Options
from settings import stay_home
from training.embedded.card import card
from training.embedded.fit import fit
from training.embedded.gather import gather

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Fit on the development set and ship the result; the golden set is never read."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--golden", type=Path, default=ROOT / "evals/sets/dev.jsonl")
    parser.add_argument("--accounts", type=Path, default=ROOT / "evals/sets/accounts.jsonl")
    parser.add_argument("--precedents", type=Path, default=None)
    parser.add_argument("--policies", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=ROOT / "models/embedded")
    given = parser.parse_args()
    stay_home()
    with tempfile.TemporaryDirectory() as home:
        options = Options(home=Path(home), records_url="", policies=given.policies)
        gathered = gather(
            options, given.golden, accounts=given.accounts, precedents=given.precedents
        )
    fitted = fit(gathered)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "weights.json").write_text(fitted.weights.model_dump_json(indent=1) + "\n")
    (given.out / "CARD.md").write_text(card(fitted, gathered))
    print(card(fitted, gathered))


if __name__ == "__main__":
    main()
