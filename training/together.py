"""`python -m training.together --data DIR`: what classifier and reader reach when they are joined.

Hate on the fifth of HateXplain that the reader has not seen, any category of harm on the moderation
set, orders to a machine beside innocent texts with the same words, and comments under the rules of
their communities. Nothing of it ships or is tuned: the weights of a join are fitted on four folds
and scored on the fifth, stated beforehand, or even.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from agent.reading_copy import reading_copy
from retrieval.embedder import open_embedder
from retrieval.encoder import open_label_encoder
from retrieval.reader import Reader, open_reader
from tools.classifier import Classifier, open_classifier
from training.classifier.encoders import open_encoders
from training.classifier.learn import Recipe, answers
from training.classifier.metrics import Estimate, auc_score, estimate, recall_score_at
from training.classifier.rows import LABELS, read_jsonl, read_rows
from training.classifier.splits import (
    any_estimates,
    any_views,
    asked_for_any,
    by_folds,
    evenly,
    hate_scores,
)
from training.classifier.train import BASE_RATE, FOLDS, Trained, train
from training.classifier.tricks import innocent_line
from training.reader.measure import difference
from training.reader.texts import is_held, table

Reals = npt.NDArray[np.float64]
VECTORS = Recipe(cost=1.0, positives=0.3)
READINGS = Recipe(cost=0.1, positives=None)
READER_COUNTS = 0.5
"""The reader's log-odds are twice too sure: on the kept topics a pair weighs .47 of them."""
EVERY_OTHER = 2
"""The rows of comments that the reader's card is about."""


def main() -> None:
    """Train the classifier by folds, read the same rows with the shipped reader, and join them."""
    parser = argparse.ArgumentParser(prog="python -m training.together", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds train/ and eval_only/")
    parser.add_argument(
        "--folds", type=Path, required=True, help="where training.encoder kept its folds"
    )
    parser.add_argument("--cache", type=Path, help="a folder that keeps what the encoders say")
    given = parser.parse_args()
    encoders = open_encoders(given.folds, FOLDS, given.cache)
    trained = train(read_rows(given.data), LABELS, encoders=encoders)
    reader = open_reader(threads=1)
    print("| what | value | 95 % | n |\n|---|---|---|---|")
    classifier = open_classifier(open_label_encoder(threads=1))
    for name, found, number in (
        *hate(trained, reader),
        *any_category(trained, reader),
        *injection(trained, reader),
        *own_rules(classifier, reader, given.data / "eval_only" / "rule_violations_dev.jsonl"),
    ):
        print(f"| {name} | {found.value:.3f} | {found.low:.3f} to {found.high:.3f} | {number} |")


def hate(trained: Trained, reader: Reader) -> Iterator[tuple[str, Estimate, int]]:
    """AUC of hate against the rest, on the part of HateXplain that neither has learnt from."""
    material = trained.material
    known = answers(material.rows, "hate")
    explained = np.asarray([row.source == "hatexplain" for row in material.rows])
    held = explained & np.asarray([is_held(row.id) for row in material.rows])
    # A copy of a held row elsewhere would give its answer away.
    rest = explained & ~np.isin(material.group, material.group[held])
    use = np.flatnonzero(held & known.known)
    seen = hate_scores(material, known.only(rest), trained.recipes["hate"], use)
    scores = {name: seen[name] for name in ("plain TF-IDF", "n-grams and the encoder")}
    rule = table("measure.toml")["rule"]["hatexplain"]
    scores["the reader"] = _read(reader, rule, [material.rows[i].text for i in use.tolist()])
    y, group = known.y[use], material.group[use]
    pieces = np.column_stack([scores["n-grams and the encoder"], scores["the reader"]])
    scores["joined"] = _joined(pieces, y, material.fold[use])
    for name, score in scores.items():
        yield f"HateXplain: {name}, AUC", estimate(auc_score, y, score, group=group), len(use)


def any_category(trained: Trained, reader: Reader) -> Iterator[tuple[str, Estimate, int]]:
    """AUPRC of any category on the moderation set, which the reader has not learnt from."""
    asked = asked_for_any(trained)
    texts = [trained.material.rows[i].text for i in asked.here.tolist()]
    rules = table("measure.toml")["moderation"].values()
    read = np.column_stack([_read(reader, rule, texts) for rule in rules])
    views = any_views(trained, asked)
    meant = by_folds(open_embedder(threads=1).embed(texts), asked, VECTORS)
    weighed = by_folds(read, asked, READINGS)
    scores = {
        "the reader, loudest of five rules": read.max(axis=1),
        "the reader, its five readings weighed": weighed,
        "the sentence model, fitted to it": meant,
        "the classifier, its two models added up": evenly(views),
        "all of them, added up": evenly([*views, meant, weighed]),
    }
    for name, score in scores.items():
        for rows, found in any_estimates(asked, score).items():
            number = len(asked.y) if rows == "all rows" else int(asked.full.sum())
            yield f"moderation, any category, {rows}: {name}, AUPRC", found, number


def injection(trained: Trained, reader: Reader) -> Iterator[tuple[str, Estimate, int]]:
    """Recall of orders to a machine at the line that one in twenty innocent texts crosses.

    The reader has learnt from the training part of the deepset texts and from our own; not from the
    variants, the innocent texts or the deepset test part.
    """
    rows, group = trained.material.rows, trained.material.group
    source = np.asarray([row.source for row in rows])
    test = np.asarray([row.id.startswith("deepset-test") for row in rows])
    innocent, variants = source == "notinject", source == "injection_variants"
    use = np.flatnonzero(innocent | variants | test)
    y = np.asarray([int(rows[i].known.get("injection", 0) == 1) for i in use.tolist()])
    texts = [rows[i].text for i in use.tolist()]
    rule = table("measure.toml")["rule"]["injection"]
    said = np.clip(trained.best["injection"].said[use], 1e-6, 1 - 1e-6)
    scores = {"the classifier": np.log(said / (1 - said)), "the reader": _read(reader, rule, texts)}
    pieces = np.column_stack(list(scores.values()))
    scores["joined"] = _joined(pieces, y, trained.material.fold[use])
    for name, score in scores.items():
        line = innocent_line(score[innocent[use]])
        for kind, chosen in (("variants", variants[use]), ("deepset test", test[use])):
            here = np.flatnonzero(chosen & (y == 1))
            recall = estimate(recall_score_at(line), y[here], score[here], group=group[use][here])
            yield f"injection, {kind}: {name}, recall", recall, len(here)


def own_rules(
    classifier: Classifier, reader: Reader, file: Path
) -> Iterator[tuple[str, Estimate, int]]:
    """AUC of comments under their own rule, where the rule says which labels count.

    A rule is asked of one text for each label whether it forbids that; so far the classifier's
    evidence for the label, in log-odds over the rate it is calibrated to, is added to what
    the reader says of rule and comment. Nothing is learnt from these rows.
    """
    rows = list(read_jsonl(file))[::EVERY_OTHER]
    y = np.asarray([row["labels"]["violates"] for row in rows])
    shows = table("measure.toml")["shows"]
    prior = float(np.log(BASE_RATE / (1 - BASE_RATE)))
    said = classifier.score([row["text"] for row in rows])
    evidence = np.asarray([[_log_odds(each[label]) - prior for label in shows] for each in said])

    def joined(rules: list[str]) -> Reals:
        gates = {
            rule: _sigmoid(READER_COUNTS * _read(reader, rule, list(shows.values())))
            for rule in set(rules)
        }
        read = [
            _read(reader, rule, [row["text"]])[0] for rule, row in zip(rules, rows, strict=True)
        ]
        forbidden = np.asarray([gates[rule] for rule in rules])
        score: Reals = READER_COUNTS * np.asarray(read) + (forbidden * evidence).sum(axis=1)
        return score

    own = joined([row["rule"] for row in rows])
    fixed = {rule: joined([rule] * len(rows)) for rule in table("measure.toml")["fixed"]}
    every, alike = np.arange(len(rows)), np.ones(len(rows))
    best = max(fixed, key=lambda rule: auc_score(y, fixed[rule], alike))
    yield "own rule, reader and classifier, AUC", estimate(auc_score, y, own, group=every), len(y)
    found = estimate(auc_score, y, fixed[best], group=every)
    yield f"fixed rule “{best}”, reader and classifier, AUC", found, len(y)
    yield "own rule less the best fixed rule, AUC", difference(y, own, fixed[best]), len(y)


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(inside / (1 - inside)))


def _sigmoid(log_odds: Reals) -> Reals:
    probability: Reals = 1 / (1 + np.exp(-log_odds))
    return probability


def _read(reader: Reader, rule: str, texts: list[str]) -> Reals:
    return np.asarray([reader.read(rule, reading_copy(text).text).log_odds for text in texts])


def _joined(pieces: Reals, y: npt.NDArray[np.int64], fold: npt.NDArray[np.int64]) -> Reals:
    score = np.zeros(len(y))
    for each in np.unique(fold):
        here = fold == each
        model = LogisticRegression().fit(pieces[~here], y[~here])
        score[here] = model.decision_function(pieces[here])
    return score


if __name__ == "__main__":
    main()
