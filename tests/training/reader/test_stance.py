"""How much counts what a rule wants of its subject."""

from __future__ import annotations

import numpy as np

from retrieval.reader import Reader, Reading, Stance
from training.reader.stance import SHARES, Told, fitted_stance, told_pairs
from training.reader.texts import is_kept, topics


def test_every_kind_of_pair_is_told_and_only_of_kept_topics() -> None:
    pairs = told_pairs()
    kept = [topic for topic in topics() if is_kept(topic["id"])]
    posts = {post for topic in kept for post in (*topic["does"], *topic["near"])}
    posts |= {post for t in kept for case in t.get("exception", ()) for post in case["texts"]}
    assert {pair.kind for pair in pairs} == set(SHARES)
    assert {pair.post for pair in pairs} <= posts
    assert sum(SHARES.values()) == 1
    assert sum(SHARES[kind] for kind in SHARES if Told(kind, "", "").breaks) == 0.5


def reader(noise: float) -> Reader:
    """A reader whose pairs are noisy and shifted, and whose stance is right."""
    chance = np.random.default_rng(0)

    def raw(rule: str, case: str) -> Reading:
        broken = rule.startswith("strict") and case.startswith("does")
        return Reading(3.0 + (2.0 if broken else -2.0) + float(chance.normal(0, noise)), (0, 0))

    def itself(rule: str) -> float:
        return 4.0 if rule.startswith("strict") else -4.0

    return Reader("toy@1", raw, itself, Stance())


def toy_pairs() -> list[Told]:
    return [
        Told(kind, f"{'lenient' if kind in ALLOWING else 'strict'} {n}", f"{verb} {n}")
        for n in range(200)
        for kind, verb in KINDS
    ]


ALLOWING = ("does, allowed", "exception, made")
KINDS = (
    ("does, forbidden", "does"),
    ("does, allowed", "does"),
    ("exception, taken away", "does"),
    ("exception, made", "does"),
    ("near", "comes near"),
    ("other", "is about more"),
)


def test_the_stance_counts_where_pairs_alone_mislead() -> None:
    sure, noisy = (fitted_stance(reader(noise), toy_pairs()) for noise in (0.5, 4.0))
    assert noisy.weight > sure.weight > -0.5
    assert noisy.weight > 0.3


def test_the_line_lies_between_what_is_forbidden_and_all_else() -> None:
    toy, pairs = reader(0.5), toy_pairs()
    stance = fitted_stance(toy, pairs)

    def share(kind: str) -> float:
        some = [p for p in pairs if p.kind == kind]
        said = [toy.raw(p.rule, p.post).log_odds + stance.shift(toy.itself(p.rule)) for p in some]
        return float(np.mean(np.asarray(said) > 0))

    assert share("does, forbidden") > 0.95
    assert share("does, allowed") < 0.05
    assert share("near") < 0.05
    assert share("other") < 0.05
