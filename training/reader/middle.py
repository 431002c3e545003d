"""Where "breaks" begins: a line that errs as often one way as the other, on kept topics."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.reader.batches import encoded
from training.reader.deck import Pair
from training.reader.measure import even_line, topic_pairs_kept
from training.reader.network import Reader

Reals = NDArray[np.float64]
TOGETHER = 32


def centre(reader: Reader, tokenizer: Tokenizer) -> float:
    """Shift the reader's log-odds so that their zero is that line; return by how much.

    How many pairs of a training mix break their rule is its maker's choice, and the line follows
    that choice; the kept topics hold each post once on either side.
    """
    pairs = topic_pairs_kept()
    broken = [Pair(pair.strict, pair.text, violates=True) for pair in pairs]
    kept = [Pair(pair.lenient, pair.text, violates=False) for pair in pairs]
    found = even_line(_scores(reader, tokenizer, broken), _scores(reader, tokenizer, kept))
    with torch.no_grad():
        reader.pair.bias -= found
    return -found


def _scores(reader: Reader, tokenizer: Tokenizer, rows: list[Pair]) -> Reals:
    """The logits of pairs, in their order."""
    order = sorted(range(len(rows)), key=lambda n: len(rows[n].rule) + len(rows[n].case))
    said = np.zeros(len(rows))
    reader.eval()
    with torch.no_grad():
        for start in range(0, len(order), TOGETHER):
            few = order[start : start + TOGETHER]
            batch = encoded([rows[n] for n in few], tokenizer)
            said[few] = reader(batch.ids, batch.sides, batch.real)[0].double().numpy()
    return said
