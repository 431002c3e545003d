"""How much it counts for a case what its rule wants of its subject, and where "breaks" begins.

Both are read off the topics that are kept from learning. What a rule wants says the network's
stance head (`stance_head.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.reading_copy import reading_copy
from retrieval.reader import Reader, Stance
from training.reader.texts import is_kept, topics

SHARES: Mapping[str, float] = {
    "does, forbidden": 0.35,
    "does, allowed": 0.20,
    "exception, taken away": 0.15,
    "exception, made": 0.10,
    "near": 0.10,
    "other": 0.10,
}
"""How much each kind of pair weighs: as many break their rule as keep it."""
_BREAKS = frozenset({"does, forbidden", "exception, taken away"})
_COST = 10.0


@dataclass(frozen=True)
class Told:
    """A post of a kept topic under a rule, and what the pair is."""

    kind: str
    rule: str
    post: str

    @property
    def breaks(self) -> bool:
        """Whether the post breaks the rule."""
        return self.kind in _BREAKS


def told_pairs() -> list[Told]:
    """Return posts of the kept topics under their own rules and under those of other topics.

    Off-topic and near posts are among them: a stance alone would flag whatever stands under a
    strict rule.
    """
    kept = [topic for topic in topics() if is_kept(topic["id"])]
    return [pair for number in range(len(kept)) for pair in _of_topic(kept, number)]


def _of_topic(kept: Sequence[Mapping[str, Any]], number: int) -> Iterator[Told]:
    topic = kept[number]
    for turn, post in enumerate(topic["does"]):
        yield Told("does, forbidden", _turn(topic["strict"], turn), post)
        yield Told("does, allowed", _turn(topic["lenient"], turn), post)
        other = kept[(number + 1 + turn) % len(kept)]
        if turn % 2 and other is not topic:
            yield Told("other", _turn(other["strict"], turn), post)
    for turn, post in enumerate(topic["near"]):
        yield Told("near", _turn(topic["strict"], turn), post)
    for case in topic.get("exception", ()):
        for turn, post in enumerate(case["texts"]):
            yield Told("exception, taken away", _turn(case["strict"], turn), post)
            yield Told("exception, made", _turn(case["lenient"], turn), post)


def _turn(rules: Sequence[str], number: int) -> str:
    return rules[number % len(rules)]


def fitted_stance(reader: Reader, pairs: Sequence[Told]) -> Stance:
    """Fit how much the stance counts, in units of the log-odds of the pair itself.

    The line is put where a pair of these kinds, weighed by their shares, breaks its rule as likely
    as not: off-topic and near posts raise it.
    """
    from sklearn.linear_model import LogisticRegression

    seen = np.array([_readings(reader, pair) for pair in pairs])
    kinds = np.array([pair.kind for pair in pairs])
    weight = sum(
        np.where(kinds == kind, SHARES[kind] / (kinds == kind).sum(), 0) for kind in SHARES
    )
    breaks = np.array([pair.breaks for pair in pairs])
    model = LogisticRegression(C=_COST).fit(seen, breaks, sample_weight=weight * len(pairs))
    pair, own = model.coef_[0].tolist()
    offset = float(model.intercept_[0]) / pair
    return Stance(weight=round(own / pair, 3), offset=round(offset, 3))


def _readings(reader: Reader, pair: Told) -> tuple[float, float]:
    itself = reader.raw(pair.rule, reading_copy(pair.post).text).log_odds
    return itself, reader.itself(pair.rule)
