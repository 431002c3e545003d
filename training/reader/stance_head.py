"""What a rule wants of its subject: a linear head on the network, over the rule as its own case.

Posts on a subject differ in what they do; what a rule wants is the same for all of them, and shows
best where nothing but the rule is read. The head is fitted to the strict and lenient rules of the
topics, couples and houses that are learnt from, and to rules filled into the wordings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from policies.rulebook import Rulebook
from training.reader.batches import encoded
from training.reader.deck import Deck, Pair
from training.reader.network import Reader
from training.reader.texts import Couple, couples, houses, is_kept, topics

FILLED = 5_000
_PLAIN, _ON_TOPICS = 0.55, 0.15
_COST = 1e-3
_LEAST_SPREAD = 1e-3
_TOGETHER = 48

Floats = NDArray[np.float32]


def teach_stance(reader: Reader, tokenizer: Tokenizer, rulebook: Rulebook) -> None:
    """Fit the stance head of `reader`, its other weights as they are."""
    from sklearn.linear_model import LogisticRegression

    rules = [rule for topic in topics() if not is_kept(topic["id"]) for rule in _rules(topic)]
    rules += [rule for each in couples() if not is_kept(each.id) for rule in _sides(each)]
    for house in (each.part(kept=False) for each in houses()):
        rules += [(rule, True) for rule in house.strict]
        rules += [(rule, False) for rule in house.lenient]
    rules += islice(_filled(Deck([], [], rulebook, random.Random(1))), FILLED)
    seen = _seen(reader, tokenizer, [rule for rule, _ in rules])
    mean, spread = seen.mean(axis=0), seen.std(axis=0) + _LEAST_SPREAD
    model = LogisticRegression(C=_COST, max_iter=300)
    model.fit((seen - mean) / spread, [strict for _, strict in rules])
    weight = model.coef_ / spread
    bias = model.intercept_ - weight @ mean
    with torch.no_grad():
        reader.stance.weight.copy_(torch.from_numpy(weight.astype(np.float32)))
        reader.stance.bias.copy_(torch.from_numpy(bias.astype(np.float32)))


def _rules(topic: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for part in (topic, *topic.get("exception", ())):
        yield from ((rule, True) for rule in part["strict"])
        yield from ((rule, False) for rule in part["lenient"])


def _sides(couple: Couple) -> Iterator[tuple[str, bool]]:
    yield couple.strict, True
    yield couple.lenient, False


def _filled(deck: Deck) -> Iterator[tuple[str, bool]]:
    """Yield wordings about conducts and labels without end: bans and permissions, kept or not."""
    named = [*deck.conducts.values(), *deck.public["label"].values()]
    while True:
        phrases, kind = deck.chance.choice(named), deck.chance.random()
        strict = deck.chance.random() < 1 / 2
        if kind < _PLAIN:
            yield deck.word("ban" if strict else "allow", phrases), strict
        elif kind < _PLAIN + _ON_TOPICS and "about" in phrases:
            yield deck.word("topic_ban" if strict else "topic_allow", phrases), strict
        else:
            after = deck.after("in_force" if strict else "suspended")
            yield f"{deck.word('ban', phrases)} {after}", strict


def _seen(reader: Reader, tokenizer: Tokenizer, rules: Sequence[str]) -> Floats:
    """Return what the network sees of each rule as its own case, (rules, 4 * width)."""
    order = sorted(range(len(rules)), key=lambda number: len(rules[number]))
    found = np.zeros((len(rules), reader.stance.in_features), np.float32)
    reader.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(order), _TOGETHER):
            few = order[start : start + _TOGETHER]
            pairs = [Pair(rules[number], rules[number], violates=True) for number in few]
            batch = encoded(pairs, tokenizer)
            found[few] = reader.seen(batch.ids, batch.sides, batch.real)[0].float().numpy()
    return found
