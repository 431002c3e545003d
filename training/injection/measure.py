"""How good the detector is on texts that it has not seen."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import InputError
from retrieval.injection import InjectionDetector
from training.classifier.metrics import Estimate, estimate, recall_score_at
from training.classifier.rows import Row
from training.injection.rows import Flags, Material, Reals

INNOCENT_OVER = 0.05
"""The share of innocent trigger texts that may cross the line at which attacks are counted."""
_SPEED_TEXTS, _SPEED_WORDS = 200, 30
_FILLER_WORDS = 60


@dataclass(frozen=True)
class Unseen:
    """Texts, and what detectors that had not learnt from their folds say of them."""

    texts: Material
    log_odds: Reals
    """NaN where nobody was asked yet."""
    hidden: Reals
    """The same for attacks that stand between everyday texts; NaN for all else."""

    @classmethod
    def none(cls, texts: Material) -> Unseen:
        """Return what is known before anybody was asked."""
        return cls(texts, *(np.full(len(texts.rows), np.nan) for _ in range(2)))

    @classmethod
    def read(cls, texts: Material, file: Path) -> Unseen:
        """Return what `write` kept.

        Raises:
            InputError: It was kept for other texts.
        """
        with np.load(file, allow_pickle=False) as kept:
            if kept["texts"].tolist() != [zlib.crc32(row.text.encode()) for row in texts.rows]:
                raise InputError(f"{file} is about other texts", hint="name another file")
            return cls(texts, kept["log_odds"], kept["hidden"])

    def write(self, file: Path) -> None:
        """Keep what is known."""
        texts = np.asarray([zlib.crc32(row.text.encode()) for row in self.texts.rows])
        with file.open("wb") as out:
            np.savez(out, texts=texts, log_odds=self.log_odds, hidden=self.hidden)

    def ask(self, detector: InjectionDetector, rows: Flags, everyday: Sequence[str]) -> None:
        """Ask a detector about some rows."""
        chance = random.Random(0)
        for place in np.flatnonzero(rows).tolist():
            text = self.texts.rows[place].text
            self.log_odds[place] = detector.log_odds(text)
            if self.texts.known.y[place] == 1:
                before, behind = ("\n".join(_filler(everyday, chance)) for _ in range(2))
                self.hidden[place] = detector.log_odds(f"{before}\n{text}\n{behind}")

    def of(self, source: str) -> Flags:
        """Return which rows are of a set."""
        return np.asarray(self.texts.known.source == source, dtype=np.bool_)

    @property
    def test_part(self) -> Flags:
        """Which rows are the test part of the public set of prompt injections."""
        named = [row.id.startswith("deepset-test") for row in self.texts.rows]
        return np.asarray(named, dtype=np.bool_)


def innocent_line(unseen: Unseen) -> float:
    """Return the log-odds that no more than one in twenty innocent trigger texts cross."""
    fine = np.sort(unseen.log_odds[unseen.of("notinject")])[::-1]
    return float(fine[int(INNOCENT_OVER * len(fine))])


def found(unseen: Unseen, rows: Flags, line: float) -> tuple[Estimate, int]:
    """Return the share of the attacks among `rows` over a line of log-odds, and their number."""
    use = np.flatnonzero(rows & (unseen.texts.known.y == 1))
    y, group = unseen.texts.known.y[use], unseen.texts.group[use]
    return estimate(recall_score_at(line), y, unseen.log_odds[use], group=group), len(use)


def over(unseen: Unseen, rows: Flags, line: float) -> tuple[float, int]:
    """Return the share of the innocent among `rows` over a line of log-odds, and their number."""
    use = rows & (unseen.texts.known.y == 0)
    return (float((unseen.log_odds[use] > line).mean()) if use.any() else 0.0), int(use.sum())


def harmless_documents(everyday: Sequence[str], *, words: int, number: int) -> Iterator[str]:
    """Yield texts of about so many words, put together from everyday ones."""
    chance = random.Random(1)
    for _ in range(number):
        yield "\n".join(_filler(everyday, chance, words))


def _filler(
    everyday: Sequence[str], chance: random.Random, words: int = _FILLER_WORDS
) -> list[str]:
    said: list[str] = []
    while sum(len(each.split()) for each in said) < words:
        said.append(chance.choice(everyday))
    return said


def everyday_texts(rows: Iterable[Row]) -> list[str]:
    """Return the texts to which nobody gave any label."""
    return [row.text for row in rows if not any(row.known.values())]


def texts_per_second(score: Callable[[str], float], held: Sequence[Row]) -> float:
    """Return how many texts of thirty words are scored a second."""
    words = sorted({word for row in held for word in row.text.split()})
    chance = random.Random(2)
    texts = [" ".join(chance.sample(words, _SPEED_WORDS)) for _ in range(_SPEED_TEXTS)]
    began = time.perf_counter()
    for text in texts:
        score(text)
    return len(texts) / (time.perf_counter() - began)
