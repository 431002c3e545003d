"""The classifier at run time: calibrated probabilities, and the words that carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from errors import RecordsError, UsageError, shown
from policies.rulebook import Signal
from tools.classifier.features import Token, occurrences, tokens, vector
from tools.classifier.weights import CONFIG_FILE, MODEL_FOLDER, Reading, Weights, read_weights
from tools.classifier.windows import windows

Reals = npt.NDArray[np.float64]
_SUSPECTS_PER_LABEL = 3


class Embeds(Protocol):
    """What the classifier asks of an embedder."""

    @property
    def name(self) -> str:
        """The sentence model and a hash of its files."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one row of length one for each text."""


@dataclass(frozen=True)
class Word:
    """A word of a text, its offsets in characters, and what it adds to a label's logit."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Classifier:
    """Linear models that read English; other languages get a number, but not a meaning."""

    weights: Weights
    embedder: Embeds | None = None

    @cached_property
    def version(self) -> str:
        """`classifier@` and a hash of the weights, their calibration and the embedder."""
        embedder = self.embedder.name if self.embedder else "none"
        state = f"{self.weights.config_sha256} {embedder}"
        return f"classifier@{hashlib.sha256(state.encode()).hexdigest()[:12]}"

    @property
    def labels(self) -> tuple[Signal, ...]:
        """The labels in the order of the weights."""
        return self.weights.config.labels

    @property
    def thresholds(self) -> Mapping[Signal, float]:
        """The line of each label: 1 % of harmless texts score higher."""
        return {label: reading.line for label, reading in self._readings.items()}

    @property
    def watch_thresholds(self) -> Mapping[Signal, float]:
        """The lower line of each label: 5 % of harmless texts score higher."""
        return {label: reading.watch_line for label, reading in self._readings.items()}

    @property
    def _readings(self) -> Mapping[Signal, Reading]:
        config = self.weights.config
        return config.embedded if config.embedded and self._reads_meaning else config.plain

    @property
    def _reads_meaning(self) -> bool:
        return self.embedder is not None and self.weights.config.embedded is not None

    def score(self, texts: Sequence[str]) -> list[Mapping[Signal, float]]:
        """Return the probability of every label for each of `texts`.

        A long text is read as a whole and by sentences, and the highest reading counts. A text
        without a word gets the probabilities of an empty one.
        """
        return [self._score(text) for text in texts]

    def words(self, text: str, label: Signal, *, limit: int = 8) -> list[Word]:
        """Return the words of `text` that speak most for `label`, strongest first.

        In a long text they come from the sentence that scores highest. Words that speak against
        the label, or not at all, are left out.

        Raises:
            UsageError: There is no model for `label`.
        """
        if label not in self.labels:
            raise UsageError(
                f"the classifier has no label {shown(label)}",
                hint=f"It knows {', '.join(self.labels)}.",
            )
        column = self.labels.index(label)
        found = tokens(text)
        best = max(
            (self._carried(found[start:end], column) for start, end in windows(text, found)),
            key=lambda words: sum(word.weight for word in words),
        )
        speaking = [word for word in best if word.weight > 0]
        return sorted(speaking, key=lambda word: (-word.weight, word.start))[:limit]

    def _score(self, text: str) -> Mapping[Signal, float]:
        found = tokens(text)
        parts = windows(text, found)
        logits = np.stack([self._ngram_logits(found[start:end]) for start, end in parts])
        if self._reads_meaning:
            suspects = _suspects(logits)
            parts, logits = [parts[index] for index in suspects], logits[suspects]
        meanings = self._embedding_logits([stretch(text, found[s:e]) for s, e in parts])
        factors = np.asarray([[r.ngrams, r.embedding, r.offset] for r in self._readings.values()])
        joined = logits * factors[:, 0] + meanings * factors[:, 1] + factors[:, 2]
        probabilities = 1.0 / (1.0 + np.exp(-joined.max(axis=0)))
        return dict(zip(self._readings, probabilities.tolist(), strict=True))

    def _ngram_logits(self, found: Sequence[Token]) -> Reals:
        weights = self.weights
        shape = weights.config.shape
        seen = vector(occurrences([token.form for token in found], shape), weights.idf, shape)
        return seen.value @ weights.ngrams[seen.feature].astype(np.float64) + weights.ngram_bias

    def _embedding_logits(self, texts: Sequence[str]) -> Reals:
        if not self.embedder or not self._reads_meaning:
            return np.zeros((len(texts), len(self.labels)))
        rows = self.embedder.embed(texts).astype(np.float64)
        logits: Reals = rows @ self.weights.embedding + self.weights.embedding_bias
        return logits

    def _carried(self, found: Sequence[Token], column: int) -> list[Word]:
        """Share the logit of a label out to the words: the shares add up to it, less the bias."""
        weights, shape = self.weights, self.weights.config.shape
        seen = occurrences([token.form for token in found], shape)
        each = vector(seen, weights.idf, shape)
        place = np.searchsorted(each.feature, seen.feature)
        repeats = np.bincount(place, minlength=len(each.feature))
        added = each.value * weights.ngrams[each.feature, column].astype(np.float64) / repeats
        carried = np.zeros(len(found))
        np.add.at(carried, seen.token, added[place] / 2)
        np.add.at(carried, seen.partner, added[place] / 2)
        return [
            Word(token.start, token.end, weight)
            for token, weight in zip(found, carried.tolist(), strict=True)
        ]


def open_classifier(embedder: Embeds | None = None, *, folder: Path = MODEL_FOLDER) -> Classifier:
    """Return the shipped classifier; with an embedder it reads meaning as well as letters.

    Raises:
        RecordsError: The weights are missing or damaged, or were made with another embedder.
    """
    weights = read_weights(folder)
    made_with = weights.config.embedder
    if embedder and made_with and embedder.name != made_with:
        raise RecordsError(
            f"{folder / CONFIG_FILE}: made with the embedder {made_with}, not {embedder.name}",
            hint="Train the classifier anew with this embedder, or open it without one.",
        )
    return Classifier(weights, embedder)


def _suspects(logits: Reals) -> list[int]:
    """Return the parts to embed: the whole text, and the windows that letters suspect most.

    A sentence vector takes ten milliseconds, and a long text has a hundred sentences.
    """
    ranked = np.argsort(-logits, axis=0, kind="stable")[:_SUSPECTS_PER_LABEL]
    return sorted({0, *ranked.ravel().tolist()})


def stretch(text: str, found: Sequence[Token]) -> str:
    """Return the part of `text` from the first to the last of `found`."""
    return text[found[0].start : found[-1].end] if found else text
