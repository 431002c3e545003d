"""`python -m training.reader --data D`: learn, and write models/reader.

With a folder of the public sets the reader is made from the published weights, or carried on from
those that ship (`--on`). With a `.jsonl` file of your own decisions it starts from the weights that
ship and learns how your team reads its rules; a fifth of the decisions is kept, to say whether that
helped.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from errors import InputError
from policies.reading import load_rulebook
from policies.rulebook import Rulebook
from retrieval.reader import open_reader
from training.embedder import source
from training.embedder.storage import DYNAMIC
from training.folders import train_folder
from training.program import ended
from training.reader.batches import batches, encoded
from training.reader.decisions import is_held, mixed, read_decisions
from training.reader.deck import Deck, Pair
from training.reader.export import write_folder, write_stance
from training.reader.learn import PEAK, Plan, learn
from training.reader.network import Reader, load, published
from training.reader.pairs import EASY, ON, SHARES, WITHOUT_PUBLIC, pairs
from training.reader.restore import shipped_tensors
from training.reader.stance import fitted_stance, told_pairs
from training.reader.stance_head import teach_stance
from training.reader.texts import labelled_texts, rulebook_texts, shown_texts

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models" / "reader"
TOKENIZER = ROOT / "models" / "embedder" / "tokenizer.json"
GENTLER = 3
"""On decisions the steps are so many times smaller: there is less to learn, and more to forget."""
MINUTES_FROM_SCRATCH = 75
MINUTES_ON_DECISIONS = 10


def main() -> int:
    """Learn from public sets or from your own decisions, and write the reader's folder."""
    given = _arguments()
    return ended(lambda: _make(given))


def _make(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        given.checkpoint = given.checkpoint or Path(folder) / "reader.pt"
        reader = _from_scratch(given) if given.data.is_dir() else _from_decisions(given)
    ship(reader, given.out, load_rulebook(given.policies))
    print(f"wrote {given.out}; now python -m training.reader.card --data DIR measures it")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.reader", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of public sets, or your decisions"
    )
    parser.add_argument("--policies", type=Path, help="another rulebook than the shipped one")
    parser.add_argument("--minutes", type=float, help="how long to learn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=20, help="pairs of a step")
    parser.add_argument("--source", type=Path, help="folder with the published weights")
    parser.add_argument("--checkpoint", type=Path, help="kept each minute, and carried on from")
    parser.add_argument(
        "--beside", type=Path, nargs="*", default=(), help="checkpoints of other learners"
    )
    course = parser.add_mutually_exclusive_group()
    course.add_argument("--easy", action="store_true", help="plain rules alone, to begin with")
    course.add_argument(
        "--on", action="store_true", help="carry on from what ships, most of it on rules alone"
    )
    parser.add_argument("--peak", type=float, default=PEAK, help="the longest step")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    return parser.parse_args()


def ship(reader: Reader, out: Path, rulebook: Rulebook) -> None:
    """Write what was learnt into the folder `out`, its stance head fitted and weighed."""
    teach_stance(reader, _tokenizer(), rulebook)
    write_folder(published(reader.state_dict()), TOKENIZER, DYNAMIC, out)
    stance = fitted_stance(open_reader(threads=1, folder=out), told_pairs())
    write_stance(stance, out)
    print(stance)


def _from_scratch(given: argparse.Namespace) -> Reader:
    rulebook = load_rulebook(given.policies)
    deck = _deck(rulebook, given.seed, given.data)
    before = shipped_tensors(SHIPPED / "model.onnx") if given.on else None
    reader = load(before or source.published(given.source).tensors)
    minutes = given.minutes or MINUTES_FROM_SCRATCH
    plan = Plan(minutes * 60, given.checkpoint, given.beside, given.peak)
    shares = EASY if given.easy else ON if given.on else SHARES
    stream = batches(pairs(deck, shares), _tokenizer(), size=given.size, seed=given.seed)
    return learn(reader, stream, plan)


def _from_decisions(given: argparse.Namespace) -> Reader:
    rulebook = load_rulebook(given.policies)
    decisions = read_decisions(given.data, rulebook)
    if not decisions:
        raise InputError(
            f"{given.data}: no decision in this file", hint="write one JSON object a line"
        )
    kept = [pair for pair in decisions if is_held(pair)]
    seen = [pair for pair in decisions if not is_held(pair)]
    deck = _deck(rulebook, given.seed, None)
    others = pairs(deck, WITHOUT_PUBLIC)
    stream = mixed(seen, others, deck, random.Random(given.seed))
    reader = load(shipped_tensors(SHIPPED / "model.onnx"))
    before = _right(reader, kept)
    minutes = given.minutes or MINUTES_ON_DECISIONS
    plan = Plan(minutes * 60, given.checkpoint, given.beside, peak=given.peak / GENTLER)
    reader = learn(reader, batches(stream, _tokenizer(), size=given.size, seed=given.seed), plan)
    print(
        f"right on {len(kept)} kept decisions: {before:.3f} before, {_right(reader, kept):.3f} now"
    )
    return reader


def _deck(rulebook: Rulebook, seed: int, data: Path | None) -> Deck:
    shown = [*shown_texts(), *rulebook_texts(rulebook)]
    labelled = labelled_texts(train_folder(data)) if data is not None else []
    return Deck(shown, labelled, rulebook, random.Random(seed))


def _tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER))


def _right(reader: Reader, kept: Sequence[Pair]) -> float:
    """Return the share of decisions that the reader answers as the team did; NaN without any."""
    reader.eval()
    tokenizer, right = _tokenizer(), 0
    with torch.no_grad():
        for pair in kept:
            one = encoded([pair], tokenizer)
            said, _ = reader(one.ids, one.sides, one.real)
            right += (float(said) > 0) == pair.violates
    return right / len(kept) if kept else float("nan")


if __name__ == "__main__":
    sys.exit(main())
