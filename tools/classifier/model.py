"""The classifier at run time: calibrated probabilities, and the words that carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from errors import RecordsError, UsageError, shown
from policies.rulebook import Signal
from tools.classifier.emoji import spoken
from tools.classifier.features import occurrences, vectors, weighed
from tools.classifier.tokens import Token, forms, tokens
from tools.classifier.weights import CONFIG_FILE, MODEL_FOLDER, Reading, Weights, read_weights
from tools.classifier.windows import LONG_TOKENS, log_chances, windows

Reals = npt.NDArray[np.float64]
_SUSPECTS_PER_LABEL = 3
_DETECTED: Signal = "injection"
_BATCH = 256
"""Texts whose features are counted at once: more is not faster, and takes memory."""


class Encodes(Protocol):
    """What the classifier asks of an encoder."""

    @property
    def name(self) -> str:
        """The encoder and a hash of its files."""

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a row for each text: the log-odds of its heads."""


class Detects(Protocol):
    """What the classifier asks of a detector of injections, if it is given one."""

    @property
    def name(self) -> str:
        """The detector and a hash of its files."""

    @property
    def strict_line(self) -> float:
        """Crossed by 0.5 % of harmless texts."""

    @property
    def line(self) -> float:
        """Crossed by 1 % of harmless texts."""

    @property
    def watch_line(self) -> float:
        """Crossed by 5 % of harmless texts."""

    def score(self, text: str) -> float:
        """Return the probability that a text gives orders to a language model."""


@dataclass(frozen=True)
class Word:
    """A word of a text, its offsets in characters, and what it adds to a label's logit."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Part:
    """A text, or a sentence of a long one, as it is read by letters and by meaning."""

    forms: Sequence[str]
    text: str


@dataclass(frozen=True)
class Classifier:
    """Models of letters and of meaning that read English; other languages get an empty number.

    With a detector the score and the lines of `injection` are the detector's, which has read more
    of them; its words are still those of the linear model.
    """

    weights: Weights
    encoder: Encodes | None = None
    detector: Detects | None = None

    @cached_property
    def version(self) -> str:
        """`classifier@` and a hash of the weights, their calibration, encoder and detector."""
        encoder = self.encoder.name if self.encoder else "none"
        state = f"{self.weights.config_sha256} {encoder}"
        if self.detector:
            state = f"{state} {self.detector.name}"
        return f"classifier@{hashlib.sha256(state.encode()).hexdigest()[:12]}"

    @property
    def labels(self) -> tuple[Signal, ...]:
        """The labels in the order of the weights."""
        return self.weights.config.labels

    @property
    def thresholds(self) -> Mapping[Signal, float]:
        """The line of each label: 1 % of harmless texts score higher."""
        lines = {label: reading.line for label, reading in self._readings.items()}
        return {**lines, _DETECTED: self.detector.line} if self.detector else lines

    @property
    def watch_thresholds(self) -> Mapping[Signal, float]:
        """The lower line of each label: 5 % of harmless texts score higher."""
        lines = {label: reading.watch_line for label, reading in self._readings.items()}
        return {**lines, _DETECTED: self.detector.watch_line} if self.detector else lines

    @property
    def strict_thresholds(self) -> Mapping[Signal, float]:
        """The higher line of each label: 0.5 % of harmless texts score higher."""
        lines = {label: reading.strict_line for label, reading in self._readings.items()}
        return {**lines, _DETECTED: self.detector.strict_line} if self.detector else lines

    @property
    def _readings(self) -> Mapping[Signal, Reading]:
        config = self.weights.config
        return config.encoded if config.encoded and self._reads_meaning else config.plain

    @property
    def _reads_meaning(self) -> bool:
        return self.encoder is not None and self.weights.config.encoded is not None

    @cached_property
    def _factors(self) -> Reals:
        """One row per label: the factors of letters and of the encoder, and the rest."""
        return np.asarray(
            [[r.ngrams, r.encoder, r.offset, r.tail] for r in self._readings.values()]
        )

    def score(self, texts: Sequence[str]) -> Sequence[Mapping[Signal, float]]:
        """Return the probability of every label for each of `texts`.

        A long text is read as a whole and by sentences. The highest reading counts, after the
        sentences have paid for being many: the more chances, the higher each has to be. A text
        without a word gets the probabilities of an empty one. Many texts at once are read faster,
        and get the same numbers.
        """
        found = [
            dict(zip(self.labels, row, strict=True))
            for start in range(0, len(texts), _BATCH)
            for row in self._probabilities(texts[start : start + _BATCH])
        ]
        if self.detector:
            for scores, text in zip(found, texts, strict=True):
                scores[_DETECTED] = self.detector.score(text)
        return found

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

    def _probabilities(self, texts: Sequence[str]) -> Iterator[list[float]]:
        parts = [text_parts(text) for text in texts]
        logits = self._ngram_logits([part.forms for some in parts for part in some])
        last = np.cumsum([len(some) for some in parts])
        for some, end in zip(parts, last.tolist(), strict=True):
            joined = self._joined(some, logits[end - len(some) : end])
            highest = joined.max(axis=0)
            yield (1.0 / (1.0 + np.exp(-highest))).tolist()

    def _joined(self, parts: Sequence[Part], logits: Reals) -> Reals:
        """Return what each part of a text adds up to, sentences shifted for being many."""
        ngrams, encoder, offset, tail = self._factors.T
        shift = np.where(np.arange(len(parts)) > 0, log_chances(len(parts) - 1), 0.0)
        if self._reads_meaning:
            suspects = _suspects(logits)
            parts, logits, shift = [parts[i] for i in suspects], logits[suspects], shift[suspects]
        meant = self._meaning_logits([part.text for part in parts])
        joined: Reals = logits * ngrams + meant * encoder + offset
        shifted: Reals = joined - shift[:, None] * tail
        return shifted

    def _ngram_logits(self, texts: Sequence[Sequence[str]]) -> Reals:
        weights, shape = self.weights, self.weights.config.shape
        seen = vectors(occurrences(texts, shape), weights.idf, shape)
        logits: Reals = weighed(seen, weights.ngrams, len(texts)) + weights.ngram_bias
        return logits

    def _meaning_logits(self, texts: Sequence[str]) -> Reals:
        """Return what the heads of the encoder add up to, texts by labels."""
        if not self.encoder or not self._reads_meaning:
            return np.zeros((len(texts), len(self.labels)))
        weights = self.weights
        rows = self.encoder.logits(texts).astype(np.float64)
        # Row by row: a product of matrices may round otherwise than a product with one row.
        meant: Reals = np.stack([row @ weights.heads for row in rows]) + weights.heads_bias
        return meant

    def _carried(self, found: Sequence[Token], column: int) -> list[Word]:
        """Share the logit of a label out to the words: the shares add up to it, less the bias."""
        weights, shape = self.weights, self.weights.config.shape
        seen = occurrences([[token.form for token in found]], shape)
        each = vectors(seen, weights.idf, shape)
        place = np.searchsorted(each.feature, seen.feature)
        repeats = np.bincount(place, minlength=len(each.feature))
        added = each.value * weights.ngrams[each.feature, column].astype(np.float64) / repeats
        carried = np.zeros(len(found))
        np.add.at(carried, seen.token, added[place] / 2)
        np.add.at(carried, seen.partner, added[place] / 2)
        return _by_place(found, carried)


def open_classifier(
    encoder: Encodes | None = None,
    *,
    detector: Detects | None = None,
    folder: Path = MODEL_FOLDER,
) -> Classifier:
    """Return the shipped classifier; with an encoder it reads meaning as well as letters.

    A detector of injections, if given, speaks for that label.

    Raises:
        RecordsError: The weights are missing or damaged, or were made with another encoder.
    """
    weights = read_weights(folder)
    made_with = weights.config.encoder
    if encoder and made_with and encoder.name != made_with:
        raise RecordsError(
            f"{folder / CONFIG_FILE}: made with the encoder {made_with}, not {encoder.name}",
            hint="Train the classifier anew with this encoder, or open it without one.",
        )
    return Classifier(weights, encoder, detector)


def text_parts(text: str) -> list[Part]:
    """Return how `text` is read: as a whole, and if it is long also by its sentences."""
    short = forms(text)
    if len(short) <= LONG_TOKENS:
        return [Part(short, spoken(text.strip()))]
    found = tokens(text)
    parts = windows(text, found)
    return [Part(short[s:e], spoken(text[found[s].start : found[e - 1].end])) for s, e in parts]


def _by_place(found: Sequence[Token], carried: Reals) -> list[Word]:
    """Return one word for each place: an emoji and its words stand at the same."""
    places: dict[tuple[int, int], float] = {}
    for token, weight in zip(found, carried.tolist(), strict=True):
        place = (token.start, token.end)
        places[place] = places.get(place, 0.0) + weight
    return [Word(start, end, weight) for (start, end), weight in places.items()]


def _suspects(logits: Reals) -> list[int]:
    """Return the parts to encode: the whole text, and the windows that letters suspect most.

    Encoding one takes some six milliseconds, and a long text has a hundred sentences.
    """
    ranked = np.argsort(-logits, axis=0, kind="stable")[:_SUSPECTS_PER_LABEL]
    return sorted({0, *ranked.ravel().tolist()})
