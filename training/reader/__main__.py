"""`python -m training.reader`: learn, and write the network to a checkpoint."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from policies.reading import load_rulebook
from training.embedder.source import read
from training.reader.batches import batches
from training.reader.learn import Plan, learn
from training.reader.network import load
from training.reader.pairs import Deck, pairs
from training.reader.texts import Shown, labelled_texts, shown_texts, table

def main() -> None:
    """Learn."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--checkpoint", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    rulebook = load_rulebook(None)
    origin = read(given.source)
    tokenizer = Tokenizer.from_str(origin.tokenizer)
    home = {c["section"]: c["id"] for c in table("conducts.toml")["conduct"] if "section" in c}
    own = [
        Shown(text, home[section.id], stance)
        for section in rulebook.sections
        if section.id in home
        for stance, texts in (("does", section.violates), ("near", section.allowed))
        for text in texts
    ]
    deck = Deck([*shown_texts(), *own], labelled_texts(given.data), rulebook, random.Random(given.seed))
    stream = batches(pairs(deck), tokenizer, size=given.size, seed=given.seed)
    reader = learn(load(origin.tensors), stream, Plan(given.minutes * 60, given.checkpoint))
    torch.save(reader.state_dict(), given.checkpoint.with_suffix(".final"))

if __name__ == "__main__":
    main()
