"""How well the reader reads: on public sets, and on rules that contradict each other.

Everything is scored through the shipped model, as a review does it. None of these rows, rules and
wordings is learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.reading_copy import reading_copy
from retrieval.reader import Reader
from training.classifier.metrics import Estimate, auc_score, average_precision_score, estimate
from training.reader.texts import (
    House,
    couples,
    hatexplain_row,
    houses,
    is_held,
    is_kept,
    table,
    topics,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_Row = TypeVar("_Row")
Score = Callable[[str, str], float]
"""Log-odds for a rule and a case."""

_RESAMPLES = 1000
EVERY = 1_000_000
"""More rows than any set has."""


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    estimate: Estimate
    n: int


@dataclass(frozen=True)
class WordingPair:
    """One content under two wordings; it breaks the first and keeps the second."""

    family: str
    kind: str
    text: str
    strict: str
    lenient: str


def scoring(reader: Reader) -> Score:
    """Return the reader as a review uses it: on the reading copy of a case."""
    return lambda rule, case: reader.read(rule, reading_copy(case).text).log_odds


def wording_pairs() -> list[WordingPair]:
    """Return the pairs of `wording_pairs.toml`."""
    return [
        WordingPair(family["id"], couple["kind"], text, couple[strict], couple[lenient])
        for family in table("wording_pairs.toml")["family"]
        for couple in family["couple"]
        for strict, lenient in (("strict", "lenient"), ("strict_again", "lenient_again"))
        if strict in couple
        for text in couple["texts"]
    ]


def topic_pairs_kept() -> list[WordingPair]:
    """Return pairs of the topics that are kept from learning: posts under two of their own rules.

    Of these learning was watched, so that they are no more than a development set; their rules and
    posts are by the same hands as those that are learnt from.
    """
    kept = [topic for topic in topics() if is_kept(topic["id"])]
    found = []
    for topic in kept:
        for number, post in enumerate(topic["does"]):
            strict, lenient = (_turn(topic[side], number) for side in ("strict", "lenient"))
            found.append(WordingPair(topic["id"], "plain", post, strict, lenient))
        for case in topic.get("exception", ()):
            for number, post in enumerate(case["texts"]):
                strict, lenient = (_turn(case[side], number) for side in ("strict", "lenient"))
                found.append(WordingPair(topic["id"], "exception", post, strict, lenient))
    return found


def _turn(rules: Sequence[str], number: int) -> str:
    return rules[number % len(rules)]


def wording_figures(
    score: Score, pairs: Sequence[WordingPair], *, called: str = "wording pairs"
) -> list[Figure]:
    """Return how many pairs are right on both sides, and in the right order, also by kind."""
    strict = np.array([score(pair.strict, pair.text) for pair in pairs])
    lenient = np.array([score(pair.lenient, pair.text) for pair in pairs])
    families = np.unique([pair.family for pair in pairs], return_inverse=True)[1]
    both, order = (strict > 0) & (lenient <= 0), strict > lenient
    kinds = np.array([pair.kind for pair in pairs])
    chosen = {"": np.ones(len(pairs), bool)} | {
        f", {kind}": kinds == kind for kind in dict.fromkeys(kinds.tolist())
    }
    return [
        Figure(f"{called}, {name}{suffix}", _share(right[of], families[of]), int(of.sum()))
        for suffix, of in chosen.items()
        for name, right in (("both right", both), ("right order", order))
    ]


def couple_figures(reader: Reader) -> list[Figure]:
    """Return how often the reader tells what a rule wants, of the couples kept from learning.

    The rule is its own case here, as where its stance is read.
    """
    kept = [couple for couple in couples() if is_kept(couple.id)]
    said = np.array([[reader.itself(rule) for rule in (c.strict, c.lenient)] for c in kept])
    right = {"right order": said[:, 0] > said[:, 1]}
    right["both right"] = (said[:, 0] > 0) & (said[:, 1] <= 0)
    every = np.arange(len(kept))
    return [
        Figure(f"couples kept from learning, {name}", _share(right[name], every), len(kept))
        for name in ("both right", "right order")
    ]


def house_figures(score: Score) -> list[Figure]:
    """Return how remarks stand under the house rules that are kept from learning.

    A remark stands under a rule of its own house, one that allows it, and one of a house whose
    rules it surely keeps. What is off topic no remark says by itself: that house is left out.
    """
    found: dict[str, list[tuple[float, int]]] = {}
    kept = [house.part(kept=True) for house in houses()]
    for number, house in enumerate(kept):
        if not house.placed and house.strict:
            for under, rule, remark in _house_pairs(house, kept):
                found.setdefault(under, []).append((score(rule, remark), number))
    called = "house rules kept from learning"
    figures = [
        Figure(f"{called}, flagged under {under}", _flagged(rows), len(rows))
        for under, rows in found.items()
    ]
    own, other = found["their own"], found["another house's"]
    said, group = (np.array(column) for column in zip(*own, *other, strict=True))
    answers = np.array([1] * len(own) + [0] * len(other))
    told = estimate(auc_score, answers, said, group=group)
    return [*figures, Figure(f"{called}, own or another house's, AUC", told, len(answers))]


def _house_pairs(house: House, kept: Sequence[House]) -> Iterator[tuple[str, str, str]]:
    others = [other for other in kept if house.apart(other) and other.strict]
    for turn, remark in enumerate(house.does):
        yield "their own", _turn(house.strict, turn), remark.text
        yield "another house's", _turn(others[turn % len(others)].strict, turn), remark.text
        if house.lenient:
            yield "one that allows them", _turn(house.lenient, turn), remark.text
    for turn, remark in enumerate(house.near):
        yield "one that they come near", _turn(house.strict, turn), remark.text


def _flagged(rows: Sequence[tuple[float, int]]) -> Estimate:
    return _share(np.array([said > 0 for said, _ in rows]), np.array([of for _, of in rows]))


def hate_figures(score: Score, data: Path, *, most: int = EVERY) -> list[Figure]:
    """AUC of hate on the emoji set's test rows and on the part of HateXplain that was kept."""
    rules = table("measure.toml")["rule"]
    emoji = list(_rows(data / "hatemoji_test.jsonl"))
    explained = _thinned([r for r in _rows(data / "hatexplain.jsonl") if is_held(r["id"])], most)
    return [
        _auc(name, emoji_or_not, rules[key], score)
        for name, key, emoji_or_not in (
            ("HatemojiBuild test, AUC", "hatemoji", emoji),
            ("HateXplain, held fifth, hate against rest, AUC", "hatexplain", explained),
        )
    ]


def _auc(name: str, rows: Sequence[Mapping[str, Any]], rule: str, score: Score) -> Figure:
    answers = np.array([row["labels"]["hate"] for row in rows], np.int64)
    scores = np.array([score(rule, row["text"]) for row in rows])
    groups = np.arange(len(rows))
    return Figure(name, estimate(auc_score, answers, scores, group=groups), len(rows))


def rule_figures(score: Score, file: Path, *, most: int = EVERY) -> list[Figure]:
    """Each row's own rule against one fixed rule for all, and the rule taken back or upheld."""
    settings = table("measure.toml")
    rows = _thinned(list(_rows(file)), most)
    answers = np.array([row["labels"]["violates"] for row in rows], np.int64)
    own = np.array([score(row["rule"], row["text"]) for row in rows])
    fixed = {
        rule: np.array([score(rule, row["text"]) for row in rows]) for rule in settings["fixed"]
    }
    every = np.arange(len(rows))
    best = max(fixed, key=lambda rule: auc_score(answers, fixed[rule], np.ones(len(rows))))
    found = [Figure("own rule, AUC", estimate(auc_score, answers, own, group=every), len(rows))]
    found += [
        Figure(
            f"fixed rule “{rule}”, AUC", estimate(auc_score, answers, said, group=every), len(rows)
        )
        for rule, said in fixed.items()
    ]
    gain = difference(answers, own, fixed[best])
    found.append(Figure("own rule less the best fixed rule, AUC", gain, len(rows)))
    return found + _suffix_figures(score, rows, own)


def _suffix_figures(score: Score, rows: Sequence[Mapping[str, Any]], own: Floats) -> list[Figure]:
    """Of the flagged rows, the share that falls below the line when a sentence is added."""
    settings = table("measure.toml")
    flagged = [row for row, said in zip(rows, own, strict=True) if said > 0]
    found = []
    for name in ("taken_back", "upheld"):
        fell = np.array(
            [
                score(f"{row['rule'].rstrip('. ')}. {added}", row["text"]) <= 0
                for number, row in enumerate(flagged)
                for added in [settings[name][number % len(settings[name])]]
            ]
        )
        share = _share(fell, np.arange(len(fell)))
        found.append(
            Figure(f"flagged rows that fall, rule {name.replace('_', ' ')}", share, len(fell))
        )
    return found


def moderation_figures(score: Score, data: Path, *, most: int = EVERY) -> list[Figure]:
    """The moderation development set, which is not learnt from: the loudest of five rules."""
    rules = table("measure.toml")["moderation"]
    rows = _thinned(list(_rows(data / "openai_moderation_dev.jsonl")), most)
    answers = np.array([any(row["labels"].values()) for row in rows], np.int64)
    said = {
        name: np.array([score(rule, row["text"]) for row in rows]) for name, rule in rules.items()
    }
    every = np.arange(len(rows))
    loudest = np.max(list(said.values()), axis=0)
    found = [
        Figure(
            "moderation dev, any category, AUPRC",
            estimate(average_precision_score, answers, loudest, group=every),
            len(rows),
        )
    ]
    for name, scores in said.items():
        known = np.array([name in row["labels"] for row in rows])
        own = np.array([row["labels"].get(name, 0) for row in rows], np.int64)
        auc = estimate(auc_score, own[known], scores[known], group=every[known])
        found.append(Figure(f"moderation dev, {name}, AUC", auc, int(known.sum())))
    return found


def word_figures(reader: Reader, data: Path, *, most: int = EVERY) -> list[Figure]:
    """How well the stretch of words meets what people marked, in characters (F1 of each row)."""
    rule = table("measure.toml")["rule"]["hatexplain"]
    held = (hatexplain_row(r) for r in _rows(data / "hatexplain.jsonl") if is_held(r["id"]))
    marked = [(row.text, row.spans["hate"]) for row in held if row.labels["hate"] and row.spans]
    toxic = [
        (row["text"], tuple(map(tuple, row["spans"])))
        for row in _rows(data / "toxic_spans_trial.jsonl")
        if row.get("spans")
    ]
    found = []
    for name, said, rows in (
        ("HateXplain, held fifth, words, F1", rule, _thinned(marked, most)),
        ("toxic spans trial, words, F1", "Do not insult people or be rude.", _thinned(toxic, most)),
    ):
        overlap = np.array([_overlap(reader.read(said, text).words, spans) for text, spans in rows])
        whole = np.array([_overlap((0, len(text)), spans) for text, spans in rows])
        every = np.arange(len(rows))
        found.append(Figure(name, _share(overlap, every), len(rows)))
        found.append(
            Figure(f"{name}, if all of the text were named", _share(whole, every), len(rows))
        )
    return found


def _overlap(found: tuple[int, int], marked: Sequence[tuple[int, int]]) -> float:
    said = set(range(*found))
    meant = {place for start, end in marked for place in range(start, end)}
    return 2 * len(said & meant) / max(len(said) + len(meant), 1)


def _share(values: NDArray[Any], groups: NDArray[np.int64]) -> Estimate:
    """Mean of each row's value, with an interval over groups."""

    def mean(y: NDArray[np.int64], score: Floats, weight: Floats) -> float:
        del y
        return float((score * weight).sum() / weight.sum()) if weight.sum() else float("nan")

    as_floats = np.asarray(values, np.float64)
    return estimate(mean, np.zeros(len(as_floats), np.int64), as_floats, group=groups)


def difference(answers: NDArray[np.int64], one: Floats, other: Floats) -> Estimate:
    """Paired bootstrap over rows of the difference of two AUCs."""
    weight = np.ones(len(answers))
    value = auc_score(answers, one, weight) - auc_score(answers, other, weight)
    chance = np.random.default_rng(0)
    drawn = []
    for _ in range(_RESAMPLES):
        drawn_rows = chance.integers(0, len(answers), len(answers))
        times = np.bincount(drawn_rows, minlength=len(answers)).astype(np.float64)
        drawn.append(auc_score(answers, one, times) - auc_score(answers, other, times))
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Estimate(value, low, high)


def _thinned(rows: Sequence[_Row], most: int) -> list[_Row]:
    """Return at most so many rows, evenly spread."""
    step = max(-(-len(rows) // most), 1)
    return list(rows[::step])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
