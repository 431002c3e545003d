"""Who is flagged for nothing: harmless sentences with an identity term."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policies.rulebook import Signal
from tools.classifier import Classifier
from training.classifier.rows import Row, read_jsonl
from training.classifier.splits import plain_features

Reals = npt.NDArray[np.float64]
_FEWEST_FOR_A_TERM = 20
_OVERALL = 0.05
_PLAIN_COST = 2.0


@dataclass(frozen=True)
class Gap:
    """The spread of false-positive rates over identity terms, where 5 % of all are flagged."""

    highest: float
    lowest: float
    highest_term: str
    deviation: float
    """Standard deviation of the rates over the terms."""

    @property
    def width(self) -> float:
        """The highest rate less the lowest."""
        return self.highest - self.lowest


@dataclass(frozen=True)
class Harmless:
    """The harmless identity templates, and which term each of them has. Only ever measured on."""

    texts: Sequence[str]
    terms: Mapping[str, npt.NDArray[np.bool_]]

    def rates(self, over: npt.NDArray[np.bool_]) -> Mapping[str, Reals]:
        """Return for each term the share of its texts that are `over` (texts by lines)."""
        return {term: over[has].mean(axis=0) for term, has in self.terms.items()}

    def gap(self, score: Reals) -> Gap:
        """Return the gap between terms at the line that 5 % of all these texts exceed."""
        over = score > np.quantile(score, 1 - _OVERALL)
        rates = {term: float(over[has].mean()) for term, has in self.terms.items()}
        term = max(rates, key=rates.__getitem__)
        values = list(rates.values())
        return Gap(rates[term], min(values), term, float(np.std(values)))


def harmless_templates(data: Path) -> Harmless:
    """Read the harmless sentences of the identity templates (Dixon 2018) in `data`."""
    rows = read_jsonl(data / "eval_only" / "identity_templates.jsonl")
    texts = [str(each["text"]) for each in rows if each["labels"]["toxic"] == 0]
    words = [set(re.findall(r"[a-z]+", text.lower())) for text in texts]
    listed = Path(__file__).with_name("identity_terms.txt").read_text(encoding="utf-8").split()
    having = {term: np.asarray([term in each for each in words]) for term in listed}
    terms = {term: has for term, has in having.items() if has.sum() >= _FEWEST_FOR_A_TERM}
    return Harmless(texts, terms)


def scores_of(classifier: Classifier, texts: Sequence[str]) -> Mapping[Signal, Reals]:
    """Return the probabilities of `texts` by label."""
    said = classifier.score(texts)
    return {label: np.asarray([one[label] for one in said]) for label in classifier.labels}


def plain_hate_scores(rows: Sequence[Row], texts: Sequence[str]) -> Reals:
    """Return what a plain TF-IDF model of the public hate sets says of `texts`."""
    from sklearn.linear_model import LogisticRegression

    public = [r for r in rows if r.role == "train" and r.source != "own" and "hate" in r.known]
    learnt, asked = plain_features([row.text for row in public], texts)
    model = LogisticRegression(C=_PLAIN_COST, max_iter=300)
    model.fit(learnt, [row.known["hate"] for row in public])
    return np.asarray(model.decision_function(asked), dtype=np.float64)
